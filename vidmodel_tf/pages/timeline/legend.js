// The classes of a chart, each with its score at the cursor or playhead; a click shows or hides its curve.
"use strict";

class Legend {
  constructor(head, hasHeading, shown, toggle) {
    this.values = [];
    this.buttons = head.labels.map((label, classId) => {
      const value = element("span", { class: "value" });
      this.values.push(value);
      const button = element("button", { type: "button", class: "chip" }, dot(head.firstColor + classId), nameElement(label), value);
      button.addEventListener("click", () => toggle(classId));
      return button;
    });
    const chips = element("div", { class: "chips" }, ...this.buttons);
    this.element = element("div", { class: "legend", role: "group", "aria-label": `Curves of ${head.name}` }, chips);
    if (hasHeading) this.element.prepend(nameElement(head.name, "h3"));
    this.show(shown);
  }

  show(shown) {
    this.buttons.forEach((button, classId) => button.setAttribute("aria-pressed", shown.has(classId)));
  }

  showValues(scores) {
    scores.forEach((score, classId) => (this.values[classId].textContent = score === undefined ? "" : score.toFixed(2)));
  }
}
