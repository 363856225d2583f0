// A card for each rule, with what it takes to become an event.
"use strict";

const FIELDS = [
  { key: "on", words: "on", max: 1, step: 0.01, unit: "", isScore: true },
  { key: "off", words: "off", max: 1, step: 0.01, unit: "", isScore: true },
  { key: "min_seconds", words: "min length", max: 10, step: 0.1, unit: "s" },
  { key: "gap_seconds", words: "join gaps", max: 10, step: 0.1, unit: "s" },
];
const MOST_OPEN = 4; // with more rules the cards begin closed

class RulePanel {
  constructor(page) {
    this.page = page;
    this.original = page.data.rules.map((rule) => ({ ...rule }));
    this.cards = page.data.rules.map((rule, i) => new RuleCard(page, rule, i));
    byId("rules").append(...this.cards.map((card) => card.element));
    byId("rules-section").hidden = !this.cards.length;
    byId("reset-rules").addEventListener("click", () => this.reset());
    byId("copy-policy").addEventListener("click", () => this.copy());
  }

  show() {
    this.cards.forEach((card) => card.show());
    byId("reset-rules").disabled = !this.isChanged;
  }

  get isChanged() {
    return this.page.data.rules.some((rule, i) => FIELDS.some(({ key }) => rule[key] !== this.original[i][key]));
  }

  reset() {
    this.page.data.rules.forEach((rule, i) => Object.assign(rule, this.original[i]));
    this.page.rulesChanged();
  }

  // The policy as it was given, with what the sliders changed.
  policyText() {
    const policy = structuredClone(this.page.data.policy);
    policy.rules.forEach((rule, i) => {
      for (const { key } of FIELDS) {
        if (this.page.data.rules[i][key] !== this.original[i][key]) rule[key] = this.page.data.rules[i][key];
      }
    });
    return JSON.stringify(policy, null, 2) + "\n";
  }

  async copy() {
    const text = this.policyText();
    if (await copyText(text)) return tell("Policy copied");
    byId("policy-text").value = text;
    byId("policy").showModal();
    byId("policy-text").select();
  }
}

class RuleCard {
  constructor(page, rule, index) {
    this.page = page;
    this.rule = rule;
    this.inputs = [];
    this.count = element("span", { class: "muted count" });
    this.element = element("details", { class: "rule", style: `--color: ${colors.variable(page.colorOf(rule))}` }, this.#summary());
    this.element.open = page.data.rules.length <= MOST_OPEN;
    this.element.append(element("div", { class: "fields" }, ...FIELDS.map((field) => this.#field(field, index))));
    for (const name of ["pointerenter", "focusin"]) this.element.addEventListener(name, () => page.focusRule(rule));
  }

  show() {
    const events = this.page.events.filter((event) => event.rule === this.rule.name);
    const seconds = events.reduce((sum, event) => sum + event.end_seconds - event.start_seconds, 0);
    this.count.textContent = events.length ? `${events.length} · ${formatLength(seconds)}` : "no events";
    for (const { field, input } of this.inputs) {
      if (Number(input.value) !== this.rule[field.key]) input.value = this.rule[field.key];
    }
  }

  #summary() {
    const { rule } = this;
    const name = element("span", { class: "rule-name" }, dot(this.page.colorOf(rule)), nameElement(rule.name));
    if (rule.name !== rule.label || this.page.data.heads.length > 1) {
      const where = this.page.data.heads.length > 1 ? `${rule.head}: ${rule.label}` : rule.label;
      name.append(element("span", { class: "muted name", lang: "", dir: "auto" }, where));
    }
    if (rule.decision) name.append(decisionBadge(rule.decision));
    return element("summary", {}, name, this.count);
  }

  #field(field, index) {
    const id = `rule-${index}-${field.key}`;
    const attributes = { min: 0, step: "any", "data-key": field.key };
    const max = Math.max(field.max, this.rule[field.key]);
    const slider = element("input", { ...attributes, type: "range", max, "aria-label": `${this.rule.name}: ${field.words}` });
    const number = element("input", { ...attributes, type: "number", id, inputmode: "decimal" });
    if (field.isScore) number.max = 1;
    slider.addEventListener("input", () => this.#change(field, roundTo(Number(slider.value), field.step)));
    slider.addEventListener("keydown", (event) => this.#arrow(event, field));
    // Not at every key: on the way to 0.55 stands 0, and would take `off` down with it.
    number.addEventListener("change", () => this.#typed(field, number));
    this.inputs.push({ field, input: slider }, { field, input: number });
    return element("div", { class: "field" }, element("label", { for: id }, field.words), slider, number, element("span", { class: "unit" }, field.unit));
  }

  #typed(field, number) {
    if (number.value !== "" && number.validity.valid) this.#change(field, Number(number.value));
    else number.value = this.rule[field.key];
  }

  // The browser's own steps of a slider without a grid are too wide.
  #arrow(event, field) {
    const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    this.#change(field, roundTo(this.rule[field.key] + direction * field.step, field.step));
  }

  #change(field, value) {
    const { rule } = this;
    rule[field.key] = Math.min(Math.max(value, 0), field.isScore ? 1 : Infinity);
    if (field.key === "on") rule.off = Math.min(rule.off, rule.on);
    if (field.key === "off") rule.on = Math.max(rule.on, rule.off);
    this.page.rulesChanged(rule);
  }
}

function roundTo(value, step) {
  return Number((Math.round(value / step) * step).toFixed(2));
}
