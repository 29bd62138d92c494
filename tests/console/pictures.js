// The pictures of the console in the README; run by pictures.py with Node.js.
"use strict";

const path = require("node:path");
const { openPage, run } = require("../support/browser.js");

const VIEWS = [
  { name: "console.jpg", width: 1280, height: 1240, colorScheme: "light" },
  { name: "console_phone.jpg", width: 390, height: 844, colorScheme: "dark" },
];

run(async ({ browser, task }) => {
  for (const { name, width, height, colorScheme } of VIEWS) {
    const page = await openPage(browser, { viewport: { width, height }, colorScheme });
    await page.goto(`${task.url}/#job=${task.jobId}&t=${task.moment}`);
    await page.getByRole("heading", { name: "On this frame" }).waitFor();
    await page.waitForFunction(() => document.querySelector("video")?.readyState >= 2);
    await page.getByText("HARBOUR").or(page.getByText("STATION")).first().waitFor();
    await page.waitForTimeout(500); // until the boxes of this frame are drawn
    await page.screenshot({ path: path.join(task.folder, name), type: "jpeg", quality: 82 });
    await page.context().close();
  }
  return {};
});
