"""What is kept about a person, given to them: whole, readable, safe to open, and to nobody else."""

import base64
import json

from cast import Cast

from bot.services import export
from bot.storage.tables import audit
from bot.telegram.message import Message

WROTE = "my neighbour <script>alert('hi')</script> & I argued"


async def exported(cast: Cast, name: str) -> dict[str, Message]:
    """The files that somebody gets when they ask, by name."""
    before = len(await cast.got(name)) if name in cast.ids else 0
    await export.export_me(cast.store, cast.content, await cast.turn(name))
    return {message.file_name: message for message in (await cast.got(name))[before:]}


def held(message: Message) -> str:
    return base64.b64decode(message.document).decode()


async def test_the_files_hold_what_was_written_and_when_and_that_they_were_asked_for_is_kept(clinic: Cast) -> None:
    await clinic.writes("Robin", WROTE)
    files = await exported(clinic, "Robin")
    assert set(files) == {"interlude.json", "interlude.html"}
    told = json.loads(held(files["interlude.json"]))
    assert told["made_at"] == clinic.now.isoformat()
    assert WROTE in str(told)
    assert "Robin Sample" in str(told)
    assert [row.action for row in await clinic.kept(audit)][-1] == "export"


async def test_the_page_shows_what_was_written_as_text_and_loads_nothing(clinic: Cast) -> None:
    await clinic.writes("Robin", WROTE)
    page = held((await exported(clinic, "Robin"))["interlude.html"])
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "http" not in page.replace('http-equiv="', "")
    assert "src=" not in page


async def test_nobody_gets_what_is_anothers(clinic: Cast) -> None:
    await clinic.writes("Robin", WROTE)
    for name in ("Quill", "Other"):
        assert "argued" not in "".join(held(file) for file in (await exported(clinic, name)).values())
    assert set(await exported(clinic, "Nobody")) == {""}


async def test_while_one_is_on_its_way_there_is_no_other(clinic: Cast) -> None:
    await exported(clinic, "Robin")
    assert set(await exported(clinic, "Robin")) == {""}
    assert [row.action for row in await clinic.kept(audit)].count("export") == 1
