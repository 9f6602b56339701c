"""The second opinion at work: it only adds, never more than yellow, and nothing is lost when it fails."""

import asyncio
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from cast import Cast
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.app import CannotStart, wired
from bot.config import Settings
from bot.content.library import Content
from bot.content.live import LiveLibrary
from bot.semantic import encoder
from bot.semantic.opinion import RULE, Opinion, SecondOpinion
from bot.semantic.sentences import fingerprint, training_sentences
from bot.semantic.trained import FILE, Trained, packed, read_trained, rules_fingerprint
from bot.services import safety
from bot.storage.cases import Flag
from bot.storage.store import Store
from bot.storage.tables import answers, flags
from bot.storage.vault import new_key

pytestmark = pytest.mark.xdist_group("models")  # they are read once
ROOT_CONTENT = Path(__file__).parents[2] / "content"
HINT = "gave my guitar to my brother and said goodbye to everybody"
WORDS = [
    "i",
    "want",
    "to",
    "die",
    "don't",
    "lol",
    "my",
    "friend",
    "pills",
    "take",
    "all",
    "tonight",
    "soup",
    ",",
    "quiero",
    "morir",
]


def examined(content: Content, text: str, second: object) -> Sequence[Flag]:
    return asyncio.run(safety.examine(replace(content, second_opinion=second), text, 7))


class Broken:
    def consider(self, text: str) -> Opinion:
        raise MemoryError(text)


class Slow:
    def consider(self, text: str) -> Opinion:
        time.sleep(0.2)
        return Opinion(score=9, threshold=0, category="burden", version="v", similar=())


@settings(max_examples=40)
@given(text=st.one_of(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), st.text(max_size=80)))
def test_it_only_adds_and_never_more_than_yellow(content: Content, eager: SecondOpinion, text: str) -> None:
    alone, both = examined(content, text, None), examined(content, text, eager)
    if alone:
        assert both == alone
    else:
        assert [(flag.level, flag.rule) for flag in both] == [("yellow", RULE)]


def test_its_flag_names_examples_and_no_word_of_the_text(one_rule: Content, opinion: SecondOpinion) -> None:
    (flag,) = examined(one_rule, HINT, opinion)
    assert (flag.category, flag.version, flag.answer_id) == ("preparation-and-farewell", "v1", 7)
    assert flag.similar_to.startswith("en-risk:")
    assert "guitar" not in repr(flag)


@pytest.mark.parametrize("second", [Broken(), Slow()], ids=["broken", "slow"])
def test_when_it_fails_or_is_late_the_rules_stand(
    one_rule: Content, second: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(safety, "LONGEST_THOUGHT", 0.01)
    monkeypatch.setattr(safety, "log", SimpleNamespace(warning=lambda *words, **more: said.append(repr((words, more)))))
    assert examined(one_rule, HINT, second) == ()
    assert examined(one_rule, "i want to die", second) == examined(one_rule, "i want to die", None)
    assert len(said) == 1
    assert "guitar" not in said[0]


async def robin(store: Store, content: Content) -> Cast:
    """Robin takes part, and Quill is her clinician."""
    cast = Cast(store=store, content=content)
    await cast.invited("Quill", "clinician")
    await cast.joined("Robin", primary_id=(await cast.member("Quill")).id)
    return cast


async def test_a_hint_opens_a_yellow_case_that_pages_nobody(
    store: Store, one_rule: Content, opinion: SecondOpinion
) -> None:
    cast = await robin(store, replace(one_rule, second_opinion=opinion))
    await cast.writes("Robin", HINT)
    (flag,) = await cast.kept(flags)
    assert (flag.rule, flag.level, flag.version) == (RULE, "yellow", "v1")
    assert flag.similar_to.startswith("en-risk:")
    assert flag.answer_id == (await cast.kept(answers))[-1].id
    assert [case.level for case in await cast.cases()] == ["yellow"]
    assert "yellow" not in await cast.said_to("Quill")


async def test_without_it_the_same_words_pass(store: Store, one_rule: Content) -> None:
    cast = await robin(store, one_rule)
    await cast.writes("Robin", HINT)
    assert await cast.cases() == []


def test_the_shipped_one_learned_from_the_shipped_sentences_and_rules() -> None:
    learned = read_trained(ROOT_CONTENT)
    assert learned.sentences == fingerprint(training_sentences(ROOT_CONTENT))
    assert learned.rules == rules_fingerprint(ROOT_CONTENT)


@pytest.mark.parametrize(
    ("hint", "harmless"),
    [
        ("they won't have to put up with me much longer", "they put up with my singing again"),
        ("dejé todo listo para que mi familia no batalle cuando yo no esté", "dejé todo listo antes de las vacaciones"),
    ],
)
def test_the_shipped_one_tells_hints_from_harmless_words(shipped: SecondOpinion, hint: str, harmless: str) -> None:
    assert shipped.consider(hint).worth_a_look
    assert not shipped.consider(harmless).worth_a_look


def live(folder: Path, trained: Trained) -> LiveLibrary:
    shutil.copytree(ROOT_CONTENT / "messages", folder / "messages")
    (folder / "risk").mkdir()
    (folder / FILE).write_bytes(packed(trained))
    return LiveLibrary(folder, second_opinion="on")


def test_what_was_learned_anew_is_live_and_a_broken_file_changes_nothing(tmp_path: Path, trained: Trained) -> None:
    library = live(tmp_path, trained)
    first = library.content.second_opinion
    library.reload()
    assert library.content.second_opinion is first
    (tmp_path / FILE).write_bytes(b"broken")
    library.reload()
    assert library.content.second_opinion is first
    (tmp_path / FILE).write_bytes(packed(replace(trained, threshold=5.0)))
    library.reload()
    assert first
    assert library.content.second_opinion
    assert library.content.second_opinion.consider("hi").version != first.consider("hi").version


@pytest.mark.parametrize("mode", ["off", "auto"])
def test_it_is_left_out_where_it_is_off_or_not_installed(
    tmp_path: Path, trained: Trained, mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mode == "auto":
        monkeypatch.setattr("bot.semantic.opinion.missing", lambda: ("numpy",))
    live(tmp_path, trained)
    assert LiveLibrary(tmp_path, second_opinion=mode).content.second_opinion is None


async def test_it_must_be_there_where_it_is_switched_on(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "missing", lambda: ("tokenizers",))
    encoder.load_encoder.cache_clear()
    shutil.copy(sqlite_template, tmp_path / "x.db")
    settings = Settings(
        _env_file=None,
        token=SecretStr("4242:test"),
        keys=SecretStr(new_key("t")),
        database_url=f"sqlite+aiosqlite:///{tmp_path / 'x.db'}",
        second_opinion="on",
    )
    with pytest.raises(
        CannotStart, match=r"INTERLUDE_SECOND_OPINION is on: tokenizers not installed: run `make semantic`"
    ):
        async with wired(settings):
            pass
