// What is on the page of a job, and ways to get there.
"use strict";

const { openPage } = require("../support/browser.js");
const { numberOnScreen } = require("./numbers.js");

const WIDE = { viewport: { width: 1280, height: 900 } };

// Runs in the page: the edges of all that is drawn over the picture, in pixels of the video.
function drawnOnScreen() {
  const canvas = document.querySelector(".stage-overlay");
  const video = document.querySelector("video");
  const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (data[4 * (y * width + x) + 3] < 128) continue;
      [left, top] = [Math.min(left, x), Math.min(top, y)];
      [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
    }
  }
  if (right < 0) return null;
  const [sx, sy] = [video.videoWidth / width, video.videoHeight / height];
  return [left * sx, top * sy, right * sx, bottom * sy];
}

const shown = async (page) => ({
  number: await page.evaluate(numberOnScreen),
  frame: await page.locator(".stage-overlay").getAttribute("data-frame"),
  drawn: await page.evaluate(drawnOnScreen),
});

const frameIs = (page, index) =>
  page.waitForFunction(
    (wanted) => document.querySelector(".stage-overlay")?.dataset.frame === wanted,
    String(index),
  );

const settled = async (page) => {
  let before = null;
  for (let same = 0; same < 4; ) {
    const now = await page.locator(".stage-overlay").getAttribute("data-frame");
    same = now === before ? same + 1 : 0;
    before = now;
    await page.waitForTimeout(80);
  }
};

async function opened(browser, { url, jobId, moment }, options = {}) {
  const { script, ...others } = options;
  const page = await openPage(browser, { ...WIDE, ...others });
  if (script) await page.addInitScript(script); // runs before those of the page
  const at = moment === undefined ? "" : `&t=${moment}`;
  await page.goto(`${url}/#job=${jobId}${at}`);
  return page;
}

module.exports = { drawnOnScreen, frameIs, opened, settled, shown };
