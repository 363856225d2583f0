// Elements made in one line. Text is only ever set as text: names come from users.
"use strict";

function byId(id) {
  return document.getElementById(id);
}

// element("button", {type: "button", class: "quiet"}, "Text", anotherElement)
function element(tag, attributes = {}, ...children) {
  const result = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) result.setAttribute(name, value);
  result.append(...children);
  return result;
}

// A name in whatever language and direction it is written.
function nameElement(name, tag = "span") {
  return element(tag, { lang: "", dir: "auto", class: "name", title: name }, name);
}

function dot(color) {
  return element("span", { class: "dot", style: `--color: ${colors.variable(color)}`, "aria-hidden": "true" });
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function tell(words) {
  const place = byId("told");
  place.textContent = words;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => (place.textContent = ""), 2500);
}
