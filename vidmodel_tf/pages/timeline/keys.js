// The keys that work everywhere on the page, but where one types or moves a slider.
"use strict";

function listenToKeys(page) {
  const { player, view } = page;
  const actions = {
    " ": () => player.toggle(),
    k: () => player.toggle(),
    ArrowLeft: (event) => player.seek(player.position - (event.shiftKey ? 10 : 1)),
    ArrowRight: (event) => player.seek(player.position + (event.shiftKey ? 10 : 1)),
    j: () => player.seek(player.position - 10),
    l: () => player.seek(player.position + 10),
    ",": () => player.seek(player.position - page.data.step_seconds),
    ".": () => player.seek(player.position + page.data.step_seconds),
    n: () => page.nextEvent(),
    p: () => page.previousEvent(),
    "+": () => view.zoom(2, player.position),
    "=": () => view.zoom(2, player.position),
    "-": () => view.zoom(0.5, player.position),
    0: () => view.showAll(),
    "?": () => byId("keys").showModal(),
  };
  const listen = (event) => {
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || isTakenByElement(event)) return;
    event.preventDefault();
    event.stopPropagation();
    action(event);
  };
  // Before the player's own controls, which else would act on the same key once more.
  addEventListener("keydown", listen, { capture: true });
}

function isTakenByElement(event) {
  if (document.querySelector("dialog[open]")) return true;
  const tag = event.target.tagName;
  if (tag === "TEXTAREA" || (tag === "INPUT" && event.target.type !== "range")) return true;
  if (tag === "INPUT") return event.key.startsWith("Arrow");
  return event.key === " " && ["BUTTON", "SUMMARY", "LABEL"].includes(tag);
}
