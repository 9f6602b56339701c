"""`python -m tests.transcripts` writes the conversations of everything in content/ anew; read the difference."""

import shutil

from bot.content.library import load
from tests.transcribing import FOLDER, file_of, shipped, written

if __name__ == "__main__":
    for kind in ("skills", "measures"):
        shutil.rmtree(FOLDER / kind, ignore_errors=True)
        (FOLDER / kind).mkdir()
    for activity in shipped(load(FOLDER.parent.parent / "content").content):
        file_of(activity).write_text(written(activity), encoding="utf-8")
