// The events as a table whose rows go to the event.
"use strict";

class EventTable {
  #rows = [];

  constructor(page) {
    this.page = page;
    this.body = byId("events").tBodies[0];
    this.body.addEventListener("click", (event) => this.#clicked(event.target));
    this.body.addEventListener("keydown", (event) => this.#pressed(event));
  }

  show(events) {
    this.#rows = events.map((event) => this.#row(event));
    this.body.replaceChildren(...this.#rows);
    byId("num-events").textContent = events.length ? events.length : "";
    byId("no-events").hidden = events.length > 0;
    byId("events").hidden = !events.length;
    this.mark();
  }

  // Marks the rows of what happens at the playhead.
  mark() {
    const now = this.page.player.position;
    this.page.events.forEach((event, i) => {
      const isNow = event.start_seconds <= now && now < event.end_seconds;
      this.#rows[i].classList.toggle("now", isNow);
      if (isNow) this.#rows[i].setAttribute("aria-current", "true");
      else this.#rows[i].removeAttribute("aria-current");
    });
  }

  #row(event) {
    const classId = this.page.classIdOf(event);
    const row = element("tr", { tabindex: "0", "data-id": event.id, "data-start": event.start_seconds });
    row.append(
      element("td", {}, nameElement(event.rule)),
      element("td", { class: "label" }, dot(classId), nameElement(event.label)),
      this.#time(event.start_seconds),
      this.#time(event.end_seconds),
      this.#time(event.peak_seconds),
      scoreCell(event.score, classId),
      element("td", {}, event.decision ? decisionBadge(event.decision) : "–"),
    );
    return row;
  }

  #time(seconds) {
    return element("td", { class: "number", title: `${seconds} s` }, formatTime(seconds));
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

function scoreCell(score, classId) {
  const bar = element("span", { class: "bar", "aria-hidden": "true", style: `--score: ${score}; --color: ${colors.variable(classId)}` });
  return element("td", { class: "score", title: String(score) }, element("span", {}, score.toFixed(2)), bar);
}

function decisionBadge(decision) {
  const known = ["accept", "review", "reject"].includes(decision) ? decision : "alarm";
  return element("span", { class: `badge ${known}`, lang: "", dir: "auto" }, decision);
}
