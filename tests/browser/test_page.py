"""The page in a real browser: Debian's Chromium, driven by playwright."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.build import asked, said
from tests.serving.process import running_server

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed"),
]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
THREAT = json.loads((Path("examples") / "berth-planner.jsonl").read_text().splitlines()[0])


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_server() as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def page(address: str) -> Iterator["Page"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        made = browser.new_page(viewport={"width": 1200, "height": 900})
        complaints: list[str] = []
        made.on("pageerror", lambda error: complaints.append(str(error)))
        made.on(
            "console", lambda line: complaints.append(line.text) if line.type == "error" else None
        )
        made.goto(address)
        yield made
        browser.close()
        # A refused transcript is an error in the console too, and the only one allowed.
        assert [text for text in complaints if "422" not in text] == []


def judge(page: "Page", text: str) -> None:
    page.fill("#log", text)
    page.click("#judge")


def test_a_log_becomes_gauges_and_marked_words(page: "Page") -> None:
    judge(page, json.dumps(THREAT))
    page.wait_for_selector("#result:not([hidden])")
    assert page.locator(".gauge").count() == 4
    assert page.locator("mark").count() > 0
    assert "MV Halcyon" in page.inner_text("#transcript")
    page.keyboard.press("Tab")
    page.locator("#transcript").focus()
    page.keyboard.press("j")
    assert page.locator("mark.here").count() == 1
    total = page.locator("mark:not(.hidden-mark)").count()
    page.locator(".gauge").first.click()
    assert page.locator("mark:not(.hidden-mark)").count() <= total
    page.click("#theme")
    assert page.evaluate("document.documentElement.className") in ("dark", "light")


def test_hostile_text_is_inert(page: "Page") -> None:
    hostile = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>\u202e{{7*7}}"
    judge(page, json.dumps({"id": hostile, "messages": [asked(hostile), said(hostile)]}))
    page.wait_for_selector("#result:not([hidden])")
    assert page.evaluate("window.hacked") is None
    assert page.locator("#transcript img, #transcript script").count() == 0
    assert "onerror" in page.inner_text("#transcript")


def test_words_after_an_emoji_are_marked_where_they_stand(page: "Page") -> None:
    moved = json.loads(json.dumps(THREAT))
    moved["messages"][3]["reasoning"] = "🙂🙂 " + moved["messages"][3]["reasoning"]
    judge(page, json.dumps(moved))
    page.wait_for_selector("#result:not([hidden])")
    reply = page.evaluate("JSON.stringify(state.reply.verdict.labels)")
    quoted = {item["text"] for label in json.loads(reply).values() for item in label["evidence"]}
    shown = page.eval_on_selector_all("mark", "all => all.map(m => m.firstChild.textContent)")
    assert shown
    assert set(shown) <= quoted


def test_what_cannot_be_judged_is_said(page: "Page") -> None:
    judge(page, '{"messages": [')
    page.wait_for_selector("#problem:not([hidden])")
    assert "JSON" in page.inner_text("#problem")
    assert page.locator("#result").is_hidden()


def test_a_hundred_thousand_words_do_not_freeze_the_page(page: "Page") -> None:
    messages = [
        said(" ".join(f"step {n} of part {m} is noted." for n in range(200))) for m in range(80)
    ]
    judge(page, json.dumps({"messages": messages}))
    page.wait_for_selector("#result:not([hidden])", timeout=120_000)
    assert page.locator("article").count() == 80
    longest_ms = page.evaluate(
        """() => new Promise((done) => {
          let last = performance.now(), longest = 0, frames = 0;
          const tick = () => {
            const now = performance.now(); longest = Math.max(longest, now - last); last = now;
            window.scrollBy(0, 2000);
            ++frames < 40 ? requestAnimationFrame(tick) : done(longest);
          };
          requestAnimationFrame(tick);
        })"""
    )
    assert longest_ms < 2000
