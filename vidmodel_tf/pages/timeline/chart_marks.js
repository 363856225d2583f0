// What is drawn on a chart beside its curves.
"use strict";

const LEAST_WIDTH = 2; // pixels of the screen: a short event in a long video is still to be seen

function drawEvents(plot, chart) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  for (const event of chart.page.events) {
    const classId = chart.head.labels.indexOf(event.label);
    if (event.head !== chart.head.name || !chart.shown.has(classId)) continue;
    const span = spanOf(plot, event.start_seconds, event.end_seconds, LEAST_WIDTH * ratio);
    if (!span) continue;
    ctx.fillStyle = colors.of(chart.head.firstColor + classId);
    ctx.globalAlpha = 0.16;
    ctx.fillRect(span.left, bbox.top, span.width, bbox.height);
    ctx.globalAlpha = 1;
    ctx.fillRect(span.left, bbox.top - 4 * ratio, span.width, 3 * ratio);
  }
  ctx.restore();
}

// Pixels of the canvas, inside the plot; null where nothing of it is in view.
function spanOf(plot, start, end, leastWidth) {
  const { left, width } = plot.bbox;
  const from = Math.max(plot.valToPos(start, "x", true), left);
  const to = Math.min(plot.valToPos(end, "x", true), left + width);
  return from > left + width || to < left ? null : { left: from, width: Math.max(to - from, leastWidth) };
}

function drawThresholds(plot, chart) {
  const rule = chart.page.focusedRule(chart.head.name);
  if (!rule) return;
  const color = colors.of(chart.page.colorOf(rule));
  const areApart = rule.on - rule.off > 0.08; // else their words would lie on each other
  drawThreshold(plot, color, rule.on, "on", [6, 4]);
  drawThreshold(plot, color, rule.off, areApart ? "off" : "", [2, 4]);
}

function drawThreshold(plot, color, score, words, dash) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const right = bbox.left + bbox.width;
  const y = Math.round(plot.valToPos(score, "y", true));
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.globalAlpha = 0.85;
  ctx.lineWidth = ratio;
  ctx.setLineDash(dash.map((length) => length * ratio));
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(right, y);
  ctx.stroke();
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillText(words, right + 5 * ratio, y);
  ctx.restore();
}

function drawCuts(plot, cuts) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const places = cuts.map((seconds) => plot.valToPos(seconds, "x", true)).filter((x) => x >= bbox.left && x <= bbox.left + bbox.width);
  const isDense = places.length > bbox.width / (6 * ratio);
  const height = (isDense ? 3 : 7) * ratio;
  ctx.save();
  ctx.fillStyle = colors.muted;
  ctx.globalAlpha = isDense ? 0.4 : 1;
  for (const x of places) ctx.fillRect(Math.round(x), bbox.top + bbox.height - height, ratio, height);
  ctx.restore();
}
