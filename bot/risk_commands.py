"""The commands on risk rules and the second opinion: learn, try on sentences, explain, replay on what was written."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.terminal import CONTENT, ContentDir, fail, open_store, with_settings

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.content.library import Loaded
    from bot.semantic.training import Learned

risk_app = typer.Typer(
    help="The risk rules and the second opinion: learn, test, explain, replay.", no_args_is_help=True
)

RulesOnly = Annotated[bool, typer.Option("--rules-only", help="Leave the second opinion out.")]


@risk_app.command("train", epilog="Example: interlude risk train --content content")
def risk_train(content: ContentDir = CONTENT) -> None:
    """Learn the second opinion from risk/examples/*.csv, and say how it does on sentences that were held out."""
    from bot.semantic.encoder import CannotRead, load_encoder
    from bot.semantic.sentences import BadSentences, training_sentences
    from bot.semantic.trained import FILE, packed, rules_fingerprint
    from bot.semantic.training import TooFew, train

    try:
        encoder, sentences = load_encoder(), training_sentences(content)
        detector, rules = _loaded(content).content.detector, rules_fingerprint(content)
        with typer.progressbar(length=len(sentences), label="reading", file=sys.stderr) as bar:
            learned = train(sentences, detector, encoder, rules, bar.update)
    except (CannotRead, BadSentences, TooFew) as error:
        fail(str(error))
    fresh = content / FILE.with_suffix(".new")
    fresh.write_bytes(packed(learned.trained))
    fresh.replace(content / FILE)
    for line in _figures(learned):
        typer.echo(line)
    typer.echo(f"written to {content / FILE}")


@risk_app.command("test", epilog="Example: interlude risk test sentences.csv --format csv --rules-only")
def risk_test(
    files: Annotated[list[Path], typer.Argument(help="CSV files: text,level and perhaps category,kind,language.")],
    form: Annotated[str, typer.Option("--format", help="text, or csv: text,level,found,rules a line.")] = "text",
    figures_only: Annotated[bool, typer.Option("--figures-only", help="Leave missed and false lines out.")] = False,
    rules_only: RulesOnly = False,
    content: ContentDir = CONTENT,
) -> None:
    """Try labelled sentences: how many are found, how many false alarms, and which lines are missed or false."""
    from bot.risk_trial import as_csv, as_text, figures, try_out
    from bot.semantic.sentences import BadSentences, read_sentences

    if form not in ("text", "csv"):
        fail(f"there is no format '{form}': choose text or csv")
    try:
        sentences = [sentence for file in files for sentence in read_sentences(file)]
    except BadSentences as error:
        fail(str(error))
    loaded = _loaded(content, rules_only=rules_only)
    with typer.progressbar(sentences, label="examining", file=sys.stderr) as shown:
        tried = asyncio.run(try_out(loaded.content, shown))
    if form == "csv":
        typer.echo(as_csv(tried), nl=False)
    else:
        typer.echo("\n".join(figures(tried)) if figures_only else as_text(tried))


@risk_app.command("explain", epilog='Example: interlude risk explain "I can\'t do this any more"')
def risk_explain(
    text: Annotated[str, typer.Argument(help="The text; - reads it from standard input.")],
    rules_only: RulesOnly = False,
    content: ContentDir = CONTENT,
) -> None:
    """Show each rule that fires on a text, its evidence, what lowers it and why, and the second opinion."""
    from bot.risk_explanation import explain

    loaded = _loaded(content, rules_only=rules_only)
    written = sys.stdin.read().strip() if text == "-" else text
    for line in explain(loaded, loaded.content.second_opinion, written):
        typer.echo(line)


@risk_app.command("replay", epilog="Example: interlude risk replay --since 2026-10-01 --content content")
def risk_replay(
    since: Annotated[str, typer.Option(help="The first day, YYYY-MM-DD (UTC).")],
    show_text: Annotated[
        bool, typer.Option("--show-text", help="Show participants' words where they differ; kept in the audit trail.")
    ] = False,
    rules_only: RulesOnly = False,
    content: Annotated[Path | None, typer.Option(help="The rules to try; the bot's own folder when left out.")] = None,
) -> None:
    """Run these rules over what participants wrote: which cases would be new or gone, and the alerts of each day.

    Only counts are shown, and nothing is written. A case that would be new is taken to stay open for a day.
    """
    from bot.clock import Clock
    from bot.replay import note_shown, replay, table, told
    from bot.storage import looking_back, migrate

    try:
        first = datetime.strptime(since, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        fail(f"'{since}' is no date: write it as YYYY-MM-DD, like 2026-11-02")

    async def work(settings: "Settings") -> None:
        loaded = _loaded(content or settings.content_dir, rules_only=rules_only or settings.second_opinion == "off")
        store = open_store(settings)
        try:
            await migrate.demand_current(store)
            ids = await looking_back.text_ids(store, first)
            with typer.progressbar(length=len(ids), label="examining", file=sys.stderr) as bar:
                replayed = await replay(store, loaded.content, first, ids, keep_texts=show_text, progress=bar.update)
            if show_text:
                await note_shown(store, first, Clock().now())
        finally:
            await store.close()
        for line in (*table(replayed), *(told(change) for change in replayed.changes)):
            typer.echo(line)

    with_settings(work)


def _loaded(content: Path, *, rules_only: bool = False) -> "Loaded":
    """Load the content with the second opinion, as far as there is one."""
    from bot.content.library import load
    from bot.semantic.opinion import load_second_opinion

    if not content.is_dir():
        fail(f"{content} is no folder: name the content folder with --content DIR")
    loaded = load(content)
    second_opinion = load_second_opinion(content, "off" if rules_only else "auto")
    if not rules_only and second_opinion is None:
        typer.echo("without the second opinion: install it with `make semantic`", err=True)
    return replace(loaded, content=replace(loaded.content, second_opinion=second_opinion))


def _figures(learned: "Learned") -> Iterator[str]:
    from bot.risk_trial import Share

    yield f"{'held out (5 folds)':<24}{'number':>8}  {'rules alone':>26}  {'with second opinion':>26}"
    for one in learned.figures:
        rules, either = (Share(part=part, whole=one.sentences) for part in (one.by_rules, one.by_either))
        yield f"{one.language} {one.kind:<21}{one.sentences:>8}  {rules!s:>26}  {either!s:>26}"
    yield f"the category guessed is right of {learned.category_right:.0%} of those at risk"
