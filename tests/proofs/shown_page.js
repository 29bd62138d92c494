// A user chooses a file on a page of another origin, which runs the lines of the README; for test_shown_page.py.
// Reads its task as JSON from standard input and writes what the page got as JSON to standard output.
"use strict";

const task = JSON.parse(require("fs").readFileSync(0, "utf8"));
const { chromium } = require(task.playwright);

(async () => {
  const browser = await chromium.launch({
    executablePath: task.chromium,
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  try {
    const page = await browser.newPage();
    await page.goto(task.page);
    await page.setContent("<input type=file>");
    await page.setInputFiles("input[type=file]", task.video);
    const found = await page.evaluate(async (shown) => {
      const AsyncFunction = (async () => {}).constructor;
      const results = await new AsyncFunction(`${shown}\nreturn results;`)();
      return { origin: window.location.origin, results };
    }, task.shown);
    process.stdout.write(JSON.stringify(found));
  } finally {
    await browser.close();
  }
})().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
