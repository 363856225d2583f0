// The events as a table whose rows go to the event.
"use strict";

const MOST_ROWS = 1000; // more would make the sliders slow

class EventTable {
  #rows = []; // of the first events

  constructor(page) {
    this.page = page;
    this.body = byId("events").tBodies[0];
    this.scroll = this.body.closest(".scroll");
    this.body.addEventListener("click", (event) => this.#clicked(event.target));
    this.body.addEventListener("keydown", (event) => this.#pressed(event));
  }

  show(events) {
    this.#rows = events.slice(0, MOST_ROWS).map((event) => this.#row(event));
    this.body.replaceChildren(...this.#rows);
    byId("num-events").textContent = events.length || "";
    byId("no-events").hidden = events.length > 0;
    byId("more-events").hidden = events.length <= MOST_ROWS;
    const table = byId("events");
    table.hidden = !events.length;
    table.classList.toggle("same-names", events.every(({ rule, label }) => rule === label));
    table.classList.toggle("no-decisions", events.every(({ decision }) => decision === null));
    this.mark();
  }

  // Marks the rows of what happens at the playhead.
  mark() {
    const now = this.page.player.position;
    this.#rows.forEach((row, i) => {
      const { start_seconds: start, end_seconds: end } = this.page.events[i];
      const isNow = start <= now && now < end;
      if (isNow !== row.hasAttribute("aria-current")) this.#setNow(row, isNow);
    });
  }

  #setNow(row, isNow) {
    if (!isNow) return row.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    const { scroll } = this;
    const top = row.offsetTop - row.offsetHeight; // below the heading, which stays
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    const bottom = row.offsetTop + row.offsetHeight - scroll.clientHeight;
    if (bottom > scroll.scrollTop) scroll.scrollTop = bottom;
  }

  #row(event) {
    const color = this.page.colorOf(event);
    const row = element("tr", { tabindex: "0", "data-id": event.id, "data-start": event.start_seconds });
    row.append(
      element("td", { class: "rule-column" }, nameElement(event.rule)),
      element("td", { class: "label" }, dot(color), nameElement(event.label)),
      this.#time(event.start_seconds),
      this.#time(event.end_seconds),
      this.#time(event.peak_seconds, "peak-column"),
      scoreCell(event.score, color),
      element("td", { class: "decision-column" }, event.decision ? decisionBadge(event.decision) : "–"),
    );
    return row;
  }

  #time(seconds, column = "") {
    return element("td", { class: `number ${column}`, title: `${seconds} s` }, formatTime(seconds));
  }

  #clicked(target) {
    const row = target.closest("tr");
    if (row) this.page.goTo(this.page.events[this.#rows.indexOf(row)]);
  }

  #pressed(event) {
    const row = event.target.closest("tr");
    const beside = { ArrowUp: row?.previousElementSibling, ArrowDown: row?.nextElementSibling }[event.key];
    if (event.key === "Enter") this.#clicked(row);
    else if (beside) beside.focus();
    else return;
    event.preventDefault();
  }
}

function scoreCell(score, color) {
  const bar = element("span", { class: "bar", "aria-hidden": "true", style: `--score: ${score}; --color: ${colors.variable(color)}` });
  return element("td", { class: "score", title: String(score) }, element("span", {}, score.toFixed(2)), bar);
}

function decisionBadge(decision) {
  const known = ["accept", "review", "reject"].includes(decision) ? decision : "alarm";
  return element("span", { class: `badge ${known}`, lang: "", dir: "auto" }, decision);
}
