"""A safety plan from its first step to the night when it is needed, and what a clinician adds to it."""

OWN, ANA = "walk the dog along the river", "my sister Ana, at any hour"


async def test_a_plan_outlives_a_restart_is_there_when_it_is_hard_and_takes_a_clinicians_idea(stage) -> None:
    telegram = stage.telegram
    clinician = await stage.colleague("Dr. Quill Example")
    robin = await stage.participant()

    await telegram.say(robin, "/plan")
    await telegram.tap(robin, await telegram.wait_for(robin, "six short steps"), "Make my plan")
    await telegram.tap(robin, await telegram.wait_for(robin, "a hard time is coming"), "Skip this step")
    await telegram.wait_for(robin, "What has helped you")
    await stage.restart()
    await telegram.say(robin, OWN)
    asked = await telegram.wait_for(robin, "Kept: What I can do by myself")
    await telegram.tap(robin, asked, "Skip this step")
    await telegram.wait_for(robin, "Whom could you tell")
    await telegram.say(robin, ANA)
    await telegram.wait_for(robin, "Kept: People I can ask for help")

    await telegram.say(robin, "/help_now")
    shown = await telegram.wait_for(robin, "You are not alone with this")
    order = [shown["text"].index(part) for part in (OWN, ANA, "You are not alone", "988", "Shall I tell")]
    assert order == sorted(order)

    await telegram.tap(robin, shown, "Yes, tell my clinician now")
    alert = await telegram.wait_for(clinician, "RED")
    await telegram.tap(clinician, alert, "Open the case")
    card = await telegram.wait_for(clinician, "alert to Dr. Quill")
    await telegram.tap(clinician, card, "Safety plan")
    read = await telegram.wait_for(clinician, OWN)
    await telegram.tap(clinician, read, "Suggest a change")
    await telegram.tap(clinician, await telegram.wait_for(clinician, "Which step"), "Professionals and services")
    await telegram.wait_for(clinician, "type the whole text")
    await telegram.say(clinician, "Dr. Quill, weekdays until five")
    await telegram.wait_for(clinician, "I tell you what they choose")
    await telegram.move_clock(by=10)
    idea = await telegram.wait_for(robin, "has an idea for your safety plan")
    await telegram.tap(robin, idea, "Take it into my plan")
    await telegram.wait_for(robin, "It is in your plan now")
    await telegram.wait_for(clinician, "took your idea")
    await telegram.say(robin, "/plan")
    await telegram.wait_for(robin, lambda one: OWN in one["text"] and "Dr. Quill, weekdays" in one["text"])
