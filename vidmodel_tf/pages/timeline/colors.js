// The colours of the style sheet, for what is drawn on a canvas.
"use strict";

const NUM_COLORS = 8; // --color-0 to --color-7; then they begin again

const colors = {
  read() {
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue(name).trim();
    this.ink = value("--ink");
    this.muted = value("--muted");
    this.line = value("--line");
    this.classes = Array.from({ length: NUM_COLORS }, (_, i) => value(`--color-${i}`));
  },

  of(number) {
    return this.classes[number % NUM_COLORS];
  },

  // For the style sheet, which then follows light and dark by itself.
  variable(number) {
    return `var(--color-${number % NUM_COLORS})`;
  },
};
