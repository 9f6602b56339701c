"""The cast, on each of the two databases."""

import pytest
from cast import Cast

from bot.content.library import Content
from bot.storage.store import Store


@pytest.fixture
async def cast(store: Store, content: Content) -> Cast:
    return Cast(store=store, content=content)


@pytest.fixture
async def clinic(cast: Cast) -> Cast:
    """Robin takes part; Quill is her clinician, Backup another, Senior the supervisor, Other of another programme."""
    await cast.invited("Quill", "clinician")
    quill = (await cast.member("Quill")).id
    cast.later(seconds=1)
    await cast.invited("Backup", "clinician")
    await cast.invited("Senior", "supervisor")
    await cast.invited("Other", "clinician", "adult-day")
    await cast.joined("Robin", primary_id=quill)
    return cast
