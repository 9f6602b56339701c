"""The whole of Interlude against the sandbox."""

from staging import stage

__all__ = ["stage"]
