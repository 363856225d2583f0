import base64
import json
import re
import shutil
import time
from importlib import resources

import av
import numpy as np
import pytest

from tests.videos import write_timed_video, write_video
from vidmodel_tf.errors import InputError
from vidmodel_tf.pages.timeline_page import relative_href, render_timeline_page
from vidmodel_tf.scoring.find_events import find_events
from vidmodel_tf.scoring.judge import judge
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.timed_scores import TimedScores
from vidmodel_tf.storage import write_text
from vidmodel_tf.timelines.document import Document, ModelFacts, Shot, TimelineSettings, VideoFacts

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
STEP_SECONDS, DURATION_SECONDS = 0.25, 40.0
DESK = {"width": 1280, "height": 1000}
FILE_NAME = "打架 100% <∕script> \"'& #1.mp4"
LABEL = "打架 </script><img src=x onerror=alert(1)> \"'&"
TIME = "Number(document.getElementById('now').dataset.seconds)"


def example_track() -> np.ndarray:
    """[160]: 0.9 from 10 s to 15 s and from 25 s to 30 s, with peaks at 11.25 s and 27.5 s; else 0.1."""
    track = np.full(160, 0.1)
    track[40:60] = track[100:120] = 0.9
    track[45] = track[110] = 0.95
    return track


def two_classes(track) -> TimedScores:
    scores = np.stack([track, 1 - np.asarray(track)], axis=1)
    return TimedScores.of(STEP_SECONDS, DURATION_SECONDS, {"label": ("fight", "other")}, {"label": scores})


def make_policy(*rules, video=()) -> Policy:
    """Rules that say what they change; each watches `fight` of `label` unless it says so."""
    rules = [{"name": f"rule {i}", "head": "label", "label": "fight", **rule} for i, rule in enumerate(rules)]
    return Policy.from_json({"version": 1, "rules": rules, "video": list(video)})


POLICY = make_policy({"name": "Fights", "decision": "review"})


def make_document(path, scores, policy) -> dict:
    duration = scores.duration_seconds
    return Document(
        VideoFacts(str(path), "0" * 64, duration, 400, 96, 72),
        ModelFacts("/secret/runs/fights", "abc"),
        TimelineSettings(2.0, 0.5, scores.step_seconds, "shots"),
        scores,
        shots=(Shot(0.0, duration / 2), Shot(duration / 2, duration)),
        events=find_events(scores, policy),
        decision=judge(scores, policy).decision,
    ).to_json()


def write_page(folder, video, scores=None, policy=POLICY, **changes):
    """Writes the page of a video into a folder of its own and returns its path."""
    document = make_document(video, scores or two_classes(example_track()), policy) | changes
    out = folder / "out"
    out.mkdir(exist_ok=True)
    write_text(
        out / "page.html", render_timeline_page(document, relative_href(video, out), policy=policy and policy.to_json())
    )
    return out / "page.html"


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Of 40 seconds, with a name that must be quoted in URLs and in HTML."""
    path = tmp_path_factory.mktemp("films") / FILE_NAME
    return write_timed_video(path, [i / 10 for i in range(400)], options={"g": "10"})


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def tab(browser):
    """The errors of its pages are added to `tab.errors`."""
    tab = browser.new_page(viewport=DESK)
    tab.errors = []
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    tab.on("dialog", lambda dialog: tab.errors.append(dialog.message))
    tab.on("request", lambda request: request.url.startswith(("file:", "blob:")) or tab.errors.append(request.url))
    return tab


@pytest.fixture
def open_page(tab):
    """A function that opens a page and waits for its video; no page may raise, or ask for more than files."""

    def open_page(path, ready="readyState >= 1"):
        tab.goto(path.as_uri())
        wait_until(tab, f"document.getElementById('video').{ready}")
        return tab

    yield open_page
    errors, tab.errors = tab.errors, []
    assert errors == []


def wait_until(page, condition, seconds=20.0):
    """`page.wait_for_function` evaluates texts, which the page forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"{condition} did not come true"
        page.wait_for_timeout(20)


@pytest.fixture
def page(video, tmp_path, open_page):
    """The page of the example, with a video that plays."""
    return open_page(write_page(tmp_path, video))


def position(page) -> float:
    """Where the video is, which is also what the page says."""
    wait_until(page, "!document.getElementById('video').seeking")
    wait_until(page, f"Math.abs({TIME} - document.getElementById('video').currentTime) < 0.01")
    return page.evaluate(TIME)


def x_of(page, seconds, start=0.0, end=DURATION_SECONDS) -> tuple[float, float]:
    plot = page.locator(".u-over").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    return box["x"] + box["width"] * (seconds - start) / (end - start), box["y"] + box["height"] / 3


def rows(page) -> list[list[str]]:
    """The texts of the table's cells."""
    return page.evaluate(
        "[...document.querySelectorAll('#events tbody tr')].map(row => [...row.cells].map(cell => cell.innerText))"
    )


def events_shown(page) -> list[dict]:
    """The events in the table, exactly."""
    return page.evaluate("page.events")


def set_number(page, key, value, rule=0):
    field = page.locator(f"#rule-{rule}-{key}")
    field.fill(str(value))
    field.press("Enter")


# What Python makes


def test_no_name_ends_the_script(video):
    document = make_document(video, two_classes(example_track()), POLICY)
    document = json.loads(json.dumps(document).replace("fight", "</script><!--<script>"))
    text = render_timeline_page(document, "x.mp4")
    assert text.count("</script>") == text.count("<script") == 3


def test_every_part_is_in_the_page(video):
    text = render_timeline_page(make_document(video, two_classes(example_track()), POLICY), "x.mp4")
    folder = resources.files("vidmodel_tf.pages") / "timeline"
    parts = [part for part in folder.iterdir() if part.name != "template.html"]
    assert len(parts) > 10
    for part in parts:
        assert part.read_text(encoding="utf-8").strip() in text, part.name


def test_no_folder_of_this_computer_is_in_the_page(video):
    text = render_timeline_page(make_document(video, two_classes(example_track()), POLICY), "x.mp4")
    assert "/secret" not in text
    assert str(video.parent) not in text


def test_scores_are_exact():
    track = np.arange(10_001) / 10_000
    scores = TimedScores.of(1.0, 10_001.0, {"label": ("fight", "other")}, {"label": np.stack([track, track[::-1]], 1)})
    text = render_timeline_page(make_document("a.mp4", scores, POLICY), "a.mp4")
    data = json.loads(re.search(r'type="application/json">(.*?)</script>', text, re.DOTALL).group(1))
    encoded = data["heads"][0]["scores"]
    units = np.stack([np.frombuffer(base64.b64decode(one), "<u2") for one in encoded], axis=1)
    np.testing.assert_array_equal(units / 10_000, scores.heads["label"].scores)


def test_scores_that_the_page_cannot_hold():
    document = make_document("a.mp4", two_classes(example_track()), POLICY)
    for score in (0.12345, 1.5, -0.1):
        document["heads"]["label"]["scores"][3][0] = score
        with pytest.raises(InputError, match="scores from 0 to 1, rounded to 4 places"):
            render_timeline_page(document, "a.mp4")


def test_policy_of_another_model():
    document = make_document("a.mp4", two_classes(example_track()), POLICY)
    other = make_policy({"name": "Falls", "label": "fall"}).to_json()
    with pytest.raises(InputError, match=r"rule 'Falls'.*\(label: fight\|other\).*Received: 'label', 'fall'"):
        render_timeline_page(document, "a.mp4", policy=other)


@pytest.mark.parametrize(("part", "missing"), [("rules", "on"), ("rules", "decision"), ("video", "review_score")])
def test_policy_with_defaults_left_out(part, missing):
    document = make_document("a.mp4", two_classes(example_track()), POLICY)
    video = {"name": "whole", "head": "label", "label": "fight", "review_score": 0.5}
    policy = make_policy({}, video=[video]).to_json()
    del policy[part][0][missing]
    with pytest.raises(InputError, match=rf"every setting of a rule, as `Policy.to_json`.*Missing: \['{missing}'\]"):
        render_timeline_page(document, "a.mp4", policy=policy)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("a b.avi", "ffmpeg -i 'a b.avi' -c:v libx264 -pix_fmt yuv420p 'a b.h264.mp4'"),
        ("-y.mp4", "ffmpeg -i ./-y.mp4 -c:v libx264 -pix_fmt yuv420p ./-y.h264.mp4"),
    ],
)
def test_command_to_convert(name, command):
    text = render_timeline_page(make_document(f"/a/{name}", two_classes(example_track()), POLICY), "x")
    assert json.dumps(command, ensure_ascii=False) in text


@pytest.mark.parametrize(
    ("video", "folder", "href"),
    [
        ("/a/b.mp4", "/a", "b.mp4"),
        ("/a/b c#?%.mp4", "/a/out", "../b%20c%23%3F%25.mp4"),
        ("/a/x:y.mp4", "/a", "x%3Ay.mp4"),
        ("/a/打.mp4", "/a", "%E6%89%93.mp4"),
        ("/a/\udcff.mp4", "/a", "%FF.mp4"),
    ],
)
def test_relative_href(video, folder, href):
    assert relative_href(video, folder) == href


# Going to a time


def test_click_on_the_curve(page):
    page.mouse.click(*x_of(page, 22.0))
    assert position(page) == pytest.approx(22.0, abs=0.1)


def test_drag_zooms_and_a_click_then_means_the_time_below_it(page):
    page.mouse.move(*x_of(page, 20.0))
    page.mouse.down()
    page.mouse.move(*x_of(page, 24.0), steps=3)
    page.mouse.up()
    assert page.evaluate(TIME) == 0
    shown = page.evaluate("[page.view.min, page.view.max]")
    assert shown == pytest.approx([20, 24], abs=0.1)
    page.mouse.click(*x_of(page, 23.0, *shown))
    assert position(page) == pytest.approx(23.0, abs=0.1)
    page.mouse.dblclick(*x_of(page, 23.0, *shown))
    assert page.evaluate("[page.view.min, page.view.max]") == [0, 40]


def test_zoom_stays_inside_the_video(page):
    page.evaluate("page.player.seek(39.5)")
    for key in "+++-":
        page.keyboard.press(key)
    assert page.evaluate("[page.view.min, page.view.max]") == pytest.approx([30, 40], abs=0.5)
    page.evaluate("page.view.pan(100)")
    assert page.evaluate("[page.view.min, page.view.max]") == [30, 40]
    page.keyboard.press("0")
    assert page.evaluate("[page.view.min, page.view.max]") == [0, 40]


def test_the_curve_crosses_the_threshold_where_the_event_begins(page):
    """Half-way between the middles of the steps 39 and 40 the line between 0.1 and 0.9 is at 0.5."""
    times, scores = page.evaluate("[0, 2].map((i) => [...page.charts[0].plot.data[i]])")
    assert np.interp(10.0, times, scores) == pytest.approx(0.5)
    assert np.interp(15.0, times, scores) == pytest.approx(0.5)


def test_row(page):
    page.locator("#events tbody tr").nth(1).click()
    assert position(page) == pytest.approx(25.0, abs=0.1)
    assert page.locator("#events tr[aria-current]").count() == 1


def test_row_by_keyboard(page):
    page.locator("#events tbody tr").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert position(page) == pytest.approx(25.0, abs=0.1)


def test_keys(page):
    for key, seconds in [
        ("ArrowRight", 1.0),
        ("Shift+ArrowRight", 11.0),
        ("ArrowLeft", 10.0),
        ("l", 20.0),
        (".", 20.25),
        (",", 20.0),
        ("j", 10.0),
        ("n", 25.0),
        ("n", 25.0),
        ("p", 10.0),
        ("Shift+ArrowLeft", 0.0),
        ("Control+l", 0.0),
    ]:
        page.keyboard.press(key)
        assert position(page) == pytest.approx(seconds, abs=0.1), key


@pytest.mark.parametrize("focused", ["body", "video", "tbody tr"])
def test_space_plays_and_pauses(page, focused):
    page.evaluate("focused => document.querySelector(focused).focus()", focused)
    page.keyboard.press(" ")
    wait_until(page, "document.getElementById('video').currentTime > 0.2")
    page.keyboard.press(" ")
    assert page.evaluate("document.getElementById('video').paused")
    assert position(page) > 0.2


def test_arrows_on_a_slider_move_the_slider(page):
    slider = page.locator("input[type=range]").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(TIME) == 0
    assert page.locator("#rule-0-on").input_value() == "0.61"


def test_question_mark_shows_the_keys(page):
    assert not page.locator("#keys").is_visible()
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("n")
    assert page.evaluate(TIME) == 0
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()


def test_everything_is_reached_by_the_tabulator(page):
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
        reached.add(page.evaluate("document.activeElement.tagName"))
    assert {"video", "previous", "next", "whole", "chip", "copy-policy", "rule-0-on", "show-keys", "TR"} <= reached


def test_playhead_stands_at_the_time(page):
    page.locator("#events tbody tr").nth(1).click()
    box = page.locator(".playhead").bounding_box()
    assert box["x"] + box["width"] / 2 == pytest.approx(x_of(page, 25.0)[0], abs=1)


# Events


def test_table(page):
    assert rows(page) == [
        ["Fights", "fight", "0:10.0", "0:15.0", "0:11.3", "0.95", "review"],
        ["Fights", "fight", "0:25.0", "0:30.0", "0:27.5", "0.95", "review"],
    ]
    assert page.locator("#decision").inner_text() == "review"
    assert page.locator("#other-rules").is_hidden()


def random_case(random):
    """Scores that wander, with a policy of two rules on events and one on the video."""
    num_steps, step = int(random.integers(1, 100)) * 4, float(random.choice([0.125, 0.1, 1 / 3, 0.0625, 0.04004]))
    wander = 0.5 + np.cumsum(random.normal(0, 0.08, (num_steps, 2)), axis=0)
    scores = np.abs((wander % 2) - 1)  # reflected at 0 and 1
    duration = num_steps * step - float(random.choice([0, step / 3]))
    rules = []
    for label in ("fight", "other"):
        on, off = sorted(random.integers(0, 101, 2) / 100)[::-1]
        lengths = [
            round(step * count, 9) for count in random.integers(0, 12, 4).tolist()
        ]  # equal to those in the scores
        rules.append({"label": label, "on": float(on), "off": float(off), "min_seconds": lengths[0]})
        rules[-1] |= {"gap_seconds": lengths[1], "pad_seconds": lengths[2:]}
        rules[-1] |= {"decision": random.choice(["accept", "review", "reject", "alarm", None])}
    video = {"name": "video", "head": "label", "label": "other", "review_score": float(random.uniform(0.5, 1))}
    if random.random() < 0.7:
        video |= {"reject_score": float(random.uniform(0.4, 1)), "reject_over_seconds": round(step * num_steps / 4, 9)}
    timed = TimedScores.of(step, duration, {"label": ("fight", "other")}, {"label": scores})
    return timed, make_policy(*rules, video=[video] if random.random() < 0.7 else [])


def test_script_has_the_rules_of_python(tmp_path, open_page):
    """A page that is told nothing of Python's events finds them, and the decision, from scores and policy."""
    random = np.random.default_rng(7)
    num_events, decisions = 0, set()
    page = open_page(write_page(tmp_path, tmp_path / "none.mp4"), ready="error !== null")
    for _ in range(50):
        scores, policy = random_case(random)
        events, decision = find_events(scores, policy), judge(scores, policy).decision
        found = page.evaluate(
            """([tracks, policy, step, end]) => {
              const trackOf = (rule) => tracks[rule.label];
              const events = policy.rules.map((rule) => findEvents(trackOf(rule), step, end, rule));
              const decided = events.flatMap((found, i) => found.map((event) => ({...event, ...policy.rules[i]})));
              return [events, judge(policy, decided, trackOf, step, end)];
            }""",
            [
                {label: scores.head("label").track(label).tolist() for label in ("fight", "other")},
                policy.to_json(),
                scores.step_seconds,
                scores.end_seconds,
            ],
        )
        keys = ("start_seconds", "end_seconds", "peak_seconds", "score")
        expected = [
            [{key: getattr(event, key) for key in keys} for event in events if event.rule == rule.name]
            for rule in policy.rules
        ]
        assert found == [expected, decision]
        num_events += len(events)
        decisions.add(decision)
    assert num_events > 100
    assert decisions == {"accept", "review", "reject", None}


def test_three_tenths_are_not_longer_than_three_tenths(tmp_path, open_page):
    """0.1 + 0.1 + 0.1 is more than 0.3 in floating point."""
    track = np.array([0.9, 0.9, 0.9, 0.1])
    timed = TimedScores.of(0.1, 0.4, {"label": ("fight", "other")}, {"label": np.stack([track, 1 - track], 1)})
    rule = {"name": "whole", "head": "label", "label": "fight", "reject_score": 0.8, "reject_over_seconds": 0.3}
    policy = make_policy({"on": 0.95}, video=[rule])
    assert judge(timed, policy).decision == "accept"
    page = open_page(write_page(tmp_path, tmp_path / "none.mp4", timed, policy), ready="error !== null")
    set_number(page, "on", 0.96)
    assert page.locator("#decision").inner_text() == "accept"


def test_script_gives_the_shared_cases(tmp_path, open_page, request):
    cases = json.loads((request.path.parent / "data" / "event_cases.json").read_text(encoding="utf-8"))
    page = open_page(write_page(tmp_path, tmp_path / "none.mp4"), ready="error !== null")
    assert len(cases) > 10
    for case in cases:
        end = min(len(case["scores"]) * case["step_seconds"], case["duration_seconds"] or np.inf)
        arguments = [case["scores"], case["step_seconds"], end, case["rule"]]
        assert page.evaluate("(given) => findEvents(...given)", arguments) == case["events"], case["name"]


def test_sliders_draw_the_events_anew(tmp_path, open_page):
    random = np.random.default_rng(3)
    scores, policy = random_case(random)
    while len(find_events(scores, policy)) < 4:
        scores, policy = random_case(random)
    page = open_page(write_page(tmp_path, tmp_path / "none.mp4", scores, policy), ready="error !== null")
    assert page.locator("#other-rules").is_hidden()
    assert events_shown(page) == [event.to_json() for event in find_events(scores, policy)]
    for key, value in [("on", 0.5), ("off", 0.45), ("min_seconds", 0.3), ("gap_seconds", 0.2), ("on", 0.3)]:
        set_number(page, key, value, rule=1)
        changed = Policy.from_json(json.loads(page.evaluate("page.rulePanel.policyText()")))
        events = find_events(scores, changed)
        assert getattr(changed.rules[1], key) == value
        assert changed.rules[0] == policy.rules[0]
        assert events_shown(page) == [event.to_json() for event in events]
        assert len(rows(page)) == len(events)
        assert page.locator("#decision").inner_text() == (judge(scores, changed).decision or "")
    assert changed.rules[1].off == 0.3, "off follows where on goes below it"
    page.locator("#reset-rules").click()
    assert events_shown(page) == [event.to_json() for event in find_events(scores, policy)]


def test_many_events(tmp_path, open_page):
    """The table stops, keys and counts go on."""
    track = np.tile([0.9, 0.1], 1_500)
    timed = TimedScores.of(1.0, 3_000.0, {"label": ("fight", "other")}, {"label": np.stack([track, 1 - track], 1)})
    policy = make_policy({"gap_seconds": 0.5})
    page = open_page(write_page(tmp_path, tmp_path / "none.mp4", timed, policy), ready="error !== null")
    assert page.locator("#num-events").inner_text() == "1500"
    assert page.locator("#events tbody tr").count() == 1000
    assert page.locator("#more-events").is_visible()
    page.evaluate("page.player.seek(2500)")
    page.keyboard.press("n")
    assert page.evaluate(TIME) == 2502
    set_number(page, "min_seconds", 20)
    assert rows(page) == []
    assert page.locator("#more-events").is_hidden()


def test_nothing_is_said_of_decisions_where_there_are_none(video, tmp_path, open_page):
    page = open_page(write_page(tmp_path, video, policy=make_policy({})))
    assert page.locator("#events tbody tr").count() == 2
    assert page.get_by_text("Decision", exact=True).filter(visible=True).count() == 0


def test_the_page_forbids_requests(page):
    blocked = page.evaluate(
        """() => new Promise((resolve) => {
          addEventListener("securitypolicyviolation", (event) => resolve(event.blockedURI));
          fetch("https://example.org/").catch(() => {});
        })"""
    )
    assert blocked == "https://example.org/"


def test_slider_by_mouse(page):
    slider = page.locator("input[type=range][data-key=on]")
    box = slider.bounding_box()
    slider.click(position={"x": box["width"] * 0.98, "y": box["height"] / 2})
    assert float(page.locator("#rule-0-on").input_value()) > 0.95
    assert rows(page) == []
    assert page.locator("#no-events").is_visible()
    assert page.locator("#decision").inner_text() == "accept"


def test_copied_policy(page):
    page.evaluate("void (navigator.clipboard.writeText = async (text) => { window.copied = text; })")
    set_number(page, "on", 0.77)
    page.locator("#copy-policy").click()
    wait_until(page, "window.copied")
    copied = Policy.from_json(json.loads(page.evaluate("window.copied")))
    assert copied == make_policy({"name": "Fights", "decision": "review", "on": 0.77})


def test_policy_where_the_browser_refuses_to_copy(page):
    page.evaluate("void (navigator.clipboard.writeText = async () => { throw new Error('no'); })")
    page.locator("#copy-policy").click()
    assert Policy.from_json(json.loads(page.locator("#policy-text").input_value())) == POLICY


def test_events_of_other_rules_are_told_of(video, tmp_path, open_page):
    page = open_page(write_page(tmp_path, video, events=[]))
    assert rows(page) == []
    assert page.locator("#other-rules").is_visible()
    set_number(page, "on", 0.7)
    assert len(rows(page)) == 2
    assert page.locator("#other-rules").is_hidden()


def test_without_a_policy(tmp_path, video, open_page):
    document = make_document(video, two_classes(example_track()), POLICY)
    write_text(tmp_path / "page.html", render_timeline_page(document, relative_href(video, tmp_path)))
    page = open_page(tmp_path / "page.html")
    assert len(rows(page)) == 2
    assert page.locator("#rules-section").is_hidden()


# How it looks


def curve_is_drawn(page, class_id) -> bool:
    color = page.evaluate("id => colors.of(id)", class_id).lstrip("#")
    return page.evaluate(
        """([r, g, b]) => {
          const canvas = document.querySelector('#charts canvas');
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return data.some((_, i) => i % 4 === 0 && data[i] === r && data[i + 1] === g && data[i + 2] === b);
        }""",
        [int(color[i : i + 2], 16) for i in (0, 2, 4)],
    )


def test_legend_hides_a_curve_and_its_events(page):
    assert curve_is_drawn(page, 0)
    chip = page.get_by_role("button", name="fight")
    assert chip.get_attribute("aria-pressed") == "true"
    page.evaluate("void (page.focusedRule = () => null)")  # the lines of the thresholds have its colour too
    chip.click()
    assert chip.get_attribute("aria-pressed") == "false"
    page.wait_for_timeout(100)
    assert not curve_is_drawn(page, 0)


def test_light_and_dark(page):
    def brightness():
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", background)[:3])) / 3

    assert brightness() > 200
    light = page.evaluate("colors.of(0)")
    page.emulate_media(color_scheme="dark")
    wait_until(page, f"colors.of(0) !== '{light}'")
    assert brightness() < 60
    page.wait_for_timeout(100)
    assert curve_is_drawn(page, 0)
    page.emulate_media(color_scheme="light")


def test_names_are_text(video, tmp_path, open_page):
    labels = {"label": (LABEL, "other"), "心情": ("العربية", "x" * 80)}
    scores = np.stack([example_track(), 1 - example_track()], axis=1)
    timed = TimedScores.of(STEP_SECONDS, DURATION_SECONDS, labels, {"label": scores, "心情": scores})
    policy = make_policy({"name": LABEL, "label": LABEL}, {"name": "x" * 90, "head": "心情", "label": "x" * 80})
    page = open_page(write_page(tmp_path, video, timed, policy))
    page.set_viewport_size({"width": 380, "height": 800})
    assert page.title() == FILE_NAME
    assert page.locator("h1").inner_text() == FILE_NAME
    assert page.locator(".chip .name").first.inner_text() == LABEL
    assert page.locator("#rules .rule-name .name").first.inner_text() == LABEL
    assert LABEL in page.evaluate("page.events.map((event) => event.rule)")
    assert page.locator("h3").nth(1).inner_text() == "心情"
    wait_until(page, "page.charts[0].plot.width < 380")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size(DESK)


def test_row_shows_the_curve_that_was_hidden(tmp_path, open_page):
    scores = np.full((160, 10), 0.05)
    scores[40:60, 9] = 0.7
    labels = tuple(f"class {i}" for i in range(10))
    scores[:, :9] += np.arange(9) / 100
    scores[5, :9] = 0.9
    timed = TimedScores.of(STEP_SECONDS, DURATION_SECONDS, {"label": labels}, {"label": scores})
    rules = [{"name": label, "label": label} for label in labels]
    page = open_page(write_page(tmp_path, tmp_path / "none.mp4", timed, make_policy(*rules)), ready="error !== null")
    chip = page.get_by_role("button", name="class 9")
    assert chip.get_attribute("aria-pressed") == "false"
    page.locator("#events tbody tr").first.click()
    assert chip.get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("num_steps", [0, 1])
def test_hardly_any_scores(tmp_path, open_page, num_steps):
    timed = two_classes(np.full(num_steps, 0.9))
    page = open_page(write_page(tmp_path, tmp_path / "none.mp4", timed), ready="error !== null")
    page.mouse.click(*x_of(page, 30.0))
    assert page.evaluate(TIME) == pytest.approx(30.0, abs=0.1)


# Videos that do not play


def assert_works_without_pictures(page):
    assert page.locator("#unplayable").is_visible()
    assert "ffmpeg -i" in page.locator("#convert").inner_text()
    page.mouse.click(*x_of(page, 22.0))
    assert page.evaluate(TIME) == pytest.approx(22.0, abs=0.1)
    page.locator("#events tbody tr").first.click()
    assert page.evaluate(TIME) == 10.0
    page.keyboard.press("ArrowRight")
    assert page.evaluate(TIME) == 11.0


@pytest.mark.parametrize("name", ["opencv.mp4", "old.avi", "missing.mp4"])
def test_unplayable(tmp_path, open_page, name, video):
    if not name.startswith("missing"):
        write_video(tmp_path / name)
    page = open_page(write_page(tmp_path, tmp_path / name), ready="error !== null")
    assert_works_without_pictures(page)
    page.locator("#other-video").set_input_files(video)
    wait_until(page, "document.getElementById('video').readyState >= 1")
    assert page.locator("#unplayable").is_hidden()
    assert page.locator("video").is_visible()
    assert position(page) == pytest.approx(11.0, abs=0.1)


def test_another_video_is_told_of(tmp_path, video, open_page):
    page = open_page(write_page(tmp_path, video))
    assert page.locator("#other-length").is_hidden()
    other = write_timed_video(tmp_path / "other.mp4", [i / 10 for i in range(300)])
    page = open_page(write_page(tmp_path, other))
    assert "it lasts 0:30.0, the one that was scored 0:40.0" in page.locator("#other-length").inner_text()


def test_sound_without_pictures(tmp_path, open_page):
    """Chromium plays the sound of such a file and raises no error."""
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        pictures, sound = container.add_stream("mpeg4", rate=10), container.add_stream("aac", rate=48_000)
        pictures.width, pictures.height, pictures.pix_fmt = 96, 72, "yuv420p"
        for _ in range(400):
            frame = av.VideoFrame.from_ndarray(np.zeros((72, 96, 3), np.uint8), format="rgb24")
            container.mux(pictures.encode(frame))
        samples = av.AudioFrame.from_ndarray(np.zeros((2, 48_000 * 40), np.float32), format="fltp", layout="stereo")
        samples.sample_rate = 48_000
        container.mux(sound.encode(samples))
        container.mux(pictures.encode() + sound.encode())
    assert_works_without_pictures(open_page(write_page(tmp_path, path)))


@pytest.mark.slow
def test_three_hours(tmp_path, open_page):
    num_steps, step = 86_400, 0.125
    track = np.clip(
        0.5 + 0.5 * np.sin(np.arange(num_steps) / 900) + np.random.default_rng(0).normal(0, 0.03, num_steps), 0, 1
    )
    scores = np.stack([track, 1 - track], axis=1)
    timed = TimedScores.of(step, 10_800.0, {"label": ("fight", "other")}, {"label": scores})
    path = write_page(tmp_path, tmp_path / "none.mp4", timed)
    assert path.stat().st_size < 1_500_000
    page = open_page(path, ready="error !== null")
    assert events_shown(page) == [event.to_json() for event in find_events(timed, POLICY)]
    page.mouse.click(*x_of(page, 8_100.0, 0, 10_800))
    seconds_of_a_pixel = 10_800 / page.locator(".u-over").bounding_box()["width"]
    assert page.evaluate(TIME) == pytest.approx(8_100.0, abs=seconds_of_a_pixel)
    for _ in range(10):
        page.keyboard.press("+")
    shown = page.evaluate("[page.view.min, page.view.max]")
    assert shown[1] - shown[0] == pytest.approx(10_800 / 1024)
    page.mouse.click(*x_of(page, shown[0] + 3, *shown))
    assert page.evaluate(TIME) == pytest.approx(shown[0] + 3, abs=0.1)
