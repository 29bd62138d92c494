"use strict";

const { findingsOn, openPage, run } = require("../support/browser.js");

async function logIn(page, who) {
  await page.getByLabel("Subject").fill(who);
  await page.getByRole("button", { name: "Log in" }).click();
}

const corner = (page) => page.locator(".bar .login");

// A link to a moment is opened without a login; a token ends; one logs out.
async function moment({ browser, task }) {
  const page = await openPage(browser);
  const link = `#job=${task.jobId}&t=1500`;
  const hash = () => page.evaluate(() => location.hash);
  await page.goto(`${task.url}/${link}`);
  await logIn(page, "ann");
  await corner(page).getByText("ann").waitFor();
  const seen = { afterLogin: await hash(), query: await page.evaluate(() => location.search) };
  seen.kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));

  await page.reload(); // tokens are in memory only
  await logIn(page, "ann");
  await corner(page).getByText("ann").waitFor();
  seen.afterReload = await hash();
  seen.faults = page.faults;
  return seen;
}

// Tokens that live for seconds are renewed; when that ends, the page stays and one logs in again.
async function expiry({ browser, task }) {
  const page = await openPage(browser);
  const renewals = [];
  page.on("request", (request) => {
    if (/grant_type=refresh_token/.test(request.postData() ?? "")) renewals.push(request.url());
  });
  await page.goto(`${task.url}/#jobs`);
  await logIn(page, "ann");
  await page.locator("li.job").first().waitFor();
  await page.waitForResponse((answer) => /jobs/.test(answer.url()) && renewals.length > 0 && answer.ok());
  await page.getByLabel("State").selectOption("pending");
  const seen = { whileAway: await whileAway(page, task.issuer) };
  Object.assign(seen, { renewed: renewals.length > 0, alerts: await page.getByText("Your login has ended").count() });

  await (await fetch(`${task.control}/forget`, { method: "POST" })).text();
  await page.getByText("Your login has ended").waitFor();
  seen.heading = await page.getByRole("heading", { level: 1 }).innerText();
  seen.findings = await findingsOn(page);
  const link = `#job=${task.jobId}&t=250`;
  await page.evaluate((hash) => {
    location.hash = hash;
  }, link);
  const again = page.getByRole("button", { name: "Log in" }).first();
  await page.route(`${task.issuer}/**`, (route) => route.abort());
  await again.click();
  const refused = page.getByText("The login page cannot be opened.");
  await refused.waitFor();
  Object.assign(seen, { refused: await refused.innerText(), stays: await page.evaluate(() => location.hash) });
  await page.unroute(`${task.issuer}/**`);
  await again.click();
  await logIn(page, "ann");
  await corner(page).getByText("ann").waitFor();
  seen.afterLogin = await page.evaluate(() => location.hash);
  seen.faults = page.faults;
  return seen;
}

// What the list says while no token can be renewed, until it can be again.
async function whileAway(page, issuer) {
  await page.route(`${issuer}/**`, (route) => route.abort());
  const alert = page.getByRole("alert").filter({ hasText: "out of date" });
  await page.waitForResponse((answer) => answer.status() === 401);
  await alert.waitFor();
  const told = await alert.innerText();
  await page.unroute(`${issuer}/**`);
  await alert.waitFor({ state: "detached" });
  return told;
}

// A page that asks for nothing renews its login, even if the first try does not reach the issuer.
async function idle({ browser, task }) {
  const page = await openPage(browser);
  let tries = 0;
  await page.route(task.tokenUrl, (route) => {
    const isRenewal = /grant_type=refresh_token/.test(route.request().postData() ?? "");
    if (isRenewal) tries += 1;
    return isRenewal && tries === 1 ? route.abort() : route.continue();
  });
  await page.goto(`${task.url}/#job=${task.jobId}`);
  await logIn(page, "ann");
  await page.getByRole("heading", { level: 1, name: "anns.mp4" }).waitFor();
  await page.waitForResponse((answer) => answer.url() === task.tokenUrl && tries > 1 && answer.ok());
  return { alerts: await page.getByText("Your login has ended").count() };
}

// Bob sees nothing of ann's; whoever refuses is told so; a logout ends the login.
async function others({ browser, task }) {
  const page = await openPage(browser);
  await page.goto(`${task.url}/#jobs`);
  await page.getByRole("button", { name: "Refuse" }).click();
  await page.getByText("The login was refused.").waitFor();
  const seen = { findings: await findingsOn(page), query: await page.evaluate(() => location.search) };
  await page.getByRole("button", { name: "Log in" }).click();
  await logIn(page, "bob");
  await page.getByText("There are no jobs yet.").waitFor();
  seen.ofBob = await page.locator("li.job").count();
  const asked = page.waitForResponse((answer) => answer.url().includes(`/video/jobs/${task.jobId}`));
  await page.goto(`${task.url}/#job=${task.jobId}`);
  seen.anns = (await asked).status();
  await page.getByText(/not found/i).first().waitFor();

  await page.goto(`${task.url}/#jobs`);
  const revoked = page.waitForResponse((answer) => /revoke/.test(answer.url()));
  await page.getByRole("button", { name: "Log out" }).click();
  seen.revoked = [(await revoked).status(), new URLSearchParams((await revoked).request().postData()).get("token_type_hint")];
  await page.getByText("You are logged out.").waitFor();
  seen.afterLogout = await page.getByRole("button", { name: "Log in" }).count();
  seen.faults = page.faults;
  return seen;
}

run((given) => ({ moment, expiry, idle, others })[given.task.journey](given));
