// The data that Python put into the page.
"use strict";

const SCORE_UNIT = 10000; // scores are kept as whole numbers of 1 / 10000

function readData() {
  const data = JSON.parse(document.getElementById("data").textContent);
  let numColors = 0;
  for (const head of data.heads) {
    head.tracks = head.scores.map(decodeTrack);
    head.firstColor = numColors; // the classes of two heads differ in colour too
    numColors += head.labels.length;
  }
  return data;
}

// Base64 of little-endian uint16 -> Float64Array. The division gives the very numbers that Python has.
function decodeTrack(encoded) {
  const characters = atob(encoded);
  const track = new Float64Array(characters.length / 2);
  for (let i = 0; i < track.length; i++) {
    track[i] = (characters.charCodeAt(2 * i) + 256 * characters.charCodeAt(2 * i + 1)) / SCORE_UNIT;
  }
  return track;
}
