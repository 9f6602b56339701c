"""The main job, end to end: invitation, consent, check-in, practice, something alarming, alert, resolution."""


async def test_a_participant_joins_checks_in_practises_and_is_heard(stage) -> None:
    telegram = stage.telegram
    clinician = await stage.colleague("Dr. Quill Example")
    robin = await stage.participant()

    await stage.until_next_prompt()
    nudge = await telegram.wait_for(robin, "Check-in")
    await telegram.tap(robin, nudge, "Start")
    last = await stage.tap_through(robin, "mood", "6", "7")
    assert "hurt yourself" in last["text"]
    last = await stage.tap_through(robin, "hurt yourself", "2", "1", "No", "Yes")
    assert "hours did you sleep" in last["text"]
    await telegram.say(robin, "seven")
    last = await stage.tap_through(robin, "medicine as planned", "Yes", "Not yet")
    assert "your team should know" in last["text"]

    await telegram.say(robin, "honestly I want to kill myself tonight")
    crisis = await telegram.wait_for(robin, "988")
    assert "clinician on call" in crisis["text"]
    await telegram.wait_for(robin, "Thank you for checking in")

    alert = await telegram.wait_for(clinician, "RED")
    assert "kill" not in alert["text"]
    assert "Robin" not in alert["text"]
    answer = await telegram.tap(clinician, alert, "Acknowledge")
    assert answer["text"] == "Acknowledged. Thank you."
    card = await telegram.wait_for(clinician, "acknowledged by Dr. Quill Example")
    await telegram.tap(clinician, card, "Resolve")
    await stage.tap_through(clinician, "How did case 1 end?", "Contacted: safe")
    await telegram.say(clinician, "Called, is with a friend tonight, seen tomorrow.")
    await telegram.wait_for(clinician, "Case 1 is resolved")
    await telegram.say(clinician, "/queue")
    await telegram.wait_for(clinician, "No open cases")


async def test_box_breathing_is_led_with_a_pacer_that_moves(stage) -> None:
    telegram = stage.telegram
    robin = await stage.participant()
    await telegram.say(robin, "/skills")
    await telegram.tap(robin, await telegram.wait_for(robin, "What do you need help with"), "Panic")
    await telegram.tap(robin, await telegram.wait_for(robin, "What can help with"), "Box breathing")
    await telegram.tap(robin, await telegram.wait_for(robin, "It takes about"), "Begin")
    before = await telegram.wait_for(robin, "0 = ")
    await telegram.tap(robin, before, "7")
    await telegram.tap(robin, await telegram.wait_for(robin, "Settle in"), "Start")
    first = await telegram.wait_for(robin, "Round 1 of")
    moved = await telegram.wait_for(robin, lambda one: "Round 1 of" in one["text"] and one["text"] != first["text"])
    assert moved["message_id"] == first["message_id"] == before["message_id"]

    await telegram.move_clock(by=300)
    after = await telegram.wait_for(robin, "now?")
    await telegram.tap(robin, after, "3")
    ended = await telegram.wait_for(robin, "7")
    assert "reply_markup" not in ended
