// The rule by which scores become events; vidmodel_tf/scoring/event_tracker.py has the same one.
"use strict";

const TOLERANCE = 1e-9; // seconds

// Events of one rule: [{start_seconds, end_seconds, peak_seconds, score}], in order.
function findEvents(track, stepSeconds, endSeconds, rule) {
  return joined(openRuns(track, stepSeconds, endSeconds, rule), rule.gap_seconds)
    .filter((run) => run.end - run.start >= rule.min_seconds - TOLERANCE)
    .map((run) => eventOf(run, track, stepSeconds, endSeconds, rule));
}

// Runs that open at `on` and last until the score falls below `off`; steps [first, last).
function openRuns(track, stepSeconds, endSeconds, rule) {
  const runs = [];
  let first = null;
  for (let i = 0; i < track.length; i++) {
    if (first === null && track[i] >= rule.on) {
      first = i;
    } else if (first !== null && track[i] < rule.off) {
      runs.push({ first, last: i, start: first * stepSeconds, end: Math.min(i * stepSeconds, endSeconds) });
      first = null;
    }
  }
  if (first !== null) {
    runs.push({ first, last: track.length, start: first * stepSeconds, end: endSeconds });
  }
  return runs;
}

function joined(runs, gapSeconds) {
  const result = [];
  for (const run of runs) {
    const before = result[result.length - 1];
    if (before && run.start - before.end <= gapSeconds + TOLERANCE) {
      before.last = run.last;
      before.end = run.end;
    } else {
      result.push(run);
    }
  }
  return result;
}

function eventOf(run, track, stepSeconds, endSeconds, rule) {
  let peak = run.first;
  for (let i = run.first; i < run.last; i++) {
    if (track[i] > track[peak]) peak = i;
  }
  return {
    start_seconds: roundSeconds(Math.max(0, run.start - rule.pad_seconds[0])),
    end_seconds: roundSeconds(Math.min(endSeconds, run.end + rule.pad_seconds[1])),
    peak_seconds: roundSeconds(peak * stepSeconds),
    score: track[peak],
  };
}

// To 3 places, halves upwards.
function roundSeconds(seconds) {
  return Math.floor(seconds * 1000 + 0.5) / 1000;
}
