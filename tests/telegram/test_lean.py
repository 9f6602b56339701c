"""aiogram imported leanly: nothing is built before it is used, and everything can be."""

import subprocess
import sys

PROGRAM = """
import bot.telegram.lean
import aiogram.methods, aiogram.types
assert not aiogram.types.Update.__pydantic_complete__
update = aiogram.types.Update.model_validate_json(
    '{"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "hello"}}'
)
assert update.message.text == "hello"
for module in (aiogram.types, aiogram.methods):
    for name in module.__all__:
        cls = getattr(module, name)
        if hasattr(cls, "model_rebuild"):
            cls.model_rebuild()
            assert cls.__pydantic_complete__, name
"""


def test_every_type_and_method_can_still_be_built() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


WARM = """
import bot.telegram.lean
from aiogram.methods import Response
from aiogram.types import Message, Update
from bot.telegram.bot import warm_up
kinds = Update, Response[list[Update]], Response[Message]
assert not any(kind.__pydantic_complete__ for kind in kinds)
warm_up()
assert all(kind.__pydantic_complete__ for kind in kinds)
"""


def test_what_every_update_needs_is_built_before_the_first_one_comes() -> None:
    done = subprocess.run([sys.executable, "-c", WARM], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
