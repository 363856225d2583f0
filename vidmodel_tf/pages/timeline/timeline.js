// The page: holds what its parts share and tells them when it changes.
"use strict";

const LEAST_DIFFERENCE = 2; // seconds; sound that goes on after the pictures is no other video,
const LEAST_SHARE = 0.02; // nor is one whose length the container states roughly
const LONGEST_FRAME = 0.5; // seconds: what is more was a jump

class Page {
  #lastPosition = 0;
  #focusedRule = null;
  #eventsByRule = null;

  constructor() {
    this.data = readData();
    colors.read();
    this.events = this.data.events; // those that Python found, until a rule changes
    this.player = new Player(byId("video"), this.data.duration_seconds);
    this.view = new View(this.data.duration_seconds);
    this.charts = this.data.heads.map((head) => new Chart(this, head, byId("charts")));
    this.table = new EventTable(this);
    this.rulePanel = new RulePanel(this);
    this.#connect();
    this.#showFacts();
    this.table.show(this.events);
    this.rulePanel.show();
    this.#showTime();
    this.#showDecision(this.data.decision);
    byId("other-rules").hidden = this.#rulesGaveEvents();
  }

  focusedRule(headName) {
    const rules = this.data.rules.filter((rule) => rule.head === headName);
    return rules.length === 1 ? rules[0] : rules.find((rule) => rule === this.#focusedRule) || null;
  }

  focusRule(rule) {
    if (this.#focusedRule === rule) return;
    this.#focusedRule = rule;
    this.charts.forEach((chart) => chart.redraw());
  }

  // Without a rule: all of them may have changed.
  rulesChanged(rule) {
    if (rule) this.#eventsByRule?.delete(rule);
    else this.#eventsByRule = null;
    const { isChanged } = this.rulePanel;
    this.events = isChanged ? this.#allEvents() : this.data.events;
    this.#showDecision(isChanged ? this.#judge(this.events) : this.data.decision);
    byId("decision-heading").textContent = isChanged ? "Decision by the changed rules" : "Decision";
    byId("other-rules").hidden = true;
    this.table.show(this.events);
    this.rulePanel.show();
    this.charts.forEach((chart) => chart.redraw());
  }

  classIdOf({ head, label }) {
    return this.data.heads.find(({ name }) => name === head).labels.indexOf(label);
  }

  colorOf({ head, label }) {
    return this.data.heads.find(({ name }) => name === head).firstColor + this.classIdOf({ head, label });
  }

  goTo(event) {
    const chart = this.charts.find(({ head }) => head.name === event.head);
    if (!chart.shown.has(this.classIdOf(event))) chart.toggle(this.classIdOf(event));
    this.player.seek(event.start_seconds);
  }

  nextEvent() {
    const next = this.events.find((event) => event.start_seconds > this.player.position + 0.05);
    if (next) this.goTo(next);
  }

  previousEvent() {
    const previous = this.events.findLast((event) => event.start_seconds < this.player.position - 0.3);
    if (previous) this.goTo(previous);
  }

  #allEvents() {
    const { rules } = this.data;
    this.#eventsByRule ??= new Map();
    for (const rule of rules) {
      if (!this.#eventsByRule.has(rule)) this.#eventsByRule.set(rule, this.#eventsOf(rule));
    }
    const events = rules.flatMap((rule) => this.#eventsByRule.get(rule));
    events.sort((a, b) => a.start_seconds - b.start_seconds); // stable: equal starts stay in the order of the rules
    return events.map((event, i) => ({ id: `e${i + 1}`, ...event }));
  }

  #trackOf(rule) {
    return this.data.heads.find(({ name }) => name === rule.head).tracks[this.classIdOf(rule)];
  }

  #judge(events) {
    const { policy, step_seconds: step, scores_end_seconds: end } = this.data;
    return judge(policy, events, (rule) => this.#trackOf(rule), step, end);
  }

  // Whether the events and the decision that Python wrote down are those of the rules that stand in the page.
  #rulesGaveEvents() {
    if (!this.data.policy) return true;
    const events = this.#allEvents();
    return sameEvents(events, this.data.events) && this.#judge(events) === this.data.decision;
  }

  #eventsOf(rule) {
    const { name, head, label, decision } = rule;
    return findEvents(this.#trackOf(rule), this.data.step_seconds, this.data.scores_end_seconds, rule).map((event) => ({
      rule: name,
      head,
      label,
      ...event,
      decision,
    }));
  }

  #connect() {
    this.player.onMove(() => this.#moved());
    this.player.onVerdict((showsPictures) => this.#showVerdict(showsPictures));
    this.player.onDuration((seconds) => this.#checkDuration(seconds));
    this.view.onChange(() => this.charts.forEach((chart) => chart.applyView()));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      colors.read();
      this.charts.forEach((chart) => chart.plot.redraw(false, true));
    });
    const buttons = {
      previous: () => this.previousEvent(),
      next: () => this.nextEvent(),
      "zoom-in": () => this.view.zoom(2, this.player.position),
      "zoom-out": () => this.view.zoom(0.5, this.player.position),
      whole: () => this.view.showAll(),
      "show-keys": () => byId("keys").showModal(),
      "copy-convert": async () => tell((await copyText(byId("convert").textContent)) ? "Command copied" : "Select the command and copy it"),
    };
    for (const [id, action] of Object.entries(buttons)) byId(id).addEventListener("click", action);
    byId("other-video").addEventListener("change", ({ target }) => target.files[0] && this.player.open(target.files[0]));
    listenToKeys(this);
  }

  // What the user looks at elsewhere while the video plays stays in view.
  #follow() {
    const { position } = this.player;
    const isJump = Math.abs(position - this.#lastPosition) > LONGEST_FRAME;
    if (isJump || this.view.has(this.#lastPosition)) this.view.reveal(position);
    this.#lastPosition = position;
  }

  #moved() {
    this.#follow();
    this.charts.forEach((chart) => chart.movePlayhead());
    this.table.mark();
    this.#showTime();
  }

  #showTime() {
    const now = byId("now");
    now.dataset.seconds = this.player.position;
    now.textContent = `${formatTime(this.player.position)} / ${formatTime(this.data.duration_seconds)}`;
  }

  #showFacts() {
    const { video, windows, model, cuts } = this.data;
    const inside = windows.kind === "shots" ? " inside shots" : "";
    byId("facts").textContent = [
      formatTime(this.data.duration_seconds, 0),
      `${video.width} × ${video.height}`,
      `windows of ${Number(windows.seconds.toFixed(2))} s${inside}`,
      `model ${model}`,
    ].join(" · ");
    byId("shots-hint").hidden = !cuts.length;
  }

  #showDecision(decision) {
    byId("decision").replaceChildren(...(decision ? [decisionBadge(decision)] : []));
    byId("decision-heading").hidden = !decision;
  }

  #checkDuration(seconds) {
    const expected = this.data.duration_seconds;
    const differs = Math.abs(seconds - expected) > Math.max(LEAST_DIFFERENCE, expected * LEAST_SHARE);
    byId("other-length").hidden = !differs;
    byId("other-length").textContent =
      `This seems to be another video: it lasts ${formatTime(seconds)}, the one that was scored ${formatTime(expected)}.`;
  }

  #showVerdict(showsPictures) {
    byId("unplayable").hidden = showsPictures;
    byId("video").hidden = !showsPictures && byId("video").error !== null;
    const { video, convert } = this.data;
    byId("unplayable-why").textContent =
      `Either ${video.name} is no longer where it was when this page was made, or it is in a form that browsers ` +
      "do not play, such as AVI, MPEG-4 part 2 (what OpenCV writes as mp4v) or, in many browsers, HEVC.";
    byId("convert").textContent = convert;
  }
}

function sameEvents(some, others) {
  const facts = (event) => JSON.stringify([event.rule, event.head, event.label, event.start_seconds, event.end_seconds, event.peak_seconds, event.score]);
  return some.length === others.length && some.every((event, i) => facts(event) === facts(others[i]));
}

const page = new Page();
