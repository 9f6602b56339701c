"""What an event of Telegram's says, whatever kind it is of."""


def said(event: object) -> str:
    """Return what somebody wrote, or the data of the button that they tapped; empty for anything else."""
    return str(getattr(event, "text", None) or getattr(event, "caption", None) or getattr(event, "data", None) or "")
