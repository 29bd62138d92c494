"use strict";

const { findingsOn, openPage, run } = require("../support/browser.js");

const rows = (page) => page.locator("li.job");
const row = (page, name) => page.locator("li.job", { hasText: name });

// Failed, open and completed jobs: reasons, cancel, run again, delete, filter.
async function life({ browser, task }) {
  const page = await openPage(browser);
  await page.goto(`${task.url}/#jobs`);
  const seen = {};
  await row(page, "unicorn.mp4").filter({ hasText: "Failed" }).waitFor();
  seen.reason = await row(page, "unicorn.mp4").locator(".job-reason").innerText();
  seen.offered = await row(page, "unicorn.mp4").getByRole("button").allInnerTexts();

  await page.getByRole("button", { name: "Cancel waiting.mp4" }).click();
  seen.question = await page.getByRole("dialog").innerText();
  seen.findingsInQuestion = await findingsOn(page);
  await page.keyboard.press("Escape");
  seen.afterEscape = await row(page, "waiting.mp4").getAttribute("data-status");
  seen.focusIsBack = await page.evaluate(() => document.activeElement?.textContent);
  await page.getByRole("button", { name: "Cancel waiting.mp4" }).click();
  await page.getByRole("button", { name: "Cancel the job" }).click();
  await row(page, "waiting.mp4").filter({ hasText: "Failed" }).waitFor();

  await page.getByRole("button", { name: "Delete waiting.mp4" }).click();
  await page.getByRole("button", { name: "Delete the job" }).click();
  await row(page, "waiting.mp4").waitFor({ state: "detached" });

  await page.getByLabel("State").selectOption("completed");
  await row(page, "unicorn.mp4").waitFor({ state: "detached" });
  await row(page, "done.mp4").waitFor();
  seen.completed = await rows(page).evaluateAll((all) => all.map((one) => one.dataset.status));
  await page.getByLabel("Analysis").selectOption("ocr_only");
  await page.getByText("There is no such job.").waitFor();
  seen.findings = await findingsOn(page);
  seen.faults = page.faults;
  return seen;
}

// Twenty jobs on a page, and the older ones behind it.
async function pages({ browser, task }) {
  const page = await openPage(browser);
  await page.goto(`${task.url}/#jobs`);
  await rows(page).first().waitFor();
  const names = () => rows(page).locator(".job-name a").allInnerTexts();
  const seen = { newest: await names() };
  await page.getByRole("button", { name: "Older" }).click();
  await row(page, seen.newest[0]).waitFor({ state: "detached" });
  await rows(page).first().waitFor();
  seen.older = await names();
  await page.getByRole("button", { name: "Newer" }).click();
  await row(page, seen.newest[0]).waitFor();
  seen.again = await names();
  seen.faults = page.faults;
  return seen;
}

// A page that nobody looks at does not ask; when it is looked at again, it does at once.
async function hidden({ browser, task }) {
  const page = await openPage(browser);
  let asked = 0;
  page.on("request", (request) => {
    if (new URL(request.url()).pathname === "/video/jobs") asked += 1;
  });
  await page.goto(`${task.url}/#jobs`);
  await rows(page).first().waitFor();
  const hide = (value) =>
    page.evaluate((isHidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
      document.dispatchEvent(new Event("visibilitychange"));
    }, value);
  await hide(true);
  await page.waitForTimeout(3000);
  const before = asked;
  await page.waitForTimeout(5000);
  const seen = { whileHidden: asked - before };
  const next = page.waitForRequest((request) => new URL(request.url()).pathname === "/video/jobs");
  await hide(false);
  await next;
  return seen;
}

// The service goes away, which the page says, and comes back.
async function away({ browser, task }) {
  const page = await openPage(browser);
  await page.goto(`${task.url}/#jobs`);
  await rows(page).first().waitFor();
  await page.context().setOffline(true);
  const alert = page.getByRole("alert").filter({ hasText: "out of date" });
  await alert.waitFor();
  const seen = { told: await alert.innerText(), rowsStay: await rows(page).count() };
  await page.context().setOffline(false);
  await alert.waitFor({ state: "detached" });
  return seen;
}

// What the pages look like, and what axe finds on them, at three widths in light and dark.
async function pictures({ browser, task }) {
  const findings = {};
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [390, 1024, 1600]) {
      const page = await openPage(browser, { colorScheme, viewport: { width, height: 900 } });
      for (const name of ["jobs", "upload"]) {
        await page.goto(`${task.url}/#${name}`);
        await page.getByRole("heading", { level: 1 }).waitFor();
        if (name === "jobs") await rows(page).first().waitFor();
        else await page.setInputFiles("#files", task.picture);
        const shown = `${name}-${width}-${colorScheme}`;
        await page.screenshot({ path: `${task.folder}/${shown}.png`, fullPage: true });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        findings[shown] = [...(await findingsOn(page)), ...(wide > 0 ? [`${wide} px too wide`] : []), ...page.faults];
      }
      await page.context().close();
    }
  }
  return findings;
}

// Everything is reached by the Tab key, in an order that makes sense.
async function keyboard({ browser, task }) {
  const page = await openPage(browser);
  await page.goto(`${task.url}/#jobs`);
  await rows(page).first().waitFor();
  const order = [];
  for (let step = 0; step < 8; step += 1) {
    await page.keyboard.press("Tab");
    order.push(
      await page.evaluate(() => {
        const { activeElement: now } = document;
        return now?.labels?.[0]?.firstChild?.textContent.trim() || now?.textContent?.trim();
      }),
    );
  }
  return { order };
}

run((given) => ({ life, pages, hidden, away, pictures, keyboard })[given.task.journey](given));
