"""The whole of Interlude against the sandbox."""

from staging import library, stage

__all__ = ["library", "stage"]
