// The curves of one head, with events, cuts and the playhead.
"use strict";

const CHART_HEIGHT = 190; // pixels
const WIDTH = 2; // pixels
const MOST_CURVES = 6; // shown at first, those with the highest scores

class Chart {
  constructor(page, head, place) {
    this.page = page;
    this.head = head;
    this.watched = new Set(page.data.rules.filter((rule) => rule.head === head.name).map((rule) => rule.label));
    this.shown = firstShown(head, this.watched);
    this.drawn = drawingOrder(head, this.watched); // class ids
    const alternative = `Scores of ${head.name} over time; the table of events says the same in words`;
    this.place = element("div", { class: "plot", role: "img", "aria-label": alternative });
    this.legend = new Legend(head, page.data.heads.length > 1, this.shown, (classId) => this.toggle(classId));
    place.append(this.legend.element, this.place);
    this.plot = new uPlot(this.#options(), this.#series(), this.place);
    this.playhead = element("div", { class: "playhead", "aria-hidden": "true" });
    this.cursorTime = element("div", { class: "cursor-time", "aria-hidden": "true" });
    this.#setWidths();
    this.plot.over.append(this.playhead, this.cursorTime);
    this.plot.over.addEventListener("click", (event) => page.player.seek(this.#timeAt(event)));
    this.plot.over.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    new ResizeObserver(() => this.resize()).observe(this.place);
  }

  toggle(classId) {
    const show = !this.shown.has(classId);
    if (show) this.shown.add(classId);
    else this.shown.delete(classId);
    this.legend.show(this.shown);
    this.plot.setSeries(this.drawn.indexOf(classId) + 1, { show });
  }

  redraw() {
    this.plot.redraw(false);
  }

  applyView() {
    this.#setWidths();
    this.plot.setScale("x", { min: this.page.view.min, max: this.page.view.max });
    this.movePlayhead();
  }

  movePlayhead() {
    const x = this.plot.valToPos(this.page.player.position, "x");
    const inside = x >= -1 && x <= this.plot.over.clientWidth + 1;
    this.playhead.style.transform = `translateX(${x}px)`;
    this.playhead.hidden = !inside;
    if (this.plot.cursor.idx == null || this.plot.cursor.left < 0) this.#showValues(this.#stepAt(this.page.player.position));
  }

  resize() {
    const width = this.place.clientWidth;
    if (width && width !== this.plot.width) {
      this.#setWidths();
      this.plot.setSize({ width, height: CHART_HEIGHT });
      this.movePlayhead();
    }
  }

  // Where many scores share a pixel, a wide line is nothing but a blot.
  #setWidths() {
    const { view, data } = this.page;
    const perPixel = (view.max - view.min) / data.step_seconds / (this.place.clientWidth || 1000);
    const isDense = perPixel > 4;
    this.drawn.forEach((classId, i) => {
      const series = this.plot.series[i + 1];
      series.width = isDense ? WIDTH / 2 : WIDTH;
      series.alpha = this.#isWatched(classId) ? 1 : isDense ? 0.2 : 0.4;
    });
  }

  #isWatched(classId) {
    return this.watched.has(this.head.labels[classId]) || !this.watched.size;
  }

  #series() {
    const { step_seconds: step } = this.page.data;
    // A score is about its whole step, so it stands in the middle; a curve then crosses a threshold where the event begins.
    return [Float64Array.from(this.head.tracks[0] || [], (_, i) => (i + 0.5) * step), ...this.drawn.map((classId) => this.head.tracks[classId])];
  }

  #options() {
    const { view } = this.page;
    return {
      width: Math.max(this.place.clientWidth, 200),
      height: CHART_HEIGHT,
      padding: [10, 26, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        sync: { key: "timeline", setSeries: false },
        drag: { x: true, y: false, dist: 6, setScale: false },
        points: { size: 7, width: 2 },
        bind: { dblclick: () => () => view.showAll() },
      },
      scales: { x: { time: false, range: () => [view.min, view.max] }, y: { range: [0, 1] } },
      series: [{}, ...this.drawn.map((classId) => this.#curve(classId))],
      axes: [this.#timeAxis(), this.#scoreAxis()],
      hooks: {
        drawClear: [(plot) => drawEvents(plot, this)],
        draw: [(plot) => drawThresholds(plot, this), (plot) => drawCuts(plot, this.page.data.cuts)],
        setCursor: [(plot) => this.#cursorMoved(plot)],
        setSelect: [(plot) => this.#selected(plot)],
      },
    };
  }

  #curve(classId) {
    const color = this.head.firstColor + classId;
    return {
      show: this.shown.has(classId),
      stroke: () => colors.of(color),
      dash: classId < NUM_COLORS ? undefined : [6, 3],
      points: { size: 5, fill: () => colors.of(color) },
    };
  }

  #timeAxis() {
    return {
      stroke: () => colors.muted,
      grid: { stroke: () => colors.line, width: 1 },
      ticks: { stroke: () => colors.line, width: 1, size: 5 },
      font: "12px system-ui, sans-serif",
      size: 28,
      gap: 4,
      space: 72,
      incrs: AXIS_STEPS,
      values: (_, splits, __, ___, increment) => splits.map((seconds) => formatTime(seconds, increment < 1 ? 1 : 0)),
    };
  }

  #scoreAxis() {
    return {
      stroke: () => colors.muted,
      grid: { stroke: () => colors.line, width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
      size: 40,
      gap: 6,
      splits: () => [0, 0.25, 0.5, 0.75, 1],
      values: (_, splits) => splits.map((score) => (score % 0.5 ? "" : score.toFixed(1))),
    };
  }

  #stepAt(seconds) {
    return Math.min(Math.floor(seconds / this.page.data.step_seconds + 1e-9), this.head.tracks[0].length - 1);
  }

  #timeAt(event) {
    return this.plot.posToVal(event.clientX - this.plot.over.getBoundingClientRect().left, "x");
  }

  #cursorMoved(plot) {
    const inside = plot.cursor.left >= 0 && plot.cursor.idx != null;
    this.cursorTime.hidden = !inside;
    if (inside) {
      this.cursorTime.textContent = formatTime(plot.posToVal(plot.cursor.left, "x"));
      this.cursorTime.style.transform = `translateX(${plot.cursor.left}px) translateX(-50%)`;
    }
    this.#showValues(inside ? plot.cursor.idx : this.#stepAt(this.page.player.position));
  }

  #showValues(step) {
    this.legend.showValues(this.head.tracks.map((track) => track[step]));
  }

  #selected(plot) {
    const { left, width } = plot.select;
    if (!width) return;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.page.view.show(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
  }

  // Sideways it moves along the video, with Ctrl (two fingers on a touchpad) it zooms; else the page scrolls as ever.
  #wheel(event) {
    const { view } = this.page;
    if (event.ctrlKey || event.metaKey) {
      view.zoom(Math.exp(-event.deltaY * 0.005), this.#timeAt(event));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      view.pan((event.deltaX / this.plot.over.clientWidth) * (view.max - view.min));
    } else {
      return;
    }
    event.preventDefault();
  }
}

// Those that rules watch are drawn last, over the others.
function drawingOrder(head, watched) {
  const classIds = head.labels.map((_, classId) => classId);
  return classIds.sort((a, b) => watched.has(head.labels[a]) - watched.has(head.labels[b]) || b - a);
}

function firstShown(head, watched) {
  const classIds = head.labels.map((_, classId) => classId);
  const highest = head.tracks.map((track) => track.reduce((high, score) => Math.max(high, score), 0));
  classIds.sort((a, b) => watched.has(head.labels[b]) - watched.has(head.labels[a]) || highest[b] - highest[a] || a - b);
  return new Set(classIds.slice(0, MOST_CURVES));
}
