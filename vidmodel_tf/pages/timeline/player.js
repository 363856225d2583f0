// The video, or where it cannot be played, a time that moves without it.
"use strict";

class Player {
  #position = 0;
  #listeners = [];
  #nextFrame = 0;

  constructor(video, durationSeconds) {
    this.video = video;
    this.durationSeconds = durationSeconds;
    for (const name of ["timeupdate", "seeking", "seeked", "pause"]) {
      video.addEventListener(name, () => this.#follow());
    }
    video.addEventListener("play", () => this.#followFrames());
  }

  get position() {
    return this.#position;
  }

  onMove(listener) {
    this.#listeners.push(listener);
  }

  // Calls `listener(showsPictures)` now if it is known, and whenever it is found out.
  onVerdict(listener) {
    const video = this.video;
    video.addEventListener("error", () => listener(false));
    // Of a file whose pictures it does not know, a browser may still play the sound, without an error.
    video.addEventListener("loadedmetadata", () => listener(video.videoWidth > 0));
    if (video.error || video.networkState === HTMLMediaElement.NETWORK_NO_SOURCE) listener(false);
    else if (video.readyState >= HTMLMediaElement.HAVE_METADATA) listener(video.videoWidth > 0);
  }

  onDuration(listener) {
    const { video } = this;
    video.addEventListener("loadedmetadata", () => listener(video.duration));
    if (video.readyState >= HTMLMediaElement.HAVE_METADATA) listener(video.duration);
  }

  seek(seconds) {
    this.#position = Math.min(Math.max(seconds, 0), this.durationSeconds);
    if (!this.video.error) this.video.currentTime = this.#position;
    this.#tell();
  }

  toggle() {
    if (this.video.error) return;
    if (this.video.paused) this.video.play().catch(() => {});
    else this.video.pause();
  }

  open(file) {
    const position = this.#position;
    this.video.src = URL.createObjectURL(file);
    this.video.addEventListener("loadedmetadata", () => this.seek(position), { once: true });
  }

  #follow() {
    if (this.video.error || this.video.readyState === HTMLMediaElement.HAVE_NOTHING) return;
    this.#position = this.video.currentTime;
    this.#tell();
  }

  // The event "timeupdate" alone comes 4 times a second.
  #followFrames() {
    cancelAnimationFrame(this.#nextFrame);
    if (this.video.paused || this.video.ended) return;
    this.#follow();
    this.#nextFrame = requestAnimationFrame(() => this.#followFrames());
  }

  #tell() {
    for (const listener of this.#listeners) listener(this.#position);
  }
}
