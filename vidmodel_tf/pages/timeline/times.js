// Times as people read them.
"use strict";

const AXIS_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000]; // seconds

// 83.25 as 1:23.3, 3723 as 1:02:03.0
function formatTime(seconds, decimals = 1) {
  const scale = 10 ** decimals;
  const units = Math.round(Math.max(0, seconds) * scale); // rounded first, so that 59.97 is not shown as 0:60.0
  const whole = Math.floor(units / scale);
  const fraction = decimals ? "." + String(units % scale).padStart(decimals, "0") : "";
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const start = hours ? `${hours}:${String(minutes).padStart(2, "0")}` : String(minutes);
  return `${start}:${String(whole % 60).padStart(2, "0")}${fraction}`;
}

// 3.25 as "3.3 s", 83 as "1:23"
function formatLength(seconds) {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : formatTime(seconds, 0);
}
