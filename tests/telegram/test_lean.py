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
