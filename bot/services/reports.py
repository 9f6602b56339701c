"""A participant's progress as a picture: mood, distress before and after, what helped."""

from datetime import timedelta

SHOWN = timedelta(days=28)
MOOD = "mood"
"""The step of the check-in that asks for the mood, 0 to 10."""
