// What the page of a job shows; run by test_player.py with Node.js.
"use strict";

const { findingsOn, run } = require("../support/browser.js");
const { drawnOnScreen, frameIs, opened, settled, shown } = require("./job_page.js");
const { numberOnScreen } = require("./numbers.js");

const journeys = {
  // Only labels off, so that the edges of what is drawn are those of the box.
  async frames({ browser, task }) {
    const page = await opened(browser, task);
    await page.getByLabel("Labels").uncheck();
    const seen = {};
    await frameIs(page, task.indexes[0]);
    for (const [place, index] of task.indexes.entries()) {
      // the first ones by steps, the others by links to their moment
      if (place > 0 && place < 3) await page.keyboard.press(".");
      else if (place > 0) await page.evaluate((t) => (location.hash = t), `#job=${task.jobId}&t=${task.times[place]}`);
      await frameIs(page, index);
      await settled(page);
      seen[index] = await shown(page);
    }
    return { seen, faults: page.faults };
  },

  // Through the whole video by steps, forward and back.
  async steps({ browser, task }) {
    const page = await opened(browser, task);
    await page.locator(".stage-overlay[data-frame='0']").waitFor();
    const seen = { on: [], back: [], between: [] };
    const note = async (places) => {
      await settled(page);
      const { number, frame } = await shown(page);
      places.push([number, frame]);
    };
    for (const [key, places] of [[".", seen.on], [",", seen.back]]) {
      for (let at = 0; at < task.steps; at += 1) await page.keyboard.press(key).then(() => note(places));
    }
    for (const moment of task.between ?? []) {
      await page.evaluate((t) => (location.hash = t), `#job=${task.jobId}&t=${moment}`);
      await note(seen.between);
    }
    return { ...seen, faults: page.faults };
  },

  // While it plays: what each callback of a presented picture found drawn.
  async playing({ browser, task }) {
    const page = await opened(browser, task);
    await page.locator(".stage-overlay[data-frame='0']").waitFor();
    await page.evaluate(
      ([read]) => {
        const number = new Function(`return (${read})()`);
        const video = document.querySelector("video");
        window.presented = [];
        const onFrame = (_, { mediaTime }) => {
          const frame = document.querySelector(".stage-overlay").dataset.frame;
          window.presented.push([mediaTime, number(), frame]);
          video.requestVideoFrameCallback(onFrame);
        };
        video.requestVideoFrameCallback(onFrame);
      },
      [numberOnScreen.toString()],
    ).catch((error) => ({ blocked: String(error) }));
    await page.keyboard.press("Space");
    await page.waitForFunction(() => document.querySelector("video").ended);
    return { presented: await page.evaluate(() => window.presented), faults: page.faults };
  },

  async looking({ browser, task }) {
    const page = await opened(browser, task, { permissions: ["clipboard-read", "clipboard-write"] });
    await page.locator(".stage-overlay[data-frame='0']").waitFor();
    const seen = { findings: await findingsOn(page) };
    const time = () => page.locator(".clock .time").textContent();

    await page.getByRole("searchbox").fill(task.word);
    seen.status = await page.locator(".search [role=status]").textContent();
    await page.keyboard.press("Enter");
    await settled(page);
    seen.found = await shown(page);
    seen.address = await page.evaluate(() => new Promise((done) => setTimeout(() => done(location.hash), 500)));
    await page.getByRole("button", { name: "Copy link to this moment" }).click();
    seen.copied = await page.evaluate(() => navigator.clipboard.readText());

    const lanes = page.locator(".lanes-canvas");
    const box = await lanes.boundingBox();
    await page.mouse.click(box.x + box.width / 2, box.y + 5);
    await settled(page);
    seen.clicked = [await time(), (await shown(page)).frame];
    await page.locator(".scale").focus();
    await page.keyboard.press("Home");
    await settled(page);
    seen.home = (await shown(page)).frame;
    // zoomed under the pointer, the timeline no longer shows the playhead, whose mark waits beside it
    await page.mouse.move(box.x + box.width * 0.9, box.y + 5);
    await page.keyboard.down("Control");
    for (let turn = 0; turn < 3; turn += 1) await page.mouse.wheel(0, -100);
    await page.keyboard.up("Control");
    await page.waitForFunction(() => document.querySelector(".playhead").style.transform === "translateX(-2px)");
    await page.keyboard.press("ArrowRight");
    await settled(page);
    seen.second = await time();

    await page.getByRole("button", { name: /^▸?\s*car$/ }).click();
    seen.tracks = await page.locator(".lane-track").allTextContents();
    await page.keyboard.press("Home");
    await settled(page);
    const stage = await page.locator(".stage").boundingBox();
    const [left, top, right, bottom] = task.box;
    const scale = stage.width / task.width;
    await page.mouse.move(stage.x + ((left + right) / 2) * scale, stage.y + ((top + bottom) / 2) * scale);
    seen.tip = await page.locator(".tip").textContent();
    await page.mouse.move(0, 0);
    await page.getByRole("checkbox", { name: /car/ }).uncheck();
    await page.getByRole("checkbox", { name: "Texts" }).uncheck();
    seen.hidden = await page.evaluate(drawnOnScreen);
    seen.lanesLeft = await page.locator(".lane-name").count();
    seen.findingsLater = await findingsOn(page);
    seen.faults = page.faults;
    return seen;
  },

  async partial({ browser, task }) {
    const page = await opened(browser, task);
    const seen = {};
    await page.locator(".job-heading", { hasText: "Running" }).waitFor();
    await settled(page); // the first picture is there before anything is known of the video
    await page.waitForTimeout(500);
    seen.address = await page.evaluate(() => location.hash);
    await page.evaluate((url) => fetch(url), `${task.url}/begin`);
    await page.locator(".stage-overlay[data-frame='0']").waitFor();
    await page.locator(".lane-name", { hasText: "person" }).waitFor(); // from the results so far
    seen.lanes = await page.locator(".lane-name").allTextContents();
    seen.heading = await page.locator(".job-heading").textContent();
    await page.evaluate((t) => (location.hash = t), `#job=${task.jobId}&t=${task.times[0]}`);
    await page.locator(".frame-number", { hasText: "not analysed yet" }).waitFor();
    seen.before = await page.locator(".frame-number").textContent();
    await page.evaluate((url) => fetch(url), `${task.url}/more`);
    await frameIs(page, task.indexes[0]);
    seen.after = await page.locator(".frame-number").textContent();
    await page.evaluate((url) => fetch(url), `${task.url}/end`);
    await page.getByText("Completed", { exact: true }).waitFor();
    await frameIs(page, task.indexes[0]);
    await page.locator(".lane-name", { hasText: "car" }).first().click();
    await page.locator(".lane-track").first().waitFor(); // which the summary has
    seen.tracks = await page.locator(".lane-track").count();
    seen.faults = page.faults;
    return seen;
  },

  async takeAway({ browser, task }) {
    const page = await opened(browser, task);
    await page.locator(".stage-overlay[data-frame='0']").waitFor();
    const seen = {};
    for (const name of task.names) {
      const downloaded = page.waitForEvent("download");
      await page.getByRole("button", { name, exact: true }).click();
      const file = await downloaded;
      seen[name] = [file.suggestedFilename(), require("node:fs").readFileSync(await file.path(), "utf8")];
    }
    await page.getByText("With curl").click();
    const commands = await page.locator(".command code").allTextContents();
    return { files: seen, commands, findings: await findingsOn(page), faults: page.faults };
  },

  // What the real worker found, drawn: the box around all of it.
  async real({ browser, task }) {
    const page = await opened(browser, task);
    await page.getByLabel("Labels").uncheck();
    await frameIs(page, task.index);
    await settled(page);
    const seen = { drawn: await page.evaluate(drawnOnScreen), heading: await page.locator(".job-heading").textContent() };
    await page.locator(".lane-name").first().waitFor();
    seen.lanes = await page.locator(".lane-name").allTextContents();
    seen.faults = page.faults;
    return seen;
  },

  async stuck({ browser, task }) {
    const page = await opened(browser, task);
    await page.locator(".stage-overlay[data-frame='0']").waitFor();
    await page.keyboard.press(".");
    await frameIs(page, 1);
    await page.evaluate((t) => (location.hash = t), `#job=${task.jobId}&t=${task.moment2}`);
    const seen = { said: await page.locator(".problem").first().textContent() };
    await page.waitForFunction(() => document.querySelector("video").currentTime > 0); // after it was loaded anew
    await frameIs(page, 1);
    await settled(page);
    seen.back = await shown(page);
    await page.keyboard.press(".");
    await frameIs(page, 2);
    await settled(page);
    return { ...seen, on: await shown(page), problems: await page.locator(".problem").count(), faults: page.faults };
  },

  async unplayable({ browser, task }) {
    const page = await opened(browser, task);
    await page.locator(".stage-overlay[data-frame='0']").waitFor();
    const seen = { said: await page.locator(".problem").first().textContent() };
    await page.keyboard.press(".");
    await frameIs(page, 1);
    seen.findings = await findingsOn(page);
    seen.faults = page.faults;
    return seen;
  },

  async smooth({ browser, task }) {
    const page = await opened(browser, task);
    await page.locator(".stage-overlay[data-frame='0']").waitFor();
    const start = await page.evaluate(() => {
      window.long = [];
      new PerformanceObserver((list) => window.long.push(...list.getEntries().map((entry) => entry.duration))).observe({
        type: "longtask",
      });
      window.frames = new Set();
      const overlay = document.querySelector(".stage-overlay");
      new MutationObserver(() => window.frames.add(overlay.dataset.frame)).observe(overlay, { attributes: true });
      return performance.now();
    });
    await page.keyboard.press("Space");
    await page.waitForTimeout(task.playMs);
    // and fast through the rest, so that windows come and go
    await page.getByLabel("Speed").selectOption("4");
    for (let at = 1; at <= 50; at += 1) {
      await page.evaluate((t) => (document.querySelector("video").currentTime = t), (task.durationMs * at) / 50000 - 5);
      await page.waitForTimeout(task.playMs / 30);
    }
    await page.keyboard.press("Space");
    const protocol = await page.context().newCDPSession(page);
    await protocol.send("HeapProfiler.collectGarbage");
    const { usedSize } = await protocol.send("Runtime.getHeapUsage");
    return page.evaluate(
      ({ from, heapMb }) => ({
        heapMb,
        long: window.long,
        frames: window.frames.size,
        playedMs: performance.now() - from,
      }),
      { from: start, heapMb: usedSize / 2 ** 20 },
    );
  },

  async pictures({ browser, task }) {
    const findings = [];
    for (const width of [390, 1024, 1600]) {
      for (const colorScheme of ["light", "dark"]) {
        const page = await opened(browser, task, { viewport: { width, height: 1000 }, colorScheme });
        await page.locator(".stage-overlay:not([data-frame=''])").waitFor();
        await page.getByRole("searchbox").fill(task.word);
        const lane = page.locator("button.lane-name:enabled").first();
        if (width > 390 && (await lane.isVisible())) await lane.click();
        await settled(page);
        await page.screenshot({ path: `${task.folder}/job_${width}_${colorScheme}.png`, fullPage: true });
        findings.push(...(await findingsOn(page)));
        await page.close();
      }
    }
    return { findings };
  },
};

run(({ browser, task }) => journeys[task.journey]({ browser, task }));
