"use strict";

const { openPage, run } = require("../support/browser.js");

// When the first page can be used: the heading is there and nothing blocks the browser any more.
run(async ({ browser, task }) => {
  const page = await openPage(browser);
  await page.addInitScript(() => {
    window.longTasks = [];
    new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((one) => one.duration))).observe({
      type: "longtask",
      buffered: true,
    });
  });
  await page.goto(`${task.url}/#jobs`);
  await page.getByText("There are no jobs yet.").waitFor();
  return page.evaluate(() => ({
    painted: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
    usable: performance.now(),
    longTasks: window.longTasks,
  }));
});
