"""The main job, end to end: invitation, consent, check-in, practice, something alarming, alert, resolution."""

import pytest


async def test_a_participant_joins_checks_in_practises_and_is_heard(stage) -> None:
    telegram = stage.telegram
    clinician = await stage.colleague("Dr. Quill Example")
    robin = await stage.participant()

    await telegram.move_clock(tomorrow="10:31", timezone="America/New_York", walk=True)
