"""Imports aiogram without building the some 400 types of the Bot API that Interlude never meets.

aiogram has pydantic build every type when it is imported, which takes seconds and 100 MiB. Imported before it, this
module keeps what the types need to be built, the names they refer to, and lets pydantic build each when it is used.
"""

import sys
from typing import Any

from pydantic import BaseModel

_build_now = BaseModel.model_rebuild.__func__  # type: ignore[attr-defined]
_names: dict[str, Any] = {}
"""What the types of the Bot API refer to, by name."""


def _build_later(
    cls: type[BaseModel],
    *,
    force: bool = False,
    raise_errors: bool = True,
    _parent_namespace_depth: int = 2,
    _types_namespace: dict[str, Any] | None = None,
) -> bool | None:
    ours = cls.__module__.startswith("aiogram.")
    if ours and _types_namespace is not None:
        _names.update({} if _names else _types_namespace)
        return None
    built: bool | None = _build_now(
        cls,
        force=force,
        raise_errors=raise_errors,
        _parent_namespace_depth=_parent_namespace_depth + 1,
        _types_namespace=_names if ours else _types_namespace,
    )
    return built


if "aiogram" not in sys.modules:
    BaseModel.model_rebuild = classmethod(_build_later)  # type: ignore[method-assign,assignment]
