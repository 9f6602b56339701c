"""The cast, on each of the two databases."""

from functools import partial

import pytest
from cast import CASTS, Cast, filled_with
from filling import EMPTY, Filling

from bot.content.library import Content
from bot.storage.store import Store


@pytest.fixture
def filling(request: pytest.FixtureRequest, content: Content) -> Filling:
    """What the fixture that the test asks for puts into each database, once for all tests."""
    names = [name for name in CASTS if name in request.fixturenames]
    return Filling(names[0], partial(filled_with, names[0], content)) if names else EMPTY


@pytest.fixture
async def cast(store: Store, content: Content) -> Cast:
    return Cast(store=store, content=content)


@pytest.fixture
async def clinic(cast: Cast) -> Cast:
    """Robin takes part; Quill is her clinician, Backup another, Senior the supervisor, Other of another programme."""
    return cast.as_left("clinic")


@pytest.fixture
async def robin(cast: Cast) -> Cast:
    """Robin joined on a Monday at 09:00 in New York."""
    return cast.as_left("robin")
