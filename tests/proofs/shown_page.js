// A user chooses a file on a page of another origin, which runs the lines of the README; for test_shown_page.py.
"use strict";

const { openPage, run } = require("../support/browser.js");

run(async ({ browser, task }) => {
  const page = await openPage(browser);
  await page.goto(task.page);
  await page.setContent("<input type=file>");
  await page.setInputFiles("input[type=file]", task.video);
  return page.evaluate(async (shown) => {
    const AsyncFunction = (async () => {}).constructor;
    const results = await new AsyncFunction(`${shown}\nreturn results;`)();
    return { origin: window.location.origin, results };
  }, task.shown);
});
