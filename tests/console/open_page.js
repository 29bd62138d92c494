// What the page of a job does when something changes while it is open; run by test_open_page.py with Node.js.
"use strict";

const { run } = require("../support/browser.js");
const { frameIs, opened, settled, shown } = require("./job_page.js");

const turn = (page, task, name) => page.evaluate((url) => fetch(url), `${task.url}/${name}`);
const problems = (page) => page.locator(".problem").allTextContents();
const clock = (page) => page.locator(".clock").textContent();

const journeys = {
  async expired({ browser, task }) {
    const page = await opened(browser, task);
    await page.locator(".stage-overlay[data-frame='0']").waitFor();
    await page.keyboard.press(".");
    await frameIs(page, 1);
    const before = await page.locator("video").getAttribute("src");
    await page.waitForTimeout(500);
    await page.keyboard.press(".");
    await page.waitForFunction((src) => document.querySelector("video").getAttribute("src") !== src, before);
    await page.waitForFunction(() => document.querySelector("video").readyState >= 2);
    await settled(page);
    await page.keyboard.press(".");
    await settled(page);
    return { ...(await shown(page)), problems: await page.locator(".problem").allTextContents(), faults: page.faults };
  },

  async refused({ browser, task }) {
    const page = await opened(browser, task);
    await page.locator(".stage-overlay[data-frame='0']").waitFor();
    await page.getByLabel("Speed").selectOption("0.25");
    const before = await page.locator("video").getAttribute("src");
    await turn(page, task, "expire");
    // the browser has the short file already: ask the bucket once more
    await page.locator("video").evaluate((video) => (video.src += "&again"));
    await page.waitForFunction((src) => !document.querySelector("video").src.startsWith(src), before);
    await frameIs(page, 0);
    await page.keyboard.press(".");
    await frameIs(page, 1);
    await settled(page);
    const seen = { ...(await shown(page)), problems: await page.locator(".problem").count() };
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Pause" }).waitFor();
    seen.speeds = [
      await page.getByLabel("Speed").inputValue(),
      await page.locator("video").evaluate((video) => video.playbackRate),
    ];
    return { ...seen, faults: page.faults };
  },

  // A renewed URL cannot be loaded, until the storage is back and the user presses play.
  async broken({ browser, task }) {
    const page = await opened(browser, task);
    const video = page.locator("video");
    await page.locator(".stage-overlay[data-frame='0']").waitFor();
    for (const index of [1, 2, 3]) {
      await page.keyboard.press(".");
      await frameIs(page, index);
    }
    await turn(page, task, "down");
    await page.waitForTimeout(500); // until the URL is over
    await page.keyboard.press(".");
    await page.getByText("Press play to try it again").waitFor();
    await turn(page, task, "up");
    await page.keyboard.press("Space");
    await page.waitForFunction(() => document.querySelector("video").played.length > 0);
    const playedFrom = await video.evaluate(({ played }) => played.start(0));
    await page.waitForFunction(() => document.querySelector("video").ended);
    return { playedFrom, problems: await problems(page), faults: page.faults };
  },

  // A job is opened before its video has arrived; then a worker takes it.
  async early({ browser, task }) {
    const page = await opened(browser, task);
    await page.getByText("waiting for a worker").waitFor();
    const seen = { waiting: await problems(page) };
    await turn(page, task, "arrive");
    await page.waitForFunction(() => document.querySelector("video").readyState >= 2);
    await page.waitForFunction(() => !document.querySelector(".clock").textContent.includes("0:01.000"));
    seen.clock = await clock(page);
    seen.shape = await page.evaluate(() => {
      const { width, height } = document.querySelector(".stage").getBoundingClientRect();
      return width / height;
    });
    await turn(page, task, "end");
    await frameIs(page, 0);
    await settled(page);
    return { ...seen, ...(await shown(page)), problems: await problems(page), faults: page.faults };
  },

  // The service is away for a while, which the page says; then it goes on.
  async away({ browser, task }) {
    const page = await opened(browser, task);
    await page.locator(".stage-overlay[data-frame='0']").waitFor();
    await page.context().setOffline(true);
    await page.locator(".problem").first().waitFor();
    await page.context().setOffline(false);
    await turn(page, task, "end");
    await page.getByText("Completed", { exact: true }).waitFor();
    await page.locator(".problem").first().waitFor({ state: "detached" });
    return { faults: page.faults };
  },

  // The same link is followed twice, on a machine whose clock is far ahead.
  async links({ browser, task }) {
    const page = await opened(browser, task, { script: "(now => (Date.now = () => now() + 1200000))(Date.now)" });
    const [index, link] = [task.index, `#job=${task.jobId}&t=${task.at}`];
    const follow = () => page.evaluate((hash) => (location.hash = hash), link);
    await page.locator(".stage-overlay[data-frame='0']").waitFor();
    await follow();
    await frameIs(page, index);
    await page.keyboard.press(".");
    await frameIs(page, index + 1);
    await page.waitForFunction((hash) => location.hash !== hash, link);
    await follow();
    await frameIs(page, index);
    await settled(page);
    return { ...(await shown(page)), problems: await problems(page), faults: page.faults };
  },
};

run(({ browser, task }) => journeys[task.journey]({ browser, task }));
