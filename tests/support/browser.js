// Runs a script of steps in a real browser; those of tests/console and tests/proofs are run by the tests with Node.js.
// Reads its task as JSON from standard input and writes what the steps saw as JSON to standard output.
"use strict";

const fs = require("node:fs");
const task = JSON.parse(fs.readFileSync(0, "utf8"));
const { chromium } = require(task.playwright);

const WAIT_MS = 60_000;

// What screen readers and keyboards would fail on: axe's findings that are serious or worse.
async function findingsOn(page) {
  await page.evaluate(fs.readFileSync(task.axe, "utf8"));
  const { violations } = await page.evaluate(() => window.axe.run(document));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join("; ")}`);
}

// A page that keeps what goes wrong on it: errors, and what the Content-Security-Policy forbids.
async function openPage(browser, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) page.faults.push(message.text());
  });
  return page;
}

// `steps` gets the browser and the task, and gives what the test compares.
function run(steps) {
  (async () => {
    const browser = await chromium.launch({
      executablePath: task.chromium,
      args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run"],
    });
    try {
      const seen = await steps({ browser, task });
      process.stdout.write(JSON.stringify(seen ?? {}));
    } finally {
      await browser.close();
    }
  })().catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  });
}

module.exports = { findingsOn, openPage, run };
