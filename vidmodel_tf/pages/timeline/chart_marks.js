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
    ctx.fillStyle = colors.of(classId);
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
  drawThreshold(plot, rule, rule.on, [6, 4]);
  drawThreshold(plot, rule, rule.off, [2, 4]);

  function drawThreshold(plot, rule, score, dash) {
    const { ctx, bbox } = plot;
    const y = Math.round(plot.valToPos(score, "y", true));
    ctx.save();
    ctx.strokeStyle = colors.of(chart.head.labels.indexOf(rule.label));
    ctx.globalAlpha = 0.8;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }
}

function drawCuts(plot, cuts) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.fillStyle = colors.muted;
  for (const seconds of cuts) {
    const x = Math.round(plot.valToPos(seconds, "x", true));
    if (x >= bbox.left && x <= bbox.left + bbox.width) ctx.fillRect(x, bbox.top + bbox.height - 7 * ratio, ratio, 7 * ratio);
  }
  ctx.restore();
}
