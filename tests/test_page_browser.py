"""The page in a real browser; skipped where Playwright or Chromium is not installed."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from assistant.server.service import Service
from tests.asking import APPLE, FRUIT, asking, write_notes
from tests.hostile_note import HOSTILE, NAME, QUESTION
from tests.served_page import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium")
SCREENS = Path(__file__).parent / "page_screens"
HEIGHT = 640
AUDIT = (Path(__file__).parent / "page_audit.js").read_text("utf-8")
NARROW = 900
"""Columns up to which the note covers the answer."""
DIFFERENT = 0.01
"""The part of a picture's pixels that may differ from the committed one."""
FIRST = "Which service is point to point?"
Open = Callable[..., "Page"]

if CHROMIUM is None:
    pytest.skip("Chromium is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_notes(tmp_path_factory.mktemp("browser") / "notes")
    (folder / "fruit.md").write_text(FRUIT + "\nSee [releases](release.md#going-back).\n", "utf-8")
    (folder / NAME).write_text(HOSTILE, "utf-8")
    return folder


@pytest.fixture(scope="module")
def address(notes: Path, prepared: Path) -> Iterator[str]:
    service = Service(lambda models: asking(notes, notes.parent / "index"), None, engines=2)
    service.start()
    with served(service) as made:
        yield made
    service.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="module")
def comparing(browser: Browser) -> Page:
    """An empty page that compares pictures."""
    return browser.new_page()


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Open]:
    """A page of a new browser profile; whatever goes wrong in it, or is asked of another host, fails the test."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def told(kind: str, text: str) -> None:
        if kind == "error" and "ERR_INTERNET_DISCONNECTED" not in text:  # which a test brings about
            wrong.append(text)

    def make(path: str = "/", **options: Any) -> Page:
        given: dict[str, Any] = {
            "viewport": {"width": 1024, "height": HEIGHT},
            "permissions": ["clipboard-read", "clipboard-write"],
        }
        context = browser.new_context(base_url=address, **{**given, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: told(message.type, message.text))
        page.on("dialog", lambda dialog: dialog.accept())
        page.on("request", lambda request: None if request.url.startswith(address) else wrong.append(request.url))
        page.goto(path)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not wrong


def ask(page: Page, question: str) -> None:
    page.fill("#Question", question)
    page.press("#Question", "Enter")
    asked = "question => document.querySelector('#Current .asked')?.textContent === question"
    page.wait_for_function(asked, arg=question)
    page.wait_for_function("() => !document.body.classList.contains('busy')")


def open_first_source(page: Page) -> None:
    page.locator("#Current a.source").first.click()
    page.wait_for_selector("#Pane .cited")


def test_a_question_is_answered_in_place_with_cited_lines(opened: Open) -> None:
    page = opened()
    ask(page, APPLE)
    assert "seven months in a cool cellar" in page.inner_text("#Current")
    assert page.inner_text("#Stage") == "Answered."
    assert page.url.endswith("/")
    assert page.evaluate("document.activeElement.className") == "asked"
    assert page.evaluate("document.activeElement.textContent") == APPLE
    assert page.input_value("#Question") == ""


def test_the_stages_are_told_in_a_live_region(opened: Open) -> None:
    page = opened()
    page.evaluate(
        """() => {
          window.told = [];
          const added = (record) => [...record.addedNodes].map((one) => one.textContent);
          new MutationObserver((records) => window.told.push(...records.flatMap(added)))
            .observe(document.querySelector("[role=status]"), { childList: true });
        }"""
    )
    ask(page, APPLE)
    page.wait_for_function("() => window.told.at(-1) === 'Answered.'")
    assert [text.partition(".")[0].rstrip("…") for text in page.evaluate("window.told")] == [
        *("Looking for passages", "Passages found", "Passages read", "Answered"),
    ]


def test_a_question_that_fails_stays_in_the_form(opened: Open) -> None:
    page = opened()
    page.evaluate("document.querySelector('#AskForm details').open = true")
    page.fill("[name=under]", "No such heading")
    ask(page, APPLE)
    assert "No such heading" in page.inner_text("#Current .failure")
    assert page.input_value("#Question") == APPLE
    assert page.locator("#History").is_hidden()


def test_a_citation_opens_the_note_beside_at_its_lines(opened: Open) -> None:
    page = opened()
    ask(page, APPLE)
    open_first_source(page)
    assert "An apple keeps for seven months" in page.inner_text("#Pane .cited")
    assert page.evaluate("document.activeElement.id") == "PaneTitle"
    pane, cited = page.locator("#Pane").bounding_box(), page.locator("#Pane .cited").first.bounding_box()
    assert pane is not None
    assert cited is not None
    assert pane["y"] <= cited["y"] <= pane["y"] + pane["height"]
    assert page.locator("#Current a.is-open").count() > 0
    page.click("#Pane a:text('releases')")
    page.wait_for_function("() => document.querySelector('#PaneTitle').textContent === 'release.md'")
    page.keyboard.press("Escape")
    assert page.locator("#Pane").is_hidden()
    assert "source" in page.evaluate("document.activeElement.className")


def test_back_and_forward_close_and_open_the_note(opened: Open) -> None:
    page = opened()
    ask(page, APPLE)
    open_first_source(page)
    page.go_back()
    page.wait_for_selector("#Pane", state="hidden")
    assert "seven months" in page.inner_text("#Current")
    page.go_forward()
    page.wait_for_selector("#Pane .cited")
    page.click("#PaneWhole")
    page.wait_for_selector("main .note-text .cited")
    page.go_back()
    page.wait_for_selector("#Current .answer")
    assert "seven months" in page.inner_text("#Current")


def test_a_follow_up_leans_on_the_conversation_until_a_new_topic(opened: Open) -> None:
    page = opened()
    ask(page, "What is the Apple?")
    ask(page, "How long does it keep?")
    assert "Understood as: " in page.inner_text("#Current")
    page.reload()
    ask(page, "How long does it last?")
    assert "Apple" in page.inner_text("#Current .understood")
    page.click("#NewTopic")
    ask(page, "How long does it keep?")
    assert page.locator("#Current .understood").count() == 0


def test_the_history_survives_a_reload_and_can_be_deleted(opened: Open) -> None:
    page = opened()
    ask(page, APPLE)
    ask(page, FIRST)
    page.reload()
    assert page.inner_text("#Current .asked") == FIRST
    assert page.locator("#History > details").count() == 2
    page.click(f"#History summary:text-is('{APPLE}')")
    page.wait_for_selector("#History > details[open] >> text=seven months")
    page.click("#History > details[open] >> text=Delete this question")
    assert page.locator("#History > details").count() == 1
    page.click("text=Delete history")
    page.reload()
    assert page.locator("#History").is_hidden()
    assert page.inner_text("#Current") == ""
    assert page.evaluate("localStorage.length") == 0


def test_damaged_history_is_no_obstacle(opened: Open) -> None:
    page = opened()
    for damaged in ("{", "[1, null]", '{"a": 1}', "null"):
        page.evaluate("text => localStorage.setItem('assistant.history', text)", damaged)
        page.reload()
        assert page.locator("#History").is_hidden()
    ask(page, APPLE)
    assert page.locator("#History > details").count() == 1


def test_code_and_answer_are_copied(opened: Open) -> None:
    page = opened()
    ask(page, "Show the yaml code of kind Rollout")
    page.locator("#Current figure .copy").first.click()
    page.wait_for_selector("text=Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "kind: Rollout"
    page.click("#Current .answer > .copy")
    page.wait_for_function("() => navigator.clipboard.readText().then(text => text.includes('Sources'))")
    assert "release.md:" in page.evaluate("navigator.clipboard.readText()")


def test_keys_do_all_of_it(opened: Open) -> None:
    page = opened()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "Question"
    page.keyboard.type("How is a release rolled back?/jk?")
    assert page.input_value("#Question").endswith("/jk?")
    page.keyboard.press("Shift+Enter")
    assert page.input_value("#Question").endswith("\n")
    ask(page, "How is a release rolled back?")
    links = page.locator("#Current a.cite, #Current a.source")
    page.keyboard.press("j")
    assert links.nth(0).evaluate("link => link === document.activeElement")
    page.keyboard.press("j")
    assert links.nth(1).evaluate("link => link === document.activeElement")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_selector("#Pane .cited")
    page.keyboard.press("Escape")
    assert links.nth(0).evaluate("link => link === document.activeElement")
    page.keyboard.press("?")
    assert page.locator("#Keys").is_visible()
    page.keyboard.press("?")
    assert page.locator("#Keys").is_hidden()


def test_a_hostile_note_runs_nothing(opened: Open) -> None:
    page = opened()
    ask(page, QUESTION)
    assert "basilisk" in page.inner_text("#Current") or "window.hacked" in page.inner_text("#Current")
    open_first_source(page)
    assert page.inner_text("#PaneTitle") == NAME
    page.goto("/notes")
    page.click("main a:text('onerror')")
    page.wait_for_selector(".note-text")
    assert "window.hacked = 4" in page.inner_text(".note-text")
    for link in page.locator(".note-text a").all():
        assert (link.get_attribute("href") or "").startswith("https://example.com/")
    assert page.evaluate("window.hacked") is None


def test_only_notes_are_opened_by_an_address(opened: Open) -> None:
    page = opened()
    asked = list[str]()
    page.on("request", lambda request: asked.append(request.url))
    for path in (
        "/help",
        "//example.com/x",
        "https://example.com/notes/x",
        "/notes/../help",
        "javascript:alert(1)",
        "%",
    ):
        page.evaluate("path => { location.hash = `#note=${path}`; return new Promise(requestAnimationFrame); }", path)
        assert page.locator("#Pane").is_hidden()
    assert {url for url in asked if not url.endswith("/static/icon.svg")} == set()


def test_without_javascript_links_and_forms_are_enough(opened: Open) -> None:
    page = opened(java_script_enabled=False)
    page.fill("#Question", "What is the Apple?")
    page.click("#AskButton")
    page.fill("#Question", "How long does it keep?")
    page.click("#AskButton")
    assert page.locator(".understood").count() == 1
    page.locator("a.source").first.click()
    assert "seven months" in page.inner_text(".cited")
    page.go_back()
    assert page.locator(".understood").count() == 1
    for button in page.locator("button:visible").all():
        assert button.inner_text() in ("Ask",)


def test_a_server_that_is_gone_is_named(opened: Open) -> None:
    page = opened()
    page.fill("#Question", APPLE)
    page.context.set_offline(True)
    page.press("#Question", "Enter")
    page.wait_for_selector("text=The server cannot be reached.")
    assert page.input_value("#Question") == APPLE


def test_the_theme_follows_the_system_until_it_is_switched(opened: Open) -> None:
    page = opened(color_scheme="dark")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(paper)
    page.click("#ThemeSwitch")
    light = page.evaluate(paper)
    assert dark != light
    page.reload()
    assert page.evaluate(paper) == light
    assert page.locator("#ThemeSwitch").get_attribute("aria-label") == "Dark theme"


def test_less_motion_is_honoured(opened: Open) -> None:
    moves = "getComputedStyle(document.querySelector('#Stage'), '::before').animationName"
    for wish, name in (("reduce", "none"), ("no-preference", "pulse")):
        page = opened(reduced_motion=wish)
        page.evaluate("document.body.classList.add('busy')")
        assert page.evaluate(moves) == name


def check_accessible(page: Page) -> None:
    assert page.evaluate(AUDIT) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_names_contrast_and_order_are_as_a_screen_reader_needs_them(opened: Open, scheme: str) -> None:
    page = opened(color_scheme=scheme)
    for question in (FIRST, "Who makes the best espresso?", "Show the yaml code of kind Rollout"):
        ask(page, question)
        check_accessible(page)
    open_first_source(page)
    check_accessible(page)
    roles = page.locator("body").aria_snapshot()
    for role in ("- banner", "- main", '- navigation "Pages"', "- complementary", "- status", 'textbox "Question"'):
        assert role in roles
    for path in ("/notes", "/help", "/notes/release.md?from=7&to=8"):
        page.goto(path)
        check_accessible(page)


def test_focus_is_seen_wherever_it_goes(opened: Open) -> None:
    page = opened()
    ask(page, APPLE)
    page.goto("/")
    seen = 0
    for _ in range(12):
        page.keyboard.press("Tab")
        seen += page.evaluate("getComputedStyle(document.activeElement).outlineWidth === '3px'")
    assert seen == 12


def test_nothing_is_wider_than_a_small_screen(opened: Open) -> None:
    page = opened(viewport={"width": 360, "height": HEIGHT})
    wide = "document.documentElement.scrollWidth > innerWidth"
    for question in (QUESTION, "How is a release rolled back?"):
        ask(page, question)
        assert not page.evaluate(wide)
    open_first_source(page)
    assert page.locator("#Pane").bounding_box() == {"x": 0, "y": 0, "width": 360, "height": HEIGHT}
    for path in ("/notes", "/help", "/notes/release.md"):
        page.goto(path)
        assert not page.evaluate(wide)


def test_cited_lines_of_code_stay_lines(opened: Open) -> None:
    lines = HOSTILE.split("\n")
    first = lines.index("</code></pre><script>window.hacked = 17</script>") + 1
    page = opened(f"/notes/{quote(NAME)}?from={first}&to={first + 1}")
    rows: list[Any] = [row.bounding_box() for row in page.locator("pre .cited").all()]
    assert len(rows) == 2
    assert rows[0]["x"] == rows[1]["x"]
    assert rows[0]["y"] + rows[0]["height"] == pytest.approx(rows[1]["y"], abs=1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1024, 1600])
def test_screens_look_as_they_did(
    opened: Open, browser: Browser, comparing: Page, request: pytest.FixtureRequest, width: int, scheme: str
) -> None:
    """Compared where the browser and its fonts are those that the pictures were made with."""
    page = opened(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    ask(page, "How is a release rolled back?")
    shown = {} if width > NARROW else {"answer": page.screenshot(animations="disabled", caret="hide")}
    open_first_source(page)
    shown["note"] = page.screenshot(animations="disabled", caret="hide")
    drawn = "".join(page.evaluate(FONTS, family) for family in ("system-ui", "monospace"))
    made_with, environment = SCREENS / "made-with.txt", f"Chromium {browser.version}\n{drawn}"
    if request.config.getoption("update_snapshots", default=False):
        SCREENS.mkdir(exist_ok=True)
        made_with.write_text(environment, "utf-8")
        for name, picture in shown.items():
            (SCREENS / f"{name}-{width}-{scheme}.png").write_bytes(picture)
    if made_with.read_text("utf-8") != environment:
        pytest.skip("the pictures were made with another browser or other fonts")
    for name, picture in shown.items():
        before = (SCREENS / f"{name}-{width}-{scheme}.png").read_bytes()
        sent = [base64.b64encode(one).decode() for one in (before, picture)]
        assert comparing.evaluate(COMPARE, sent) <= DIFFERENT, f"{name} has changed: renew it with --snapshot-update"


FONTS = """(family) => {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `16px ${family}`;
  return `${family} ${pen.measureText("The quick brown fox, 0123456789 [4] ████░").width.toFixed(3)}\\n`;
}"""
COMPARE = """async (pictures) => {
  const [one, other] = await Promise.all(pictures.map(async (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
    pen.drawImage(image, 0, 0);
    return pen.getImageData(0, 0, image.width, image.height);
  }));
  if (one.width !== other.width || one.height !== other.height) return 1;
  let different = 0;
  for (let at = 0; at < one.data.length; at += 4) {
    const apart = [0, 1, 2].some((band) => Math.abs(one.data[at + band] - other.data[at + band]) > 24);
    different += apart;
  }
  return different / (one.width * one.height);
}"""
