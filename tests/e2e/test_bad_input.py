"""Wrong moments, wrong kinds, wrong people: a kind answer, nothing lost, and never a stack trace."""

import pytest


@pytest.fixture
async def robin(stage) -> int:
    return await stage.participant()


async def test_an_unknown_command_is_answered_with_what_is_near(stage, robin: int) -> None:
    await stage.telegram.say(robin, "/skils")
    assert "/skills" in (await stage.telegram.wait_for(robin, "Did you mean"))["text"]
    await stage.telegram.say(robin, "/xyzzy")
    await stage.telegram.wait_for(robin, "/help shows what I can do")


@pytest.mark.parametrize("kind", ["sticker", "voice", "photo", "document"])
async def test_what_nobody_looks_at_gets_an_honest_answer_with_the_contacts(stage, robin: int, kind: str) -> None:
    await stage.telegram.say(robin, **{kind: True})
    answer = await stage.telegram.wait_for(robin, "nobody else does here")
    assert "988" in answer["text"]


async def test_a_caption_and_an_edited_message_are_examined(stage, robin: int) -> None:
    clinician = await stage.colleague("Dr. Quill Example")
    await stage.telegram.say(robin, photo=True, caption="this is my goodbye, I want to die tonight")
    await stage.telegram.wait_for(robin, "988")
    await stage.telegram.wait_for(clinician, "case 1")
    other = await stage.participant("Kim Placeholder")
    said = await stage.telegram.say(other, "I am fine")
    await stage.telegram.wait_for(other, "I keep that")
    await stage.telegram.edit(other, said, "I am going to kill myself")
    await stage.telegram.wait_for(other, "988")
    await stage.telegram.wait_for(clinician, "case 2")


async def test_a_huge_text_is_kept_and_the_practice_goes_on(stage, robin: int) -> None:
    await stage.telegram.say(robin, "/skills")
    await stage.telegram.wait_for(robin, "What do you need help with")
    await stage.telegram.say(robin, "thought record")
    await stage.telegram.tap(robin, await stage.telegram.wait_for(robin, "This is what I found"), "Thought record")
    await stage.telegram.tap(robin, await stage.telegram.wait_for(robin, "It takes about"), "Begin")
    card = await stage.telegram.wait_for(robin, "Thought record")
    await stage.telegram.say(robin, "x" * 4096)
    await stage.telegram.wait_for(robin, "Thought record", after=card["message_id"])


async def test_buttons_of_old_messages_answer_kindly_and_do_nothing(stage, robin: int) -> None:
    telegram = stage.telegram
    await telegram.say(robin, "/checkin")
    mood = await telegram.wait_for(robin, "mood")
    assert (await telegram.tap(robin, mood, "6"))["text"] == ""
    keyboard = {button["text"]: button for row in mood["reply_markup"]["inline_keyboard"] for button in row}
    await telegram.wait_for(robin, "How much distress")
    again = await telegram.tap(robin, mood, data=keyboard["6"]["callback_data"])
    assert "answered that one already" in again["text"]
    assert "How much distress" in (await telegram.last(robin))["text"]
    assert "another time" in (await telegram.tap(robin, mood, data="r:gone:1:0:0"))["text"]
    assert "another time" in (await telegram.tap(robin, mood, data="from an older version"))["text"]


async def test_another_persons_buttons_are_refused(stage, robin: int) -> None:
    telegram = stage.telegram
    await telegram.say(robin, "/checkin")
    mood = await telegram.wait_for(robin, "mood")
    mallory = await stage.participant("Mallory Outsider")
    hers = await telegram.wait_for(mallory, "You are all set")
    await telegram.tap(mallory, hers, data=mood["reply_markup"]["inline_keyboard"][0][3]["callback_data"])
    await telegram.wait_for(mallory, "I can't show you that")
    assert "mood" in (await telegram.last(robin))["text"]


async def test_invitations_that_are_used_expired_or_forged_say_so(stage) -> None:
    telegram = stage.telegram
    link = await stage.link("participant")
    first, second = await telegram.add_user("Robin Sample"), await telegram.add_user("Kim Placeholder")
    await telegram.open(first, link)
    await telegram.wait_for(first, "Do you agree?")
    await telegram.open(second, link)
    await telegram.wait_for(second, "was used before")
    await telegram.open(second, "https://t.me/interlude_test_bot?start=forged")
    await telegram.wait_for(second, "don't know this invitation")
    late = await stage.link("participant")
    await telegram.move_clock(by=8 * 24 * 3600)
    await stage.settled()
    await telegram.open(second, late)
    await telegram.wait_for(second, "too old")


async def test_a_stranger_is_told_how_to_begin_and_where_help_is(stage) -> None:
    stranger = await stage.telegram.add_user("Nobody Yet")
    for said in ("/start", "hello?", "/queue", "/checkin", "/progress"):
        await stage.telegram.say(stranger, said)
    await stage.telegram.wait_for(stranger, "you need an invitation")
    await stage.telegram.say(stranger, "/help_now")
    await stage.telegram.wait_for(stranger, "988")


async def test_a_cry_of_somebody_who_is_in_no_programme_gets_the_contacts(stage) -> None:
    stranger = await stage.telegram.add_user("Nobody Yet")
    await stage.telegram.say(stranger, "I want to kill myself tonight")
    assert "988" in (await stage.telegram.wait_for(stranger, "let a person help you now"))["text"]
    joining = await stage.telegram.add_user("Kim Placeholder")
    await stage.telegram.open(joining, await stage.link("participant"))
    await stage.telegram.wait_for(joining, "Do you agree?")
    await stage.telegram.say(joining, "I want to kill myself tonight")
    await stage.telegram.wait_for(joining, "911")


async def test_a_colleague_of_another_programme_sees_nothing(stage, robin: int) -> None:
    telegram = stage.telegram
    mine = await stage.colleague("Dr. Quill Example")
    outsider = await stage.colleague("Dr. Other Example", programme="adult-day")
    await telegram.say(robin, "I want to kill myself tonight")
    alert = await telegram.wait_for(mine, "case 1")
    data = alert["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    theirs = await telegram.wait_for(outsider, "Welcome")
    await telegram.tap(outsider, theirs, data=data)
    await telegram.wait_for(outsider, "I can't show you that")
    await telegram.say(outsider, "/queue")
    await telegram.wait_for(outsider, "No open cases")


async def test_a_cry_after_a_command_is_heard_and_the_contacts_come(stage, robin: int) -> None:
    clinician = await stage.colleague("Dr. Quill Example")
    await stage.telegram.say(robin, "/skills but I am going to kill myself tonight")
    await stage.telegram.wait_for(robin, "988")
    await stage.telegram.wait_for(clinician, "case 1")
    await stage.telegram.say(robin, "/skills sleep")
    await stage.telegram.wait_for(robin, "What do you need help with")
