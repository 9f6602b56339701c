"""The three phones of the demonstration, as a newcomer sees and uses them."""

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from bot.content.live import LiveLibrary
from bot.demo import Cast, performed

CONTENT = Path(__file__).parent.parent.parent / "content"
SCREENS = Path(__file__).parent / "screens"
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Opened = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("LEFT OUT: the three phones were not tried, because there is no Chromium: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        await browser.close()


expect.set_options(timeout=15_000)  # beside other tests a reply may take its time


@pytest.fixture
async def stage(library: LiveLibrary) -> AsyncIterator[tuple[str, Cast]]:
    async with performed(0, CONTENT, library) as (url, _app, cast):
        yield url, cast


@pytest.fixture
async def open_page(browser: Browser, stage: tuple[str, Cast]) -> AsyncIterator[Opened]:
    """Opens the demonstration's page; whatever goes wrong in a page fails the test."""
    wrong: list[str] = []

    async def opened(width: int = 1280, height: int = 860, scheme: str = "light") -> Page:
        page = await browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        await page.goto(stage[0])
        await page.get_by_test_id("phone-staff").get_by_role("article").first.wait_for()
        return page

    yield opened
    assert wrong == []


async def shot(page: Page, name: str) -> None:
    SCREENS.mkdir(exist_ok=True)
    await page.screenshot(path=SCREENS / f"{name}.png", animations="disabled")


async def type_in(phone: Locator, text: str) -> None:
    field = phone.get_by_label("Message", exact=True)
    await field.fill(text)
    await field.press("Enter")


def button(phone: Locator, name: str) -> Locator:
    """The button of this name; a time in brackets, as behind a city, may follow."""
    return phone.get_by_role("button", name=re.compile(rf"^{re.escape(name)}( \(|$)"))


async def tap(phone: Locator, name: str) -> None:
    await button(phone, name).last.click()


async def join(phone: Locator) -> None:
    await tap(phone, "Open the invitation")
    await tap(phone, "I agree")
    await tap(phone, "English")
    await tap(phone, "New York")
    await expect(phone).to_contain_text("You are all set")


async def at_its_end(phone: Locator) -> None:
    script = "chat => chat.scrollHeight - chat.scrollTop - chat.clientHeight < 2"
    await phone.page.wait_for_function(script, arg=await phone.get_by_role("log").element_handle())


async def test_the_main_job_from_the_invitation_to_the_resolved_case(open_page: Opened) -> None:
    page = await open_page()
    robin, quill = page.get_by_test_id("phone-participant"), page.get_by_test_id("phone-clinician")
    await shot(page, "01-before")
    await join(robin)
    await shot(page, "02-joined")

    await page.get_by_role("button", name="to the next prompt").click()
    await expect(button(robin, "Start")).to_be_visible()
    await type_in(robin, "/checkin")  # which prompt is next depends on the hour at which this runs
    await expect(robin).to_contain_text("mood")
    for answer in ("6", "7"):
        words = await robin.get_by_role("article").last.locator(".words").inner_text()
        await tap(robin, answer)
        await expect(robin.get_by_role("article").last.locator(".words")).not_to_have_text(words)
    await at_its_end(robin)
    await shot(page, "03-check-in")

    await type_in(robin, "I want to kill myself tonight")
    await expect(robin).to_contain_text("988")
    await expect(quill).to_contain_text("RED")
    await expect(quill).not_to_contain_text("kill myself tonight")
    await at_its_end(robin)
    await shot(page, "04-alarm")

    await tap(quill, "✓ Acknowledge")
    await expect(quill).to_contain_text("acknowledged by Dr. Quill Example")
    await shot(page, "05-acknowledged")
    await tap(quill, "Resolve")
    await tap(quill, "Contacted: safe")
    await type_in(quill, "Called. With a friend tonight, seen tomorrow.")
    await expect(quill).to_contain_text("Case 1 is resolved")
    await at_its_end(quill)
    await shot(page, "06-resolved")


async def test_box_breathing_has_a_pacer_that_moves_in_place(open_page: Opened) -> None:
    page = await open_page()
    robin = page.get_by_test_id("phone-participant")
    await join(robin)
    await type_in(robin, "/skills")
    for button in ("Panic", "Box breathing"):
        await robin.get_by_role("button", name=button).last.click()
    await tap(robin, "Begin")
    await tap(robin, "7")
    await tap(robin, "Start")
    pacer = robin.get_by_role("article").last.locator(".words")
    await expect(pacer).to_contain_text("Round 1 of")
    stop = await robin.locator(".keys button").last.element_handle()
    count, first = await robin.get_by_role("article").count(), await pacer.inner_text()
    await expect(pacer).not_to_have_text(first)
    assert await robin.get_by_role("article").count() == count
    assert stop is None or await stop.evaluate("button => button.isConnected"), "a tap on a moving pacer would be lost"
    await at_its_end(robin)
    await shot(page, "07-pacer")


async def test_staff_invite_with_a_picture_and_open_it_on_another_phone(open_page: Opened) -> None:
    page = await open_page(scheme="dark")
    sam = page.get_by_test_id("phone-staff")
    await type_in(sam, "/invite")
    await sam.get_by_role("button", name="Participant").first.click()
    picture = sam.get_by_role("img").last
    await expect(picture).to_be_visible()
    assert await picture.evaluate("async picture => { await picture.decode(); return picture.naturalWidth; }") > 100
    await sam.get_by_role("button", name="t.me/").last.click()
    await expect(page.get_by_role("menuitem")).to_have_text(["Participant", "Clinician", "Staff", "a new phone"])
    await shot(page, "08-open-on")
    await page.get_by_role("menuitem", name="a new phone").click()
    visitor = page.get_by_test_id("phone-phone-4")
    await expect(visitor.get_by_role("button", name="I agree")).to_be_visible()
    await shot(page, "09-new-phone")


async def test_staff_are_led_through_a_skill_as_participants_are(open_page: Opened) -> None:
    page = await open_page(scheme="dark")
    sam = page.get_by_test_id("phone-staff")
    await sam.get_by_label("Commands").click()
    await sam.get_by_role("button", name="/preview").last.click()
    await sam.get_by_role("button", name="Box breathing").last.click()
    await tap(sam, "5")
    await tap(sam, "Start")
    await expect(sam).to_contain_text("Round 1 of")
    await at_its_end(sam)
    await shot(page, "10-preview")


async def test_someone_joins_by_keyboard_on_a_narrow_screen(open_page: Opened) -> None:
    page = await open_page(width=360, height=740)
    robin = page.get_by_test_id("phone-participant")
    start = robin.get_by_role("button", name="Open the invitation")
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await start.evaluate("button => button === document.activeElement"):
            break
    await page.keyboard.press("Enter")
    for name in ("I agree", "English", "New York"):
        wanted = button(robin, name)
        await wanted.wait_for()
        await shot(page, f"12-narrow-{name.lower().replace(' ', '-')}")
        for _ in range(12):
            if await wanted.evaluate("button => button === document.activeElement"):
                break
            await page.keyboard.press("Tab")
        await expect(wanted).to_be_focused()
        await page.keyboard.press("Enter")
    await expect(robin).to_contain_text("You are all set")
    await at_its_end(robin)
    await shot(page, "12-narrow-then")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize(
    ("scheme", "language", "agreement"), [("light", "", "I agree"), ("dark", "Español", "Estoy de acuerdo")]
)
async def test_everything_has_a_name_and_can_be_read(
    open_page: Opened, scheme: str, language: str, agreement: str
) -> None:
    page = await open_page(scheme=scheme)
    robin = page.get_by_test_id("phone-participant")
    await tap(robin, "Open the invitation")
    if language:
        await tap(robin, language)
    await expect(button(robin, agreement)).to_be_visible()
    assert await page.evaluate(NAMELESS) == []
    assert await page.evaluate(PALE) == []
    await shot(page, f"11-consent-{scheme}")


NAMELESS = """() => [...document.querySelectorAll("button, a, summary, input, select, textarea, img")]
  .filter((one) => !(one.textContent.trim() || one.getAttribute("aria-label") || one.alt || one.labels?.length))
  .map((one) => one.outerHTML)"""

PALE = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map((v) => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility()
      && [...one.childNodes].some((child) => child.nodeType === 3 && child.data.trim())).map((one) => {
    const [a, b] = [light(rgba(getComputedStyle(one).color)), light(ground(one))].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), one.textContent.trim().slice(0, 40)];
  }).filter(([ratio]) => ratio < 4.5);
}"""
"""Texts with less than the contrast of 4.5 to 1 that WCAG 2.2 AA asks for."""


async def test_a_week_plays_and_can_be_stopped(open_page: Opened) -> None:
    page = await open_page()
    robin = page.get_by_test_id("phone-participant")
    await join(robin)
    days = robin.locator(".day")
    await page.get_by_role("button", name="play a week").click()
    await expect(page.get_by_role("button", name="stop", exact=True)).to_have_attribute("aria-pressed", "true")
    await expect(days).to_have_count(2, timeout=15000)
    await page.get_by_role("button", name="stop", exact=True).click()
    await expect(page.get_by_role("button", name="play a week")).to_be_visible()
    await at_its_end(robin)
    await shot(page, "13-week")


async def test_who_scrolls_up_stays_there_and_who_reads_the_end_follows_it(open_page: Opened) -> None:
    page = await open_page()
    robin = page.get_by_test_id("phone-participant")
    await join(robin)
    for text in ("/help", "/settings", "/skills", "/help"):
        await type_in(robin, text)
    await expect(robin.get_by_role("article")).not_to_have_count(0)
    log = robin.get_by_role("log")
    await page.wait_for_function("log => log.scrollHeight > log.clientHeight + 200", arg=await log.element_handle())
    await at_its_end(robin)
    await log.evaluate("log => { log.scrollTop = 0; }")
    count = await robin.get_by_role("article").count()
    await page.get_by_role("button", name="to the next prompt").click()
    await expect(robin.get_by_role("article")).not_to_have_count(count)
    assert await log.evaluate("log => log.scrollTop") < 60
