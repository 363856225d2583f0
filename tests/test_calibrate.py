from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.labelled_videos import FIGHT, labelled_video, timed_scores
from tests.test_measure_timelines import document
from vidmodel_tf.cli import main
from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.calibrate import calibrate
from vidmodel_tf.scoring.choose_rule import choose_rule, held_out_counts
from vidmodel_tf.scoring.compare_rules import compare_rules
from vidmodel_tf.scoring.event_counts import count_events, f1, false_alarms_per_hour, miss_rate
from vidmodel_tf.scoring.event_metrics import event_metrics
from vidmodel_tf.scoring.find_events import find_events
from vidmodel_tf.scoring.policy import Policy, load_policy
from vidmodel_tf.scoring.rule import Rule
from vidmodel_tf.scoring.rule_grid import events_of_rules, rule_grid
from vidmodel_tf.scoring.truth import HeadLabel
from vidmodel_tf.timelines.document import write_document

DEFAULT = Rule(name="fight", head="label", label="fight")
TRACKS = st.lists(st.integers(0, 20), min_size=1, max_size=60).map(lambda track: [score / 20 for score in track])


def video(seed, level=0.9, num_events=6, false_alarms=0):
    """A video of 200 steps: true events at `level`, some false ones of 2 steps at 0.75, noise below 0.3."""
    random = np.random.default_rng(seed)
    starts = np.sort(random.choice(np.arange(4, 190, 12), num_events + false_alarms, replace=False))
    is_false = np.isin(np.arange(len(starts)), random.permutation(len(starts))[:false_alarms])
    track = random.uniform(0, 0.3, 200)
    ranges = []
    for start, false in zip(starts.tolist(), is_false, strict=True):
        length = 2 if false else int(random.integers(3, 7))
        track[start : start + length] = 0.75 if false else level
        if not false:
            ranges.append((float(start), float(start + length)))
    return labelled_video(track, ranges, name=f"{seed}.mp4")


# === Events of many rules ===


@settings(deadline=None, max_examples=25)
@given(TRACKS, st.sampled_from([0.125, 2.002 / 16, 0.5, 1.0]), st.floats(0, 0.99))
def test_the_events_of_many_rules_are_those_of_find_events(track, step, part):
    scores = timed_scores(track, step, (len(track) - part) * step)  # the last step may be shorter
    rules = rule_grid(DEFAULT)[::41]
    for rule, (times, event_scores) in zip(rules, events_of_rules(scores, rules), strict=True):
        events = find_events(scores, Policy((rule,)))
        assert times == [(event.start_seconds, event.end_seconds) for event in events]
        assert event_scores == [event.score for event in events]


def test_times_that_are_equal_but_for_rounding_are_equal():
    rule = dataclasses.replace(DEFAULT, min_seconds=1.0, gap_seconds=1.0)
    for first in range(40):
        # 0.5 s and, after 1 s, another 0.5 s: one event. After 2 s more, 1 s: an event just long enough.
        track = np.full(100, 0.1)
        for start, stop in ((0, 5), (15, 20), (40, 50)):
            track[first + start : first + stop] = 0.9
        scores = timed_scores(track, 0.1)
        ((times, _),) = events_of_rules(scores, [rule])
        assert times == [(event.start_seconds, event.end_seconds) for event in find_events(scores, Policy((rule,)))]
        assert len(times) == 2


def test_the_grid_begins_with_the_default_and_what_is_like_it():
    rules = rule_grid(DEFAULT)
    assert rules[0] == DEFAULT and len(set(rules)) == len(rules) > 400
    near = [(rule.on, rule.off, rule.min_seconds, rule.gap_seconds) for rule in rules[1:9]]
    assert (0.6, 0.4, 1.0, 2.0) in near and (0.7, 0.4, 1.0, 1.0) in near
    assert max(abs(on - 0.6) for on, *_ in near) < 0.11


# === Counts ===


def test_counts_give_the_figures_that_are_measured_on_events():
    videos = [video(seed, level=0.7, false_alarms=2) for seed in range(3)]
    rules = rule_grid(DEFAULT)[::50]
    for rule, counts in zip(rules, count_events(videos, rules).sum(axis=1), strict=True):
        figures = event_metrics(videos, rule)
        assert f1(counts) == pytest.approx(figures.f1[0.5])
        assert miss_rate(counts) == pytest.approx(figures.missed / figures.num_true)
        assert false_alarms_per_hour(counts) == pytest.approx(figures.false_alarms_per_hour)


# === Choosing ===


def counts_of(*rows):
    """Rows of (matched, events, true, missed, false alarms), an hour of video."""
    return np.array([(*row, 3600) for row in rows], float)


def test_the_highest_f1_is_chosen_and_the_first_of_equal_ones():
    assert choose_rule(counts_of((5, 10, 10, 2, 3), (8, 12, 10, 1, 4), (8, 12, 10, 0, 0)), None) == 1
    assert choose_rule(counts_of((0, 0, 0, 0, 0), (0, 0, 0, 0, 0)), None) == 0  # nothing to find, nothing found


def test_under_a_limit_the_fewest_missed_are_chosen_then_the_highest_f1():
    rows = counts_of((9, 20, 10, 0, 11), (5, 8, 10, 4, 2), (6, 8, 10, 3, 2), (7, 8, 10, 3, 3), (7, 8, 10, 3, 3))
    assert choose_rule(rows, 3) == 3
    assert choose_rule(rows, 2) == 2
    assert choose_rule(rows, 20) == 0
    assert choose_rule(rows, 1) == 2  # none keeps the limit: the fewest false alarms, then the fewest missed


def test_a_rule_for_a_video_does_not_depend_on_that_video():
    random = np.random.default_rng(0)
    counts = random.integers(1, 20, (7, 6, 6)).astype(float)
    counts[:, :, 5] = np.arange(7)[:, np.newaxis]  # the last column is handed through: here the number of the rule
    chosen = held_out_counts(counts, None)[:, 5]
    for index in range(6):
        changed = counts.copy()
        changed[:, index, :5] = random.integers(1, 1000, (7, 5))
        assert held_out_counts(changed, None)[index, 5] == chosen[index]
        assert not np.array_equal(held_out_counts(changed, None)[:, 5], chosen)  # but those of others do


def test_intervals_are_those_of_a_bootstrap_over_videos():
    from scipy.stats import bootstrap

    random = np.random.default_rng(0)
    default, chosen = random.integers(20, 40, (2, 15, 6)).astype(float)
    default[:, 0], chosen[:, 0] = random.integers(0, 15, 15), random.integers(8, 20, 15)
    compared = compare_rules(default, chosen, None)

    def gain(indices):
        return f1(chosen[indices].sum(axis=0)) - f1(default[indices].sum(axis=0))

    # Expanded for 15 videos: beyond 1.03510 * 2.14479 standard deviations lies 0.0132 of a normal distribution.
    low, high = bootstrap(
        (np.arange(15),),
        gain,
        vectorized=False,
        n_resamples=3000,
        confidence_level=1 - 2 * 0.0132,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert compared.gain.value == pytest.approx(gain(np.arange(15)))
    assert compared.gain.interval_95 == pytest.approx((low, high), abs=0.02)
    assert compared.is_better == (low > 0)
    assert compare_rules(default, chosen, 5).gain.value == pytest.approx(
        miss_rate(default.sum(axis=0)) - miss_rate(chosen.sum(axis=0))
    )


def test_with_few_videos_the_interval_goes_from_the_worst_to_the_best():
    default, chosen = np.full((2, 4, 6), 10.0)
    chosen[:, 0] = [9, 10, 11, 12]
    gains = 2 * chosen[:, 0] / 20 - 1
    assert compare_rules(default, chosen, None).gain.interval_95 == pytest.approx((gains.min(), gains.max()))


# === The whole ===


def test_a_clearly_better_rule_is_chosen():
    videos = [video(seed, level=0.55) for seed in range(5)]  # below the default's 0.6: it finds nothing
    result = calibrate(videos, [FIGHT])
    (label,) = result.labels
    assert label.num_true == 30
    assert 0.3 <= label.rule.on <= 0.5 and label.rule == label.best_rule
    assert result.policy.rules == (label.rule,)
    assert label.held_out.default.f1.value == 0.0 and label.held_out.chosen.f1.value > 0.95
    assert label.held_out.gain.interval_95[0] > 0.9
    assert label.reason == "its F1 is better than the default's"


def test_the_default_is_kept_where_the_choice_cannot_be_told_apart():
    # Scores that say nothing: what looks best on some videos is chance.
    random = np.random.default_rng(0)
    videos = []
    for _ in range(6):
        track = np.convolve(random.uniform(0, 1, 202), [0.25, 0.5, 0.25], "valid")
        starts = random.choice(np.arange(0, 190, 12), 8, replace=False)
        videos.append(labelled_video(track, [(float(start), float(start + 5)) for start in sorted(starts)]))
    (label,) = calibrate(videos, [FIGHT]).labels
    assert label.rule == DEFAULT != label.best_rule
    assert label.held_out.gain.interval_95[0] <= 0
    assert "cannot be told apart from the default's, or is worse: the default is kept" in label.reason


def test_the_default_is_kept_where_it_is_the_best():
    (label,) = calibrate([video(seed) for seed in range(5)], [FIGHT]).labels
    assert label.rule == label.best_rule == DEFAULT
    assert label.reason == "the default is the best rule"
    assert label.held_out.gain.value == 0.0


def test_a_limit_of_false_alarms_is_kept():
    videos = [video(seed, false_alarms=3) for seed in range(5)]  # 2 s at 0.75; the true ones have 0.9
    (plain,) = calibrate(videos, [FIGHT], most_false_alarms_per_hour=1000).labels
    assert plain.rule == DEFAULT
    (label,) = calibrate(videos, [FIGHT], most_false_alarms_per_hour=1).labels
    assert label.rule.on > 0.75 or label.rule.min_seconds > 2
    assert label.held_out.chosen.false_alarms_per_hour.value == 0.0
    assert label.held_out.chosen.miss_rate.value == 0.0
    assert label.held_out.default.false_alarms_per_hour.value == pytest.approx(3 * 5 * 3600 / 1000)
    assert label.reason == "the default has more than 1 false alarms an hour"


def test_a_limit_that_no_rule_keeps_is_said():
    always = [labelled_video(np.full(60, 0.96)) for _ in range(2)]
    (label,) = calibrate(
        [*always, *(video(seed, num_events=8) for seed in range(4))], [FIGHT], most_false_alarms_per_hour=0
    ).labels
    assert label.rule == DEFAULT
    assert label.reason == "the default is the best rule, but every rule has more than 0 false alarms an hour"


def test_a_limit_that_is_not_kept_on_held_out_videos_is_said():
    # One video has false alarms that only the highest threshold avoids: rules chosen without it do not.
    odd = video(9, num_events=0)
    odd.scores.heads["label"].scores[50:60, 1] = 0.92
    videos = [odd, *(video(seed, level=0.99, num_events=10, false_alarms=1) for seed in range(3))]
    (label,) = calibrate(videos, [FIGHT], most_false_alarms_per_hour=1).labels
    assert label.rule.on == 0.95
    assert label.reason == (
        "the default has more than 1 false alarms an hour; on held-out videos the chosen rule has more, too"
    )


def test_too_few_videos_or_events_are_refused_with_how_many_there_are():
    with pytest.raises(
        InputError, match=r"at least 4 videos and .* 30 true events .* 3 videos; true events: 33 of 'fight'"
    ):
        calibrate([video(seed, num_events=11) for seed in range(3)], [FIGHT])
    with pytest.raises(
        InputError, match=r"Received: 4 videos; true events: 28 of 'fight', 0 of 'calm'; use the default"
    ):
        calibrate([video(seed, num_events=7) for seed in range(4)], [FIGHT, HeadLabel("label", "calm")])


def test_a_class_with_too_few_events_gets_the_default_rule():
    result = calibrate([video(seed) for seed in range(5)], [FIGHT, HeadLabel("label", "calm")])
    calm = result.labels[1]
    assert calm.rule == Rule(name="calm", head="label", label="calm")
    assert calm.reason == "0 true events are too few to choose on: the default is kept"
    assert calm.held_out is None
    assert [rule.name for rule in result.policy.rules] == ["fight", "calm"]


# === The command ===


@pytest.fixture
def folder(tmp_path):
    """Six timelines and their truth; the scores of events are below the default's threshold."""
    rows = ["path,start_seconds,end_seconds,head,label"]
    for index in range(6):
        each = video(index, level=0.55)
        made = dataclasses.replace(document(f"/x/{index}.mp4"), scores=each.scores)
        made = dataclasses.replace(made, video=dataclasses.replace(made.video, duration_seconds=200.0))
        write_document(tmp_path / "timelines" / f"{index}.timeline.json", made)
        rows += [f"{index}.mp4,{start},{end},label,fight" for start, end in each.true_ranges(FIGHT)]
    (tmp_path / "truth.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "timelines" / ".half.timeline.json").write_text("{", encoding="utf-8")
    return tmp_path


def arguments(folder, *more):
    return ["calibrate", str(folder / "timelines"), "--truth", str(folder / "truth.csv"), *more]


def test_the_command_writes_a_policy_that_finds_more(folder, capsys):
    out = folder / "made" / "policy.json"
    assert main(arguments(folder, "--out", str(out))) == 0
    printed = capsys.readouterr().out
    assert "rules, from 6 videos, 0.33 hours" in printed
    assert "its F1 is better than the default's" in printed and f"wrote {out}" in printed
    (rule,) = load_policy(out).rules
    assert rule.on < 0.6
    assert len(find_events(video(0, level=0.55).scores, load_policy(out))) == 6


def test_the_json_says_all(folder, capsys):
    out = folder / "policy.json"
    assert main(arguments(folder, "--out", str(out), "--json", "--false-alarms-per-hour", "2")) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["num_videos"] == 6 and value["most_false_alarms_per_hour"] == 2.0
    assert value["policy"] == json.loads(out.read_text(encoding="utf-8"))
    (label,) = value["labels"]
    assert label["num_true"] == 36 and label["rule"]["on"] == value["policy"]["rules"][0]["on"]
    assert label["held_out"]["default"]["miss_rate"]["value"] == 1.0
    assert len(label["held_out"]["gain"]["interval_95"]) == 2


def test_nothing_is_written_where_there_is_too_little(folder, capsys):
    for path in sorted((folder / "timelines").glob("[3-5]*")):
        path.unlink()
    out = folder / "policy.json"
    assert main(arguments(folder, "--out", str(out))) == 2
    assert "Received: 3 videos; true events: 18 of 'fight'" in capsys.readouterr().err
    assert not out.exists()


def test_wrong_arguments_are_refused(folder, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments(folder, "--out", "x", "--false-alarms-per-hour", "-1"))
    assert caught.value.code == 2
    assert "expected a number of 0 or more. Received: '-1'" in capsys.readouterr().err
    (folder / "empty").mkdir()
    assert main(["calibrate", str(folder / "empty"), "--truth", str(folder / "truth.csv"), "--out", "x"]) == 2
    assert "expected NAME.timeline.json files, as `vidmodel timeline` leaves them" in capsys.readouterr().err
