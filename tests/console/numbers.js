"use strict";

// Runs in the page: the number that a picture carries (tests/fixtures/numbered_pictures.py).
function numberOnScreen() {
  const video = document.querySelector("video");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0);
  const level = (x, y, width, height) => {
    const place = [(x + width / 4) * canvas.width, (y + height / 4) * canvas.height];
    const size = [(width / 2) * canvas.width, (height / 2) * canvas.height];
    const { data } = context.getImageData(...[...place, ...size].map(Math.round));
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) sum += 0.3 * data[at] + 0.6 * data[at + 1] + 0.1 * data[at + 2];
    return sum / (data.length / 4);
  };
  let number = 0;
  for (let bit = 0; bit < 10; bit += 1) {
    const x = 0.15 + bit * 0.07;
    if (level(x, 0.2, 0.07, 0.2) > level(x, 0.4, 0.07, 0.2)) number |= 1 << bit;
  }
  return number;
}

module.exports = { numberOnScreen };
