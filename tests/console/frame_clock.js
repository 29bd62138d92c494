// What a browser says of the pictures that it presents; run by test_frame_clock.py with Node.js.
"use strict";

const { openPage, run } = require("../support/browser.js");
const { numberOnScreen } = require("./numbers.js");

// Runs in the page: seek to each of the times, then play from the start.
async function watched({ url, seconds, read }) {
  const number = new Function(`return (${read})()`);
  const video = document.createElement("video");
  [video.muted, video.preload] = [true, "auto"];
  document.body.replaceChildren(video);
  const isLoaded = new Promise((resolve) => {
    video.onloadeddata = () => resolve(true);
    video.onerror = () => resolve(false);
  });
  video.src = url;
  if (!(await isLoaded)) return { error: video.error.message };
  const seen = { size: [video.videoWidth, video.videoHeight], sought: [], played: [] };
  for (const second of seconds) {
    const presented = new Promise((resolve) => {
      const timer = setTimeout(() => resolve(null), 1000);
      video.requestVideoFrameCallback((_, { mediaTime }) => {
        clearTimeout(timer);
        resolve([mediaTime, number()]);
      });
    });
    video.currentTime = second;
    seen.sought.push(await presented);
  }
  const onFrame = (_, { mediaTime }) => {
    seen.played.push([mediaTime, number()]);
    video.requestVideoFrameCallback(onFrame);
  };
  video.currentTime = 0;
  video.requestVideoFrameCallback(onFrame);
  const isOver = new Promise((resolve) => {
    video.onended = resolve;
    setTimeout(resolve, 4000);
  });
  await video.play();
  await isOver;
  return seen;
}

run(async ({ browser, task }) => {
  const page = await openPage(browser, { bypassCSP: true });
  await page.goto(`${task.url}/config.json`);
  return page.evaluate(watched, { ...task, url: `${task.url}/video/file?signed=1e9`, read: numberOnScreen.toString() });
});
