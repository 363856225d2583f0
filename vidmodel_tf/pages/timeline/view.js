// The range of time that the charts show.
"use strict";

const SMALLEST_VIEW = 0.5; // seconds

class View {
  #listeners = [];

  constructor(endSeconds) {
    this.endSeconds = Math.max(endSeconds, SMALLEST_VIEW);
    this.min = 0;
    this.max = this.endSeconds;
  }

  onChange(listener) {
    this.#listeners.push(listener);
  }

  show(min, max) {
    const length = Math.min(Math.max(max - min, SMALLEST_VIEW), this.endSeconds);
    this.min = Math.min(Math.max(min, 0), this.endSeconds - length);
    this.max = this.min + length;
    for (const listener of this.#listeners) listener();
  }

  showAll() {
    this.show(0, this.endSeconds);
  }

  // Shows 1 / factor of the range, with `center` where it was on the screen.
  zoom(factor, center) {
    const fixed = this.has(center) ? center : (this.min + this.max) / 2;
    this.show(fixed - (fixed - this.min) / factor, fixed + (this.max - fixed) / factor);
  }

  pan(seconds) {
    this.show(this.min + seconds, this.max + seconds);
  }

  has(seconds) {
    return seconds >= this.min && seconds <= this.max;
  }

  // Moves on by a whole screen where `seconds` is not to be seen.
  reveal(seconds) {
    if (this.has(seconds)) return;
    const length = this.max - this.min;
    this.show(seconds - length * 0.1, seconds + length * 0.9);
  }
}
