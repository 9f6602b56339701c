"""Who takes part in a programme, in which role, on which level of care, and what they agreed to."""

from typing import Literal

Role = Literal["participant", "clinician", "supervisor", "staff"]
Standing = Literal["invited", "active", "discharged", "removed"]

ROLES: tuple[Role, ...] = ("participant", "clinician", "supervisor", "staff")
CARING: frozenset[Role] = frozenset({"clinician", "supervisor"})
"""The roles that see cases and may act on them."""

MANAGING: frozenset[Role] = frozenset({"staff", "supervisor"})
"""The roles that invite people and preview content."""
