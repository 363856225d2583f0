// What the rules decide on the whole video; vidmodel_tf/scoring/judge.py has the same.
"use strict";

const RANKED = ["accept", "review", "reject"]; // the worst last

// `trackOf` gives the scores that a rule watches. null: no rule says any of the three words.
function judge(policy, events, trackOf, stepSeconds, endSeconds) {
  const words = policy.rules.map((rule) => rule.decision);
  if (!policy.video.length && !words.some((word) => RANKED.includes(word))) return null;
  const decisions = [
    ...events.map((event) => event.decision),
    ...policy.video.map((rule) => decisionOnVideo(rule, trackOf(rule), stepSeconds, endSeconds)),
  ];
  return RANKED.findLast((word) => decisions.includes(word)) ?? RANKED[0];
}

function decisionOnVideo(rule, track, stepSeconds, endSeconds) {
  if (rule.reject_score !== null) {
    const seconds = secondsAtLeast(rule.reject_score, track, stepSeconds, endSeconds);
    if (seconds > rule.reject_over_seconds + TOLERANCE) return "reject";
  }
  return rule.review_score !== null && track.some((score) => score >= rule.review_score) ? "review" : null;
}

function secondsAtLeast(threshold, track, stepSeconds, endSeconds) {
  let steps = 0;
  for (const score of track) if (score >= threshold) steps++;
  const missing = track[track.length - 1] >= threshold ? track.length * stepSeconds - endSeconds : 0;
  return steps * stepSeconds - missing; // not a sum of lengths: tenths of a second do not add up to whole ones
}
