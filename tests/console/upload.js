"use strict";

const { findingsOn, openPage, run } = require("../support/browser.js");

const numberOf = (url) => Number(new URL(url).searchParams.get("partNumber"));

// Which parts arrived, in their order.
function watchParts(page) {
  const arrived = [];
  page.on("response", (response) => {
    const request = response.request();
    if (request.method() === "PUT" && response.ok()) arrived.push(numberOf(request.url()));
  });
  return arrived;
}

async function chosen(page, path) {
  await page.setInputFiles("#files", path);
}

const stateOf = (page, name) => page.locator("li.upload", { hasText: name }).first();

async function reached(page, name, state) {
  await page.locator(`li.upload[data-state="${state}"]`, { hasText: name }).first().waitFor();
}

// A real folder, dropped as a person does it: a page cannot make one.
async function drop(page, path) {
  const box = await page.locator(".drop").boundingBox();
  const at = { x: box.x + box.width / 2, y: box.y + 10 };
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  const protocol = await page.context().newCDPSession(page);
  for (const type of ["dragEnter", "dragOver", "drop"]) {
    await protocol.send("Input.dispatchDragEvent", { type, data, ...at });
  }
}

// A small file with options, watched until it ends; beside it one that is no video.
async function small({ browser, task }) {
  const page = await openPage(browser);
  const called = [];
  page.on("request", (request) => {
    if (request.method() === "POST") called.push(new URL(request.url()).pathname);
  });
  await page.goto(`${task.url}/#upload`);
  await chosen(page, task.picture);
  await reached(page, "picture.png", "refused");
  const seen = { refused: await stateOf(page, "picture.png").innerText(), sentForIt: [...called] };

  await drop(page, task.folder);
  await reached(page, "a folder", "refused");
  seen.folder = await stateOf(page, "a folder").innerText();

  await page.getByLabel("So many a second").check();
  await page.getByLabel("Pictures a second").fill("often");
  await chosen(page, task.video);
  seen.wrongOption = await page.getByRole("alert").first().innerText();
  await page.getByLabel("Pictures a second").fill("2");
  await page.getByLabel("Only these objects").fill("car, person");
  await chosen(page, task.video);
  await reached(page, "tiny.mp4", "sent");
  seen.link = await stateOf(page, "tiny.mp4").getByRole("link").getAttribute("href");

  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Jobs" }).click();
  const row = page.locator("li.job", { hasText: "tiny.mp4" });
  seen.first = await row.getAttribute("data-status");
  await page.locator('li.job[data-status="completed"]', { hasText: "tiny.mp4" }).waitFor();
  seen.faults = page.faults;
  return seen;
}

// A large file: the network goes away and comes back, the page is reloaded, and no part is sent twice.
async function large({ browser, task }) {
  const page = await openPage(browser);
  page.on("dialog", (dialog) => dialog.accept());
  const protocol = await page.context().newCDPSession(page);
  const network = (offline) =>
    protocol.send("Network.emulateNetworkConditions", {
      offline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: task.bytesPerSecond,
    });
  await protocol.send("Network.enable");
  await network(false);
  const arrived = watchParts(page);
  const some = (count) => page.waitForFunction(() => true).then(() => until(() => arrived.length >= count));

  await page.goto(`${task.url}/#upload`);
  await chosen(page, task.video);
  await some(2);
  await network(true);
  await page.context().setOffline(true);
  await page.getByText("The network is away.").first().waitFor();
  const seen = { offline: await stateOf(page, "large.mp4").innerText() };
  await page.context().setOffline(false);
  await network(false);
  await some(4);
  await page.reload();
  await page.getByText("large.mp4").first().waitFor();
  seen.interrupted = await page.getByRole("heading", { name: "Interrupted uploads" }).count();
  seen.findings = await findingsOn(page);
  seen.stored = await storedParts(page, task.url);
  arrived.length = 0;
  await chosen(page, task.video);
  await page.getByText("of it earlier").waitFor();
  seen.resumed = /of it earlier/.test(await stateOf(page, "large.mp4").innerText());
  await reached(page, "large.mp4", "sent");
  seen.sentAfterReload = [...arrived];
  seen.interruptedAfterwards = await page.getByRole("heading", { name: "Interrupted uploads" }).count();
  seen.link = await stateOf(page, "large.mp4").getByRole("link").getAttribute("href");
  seen.faults = page.faults;
  return seen;
}

// The parts that the service lists, and how many there must be.
async function storedParts(page, url) {
  const { jobs } = await (await page.request.get(`${url}/video/jobs`)).json();
  const job = jobs.find(({ filename, status }) => filename === "large.mp4" && status === "pending");
  const there = await (await page.request.get(`${url}/video/jobs/${job.job_id}/upload`)).json();
  return { numbers: there.parts.map((part) => part.part_number), count: there.part_count };
}

// A large upload that is cancelled while it runs; the same file, chosen again meanwhile, is an upload of its own.
async function cancelled({ browser, task }) {
  const page = await openPage(browser);
  const arrived = watchParts(page);
  const protocol = await page.context().newCDPSession(page);
  await protocol.send("Network.enable");
  await protocol.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: task.bytesPerSecond,
  });
  await page.goto(`${task.url}/#upload`);
  await chosen(page, task.video);
  await until(() => arrived.length >= 1);
  await page.getByLabel("Most pictures").fill("1");
  await chosen(page, task.video);
  await page.waitForResponse((answer) => /submit/.test(answer.url()));
  const seen = { elsewhere: await interruptedInAnotherTab(page, task.url) };
  const cancel = page.getByRole("button", { name: "Cancel the upload of large.mp4" });
  await cancel.first().click();
  await reached(page, "large.mp4", "cancelled");
  arrived.length = 0;
  await until(() => arrived.length >= 2);
  seen.states = await page.locator("li.upload").evaluateAll((all) => all.map((one) => one.dataset.state));
  await cancel.click();
  await page.locator('li.upload[data-state="cancelled"]').nth(1).waitFor();
  await page.goto(`${task.url}/#jobs`);
  const ended = page.locator('li.job[data-status="failed"]', { hasText: "large.mp4" });
  await ended.nth(1).waitFor();
  seen.reasons = await ended.allInnerTexts();
  seen.faults = page.faults;
  return seen;
}

// How many interrupted uploads another tab offers to go on with or to give up.
async function interruptedInAnotherTab(page, url) {
  const tab = await page.context().newPage();
  await tab.goto(`${url}/#upload`);
  await tab.getByRole("heading", { name: "Options" }).waitFor();
  await tab.evaluate(() => navigator.locks.query());
  const count = await tab.getByRole("button", { name: "Give up" }).count();
  await tab.close();
  return count;
}

// Addresses: what is refused at once, and what the service is asked to fetch.
async function address({ browser, task }) {
  const page = await openPage(browser);
  await page.goto(`${task.url}/#upload`);
  const field = page.getByLabel("Or the address of a video");
  await field.fill("http://example.com/a.mp4");
  await page.getByRole("button", { name: "Submit" }).click();
  const seen = { refused: await page.locator("#source-url-hint").innerText() };
  await field.fill(task.privateSource);
  await field.press("Enter");
  await reached(page, "localhost/a.mp4", "failed");
  seen.failed = await stateOf(page, "localhost/a.mp4").innerText();
  await field.fill(task.source);
  await field.press("Enter");
  await reached(page, "videos.invalid/a.mp4", "sent");
  seen.shown = await stateOf(page, "videos.invalid/a.mp4").innerText();
  seen.link = await stateOf(page, "videos.invalid/a.mp4").getByRole("link").getAttribute("href");
  seen.faults = page.faults;
  return seen;
}

async function until(holds) {
  const end = Date.now() + 60_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error("waited a minute in vain");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

run((given) => ({ small, large, cancelled, address })[given.task.journey](given));
