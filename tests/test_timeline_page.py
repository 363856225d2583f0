import shutil

import numpy as np
import pytest

from tests.videos import write_timed_video
from vidmodel_tf.pages.timeline_page import relative_href, render_timeline_page
from vidmodel_tf.storage import write_text

CHROMIUM = shutil.which("chromium")
STEP_SECONDS = 0.25
DURATION_SECONDS = 40.0
NAME = "打架 </script><b>\"'& #1.mp4"


def scores_with_events(num_steps: int = 160) -> np.ndarray:
    """[S]: at 0.9 in steps 40 to 59 and 100 to 119 (10 s to 15 s, 25 s to 30 s), else at 0.1."""
    scores = np.full(num_steps, 0.1)
    scores[40:60] = scores[100:120] = 0.9
    scores[45] = scores[110] = 0.95
    return scores


def make_document(path, *, scores=None, label="fight", events=(), step_seconds=STEP_SECONDS, duration=DURATION_SECONDS):
    scores = scores_with_events() if scores is None else scores
    rows = [[float(score), float(np.round(1 - score, 4))] for score in scores]
    return {
        "version": 1,
        "video": {
            "path": str(path),
            "sha256": "0" * 64,
            "duration_seconds": duration,
            "num_frames": 400,
            "width": 96,
            "height": 72,
        },
        "model": {"path": "/secret/runs/fights", "fingerprint": "abc"},
        "settings": {"window_seconds": 2.0, "hop_seconds": 0.5, "step_seconds": step_seconds, "windows": "shots"},
        "heads": {"label": {"labels": [label, "other"], "scores": rows}},
        "shots": [{"start_seconds": 0.0, "end_seconds": 20.0}, {"start_seconds": 20.0, "end_seconds": 40.0}],
        "events": list(events),
        "decision": "review",
    }


def make_rule(label="fight", **settings):
    rule = {"name": label, "head": "label", "label": label, "on": 0.6, "off": 0.4, "min_seconds": 1, "gap_seconds": 1}
    return {**rule, "pad_seconds": [0, 0], "decision": "review", **settings}


def make_event(number, start_seconds, end_seconds, peak_seconds, score, label="fight"):
    return {
        "id": f"e{number}",
        "rule": label,
        "head": "label",
        "label": label,
        "start_seconds": start_seconds,
        "end_seconds": end_seconds,
        "peak_seconds": peak_seconds,
        "score": score,
        "decision": "review",
    }


EVENTS = (make_event(1, 10.0, 15.0, 11.25, 0.95), make_event(2, 25.0, 30.0, 27.5, 0.95))


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """A function that opens a page and waits for its video; no page may raise, or ask for more than files."""
    contexts, errors = [], []

    def open_page(path, video_state="readyState >= 1", **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: message.type == "error" and errors.append(message.text))
        page.on("request", lambda request: request.url.startswith("file://") or errors.append(request.url[:100]))
        page.goto(path.as_uri())
        page.wait_for_function(f"document.getElementById('video').{video_state}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Of 40 seconds, with a name that must be quoted in URLs and in HTML."""
    folder = tmp_path_factory.mktemp("films")
    path = folder / NAME.replace("/", "∕")
    return write_timed_video(path, [i / 10 for i in range(400)], options={"g": "10"})


@pytest.fixture
def page(video, tmp_path, open_page):
    policy = {"version": 1, "rules": [make_rule()], "video": []}
    html_file = tmp_path / "page.html"
    document = make_document(video, events=EVENTS)
    write_text(html_file, render_timeline_page(document, relative_href(video, tmp_path), policy=policy))
    return open_page(html_file)


def position(page) -> float:
    page.wait_for_function("!document.getElementById('video').seeking")
    return page.evaluate("document.getElementById('video').currentTime")


def click_curve(page, seconds, duration=DURATION_SECONDS):
    box = page.locator(".u-over").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] * seconds / duration, box["y"] + box["height"] / 3)


def test_click_on_the_curve_seeks(page):
    click_curve(page, 22.0)
    assert position(page) == pytest.approx(22.0, abs=0.1)
