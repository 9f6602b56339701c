"""The load generator's people do the same for the same seed, and its chart says in words what it shows."""

from collections import Counter
from pathlib import Path

import pytest

from bench import load
from bench.chart import load_svg
from bench.population import FIRST, Population, read_habits
from bot.sandbox import SandboxClient, serve
from bot.sandbox.client import SandboxError


def acts(seed: int) -> list:
    population = Population(people=2000, seed=seed, habits=read_habits())
    return [population.act(FIRST + number) for number in range(2000)]


def test_the_same_seed_has_the_same_people_do_the_same() -> None:
    assert acts(1) == acts(1)
    assert acts(1) != acts(2)


def test_reactions_come_in_the_shares_that_the_habits_name() -> None:
    found = Counter(act.reaction for act in acts(1))
    for reaction, share in read_habits().share.items():
        assert abs(found[reaction] / 2000 - share) < 0.04


def test_habits_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "habits.toml"
    file.write_text(Path("bench/habits.toml").read_text().replace("0.62", "0.9"))
    with pytest.raises(ValueError, match="add up to 1"):
        read_habits(file)


def test_the_chart_has_a_title_and_says_the_same_in_words() -> None:
    drawn = load_svg("3 people", [0.1, 0.2, 1.5], [(1.0, 0.25)])
    assert "<title>3 people</title>" in drawn
    assert "3 prompts were delivered, at most 2 in one second" in drawn
    assert "no longer than 0.25 seconds" in drawn


async def test_a_crowd_can_be_written_to_at_once_and_must_be_countable() -> None:
    async with serve() as sandbox, SandboxClient(sandbox.url) as telegram:
        bot = await telegram.add_bot("1:x", "bench_bot")
        await telegram.add_crowd(5000, 3)
        assert [sandbox.world.users[one].started for one in (5000, 5001, 5002)] == [{bot["id"]}] * 3
        with pytest.raises(SandboxError, match="a crowd has a first id"):
            await telegram.add_crowd(0, 3)


def test_the_load_command_says_how_it_is_called_and_refuses_nobody_at_all(capsys) -> None:
    with pytest.raises(SystemExit) as helped:
        load.main(["--help"])
    assert helped.value.code == 0
    assert "Example: python -m bench load --people 1000 --seed 1" in capsys.readouterr().out
    with pytest.raises(SystemExit) as refused:
        load.main(["--people", "0", "--out", "x"])
    assert refused.value.code == 2
    assert "--people must be from 1 to 100000" in capsys.readouterr().err
