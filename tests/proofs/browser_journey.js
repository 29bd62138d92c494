// A page of another origin uses the API as a console would; run by test_browser.py with Node.js.
"use strict";

const { openPage, run } = require("../support/browser.js");

// Runs in the page.
async function journey({ api, token, video }) {
  const seen = { origin: window.location.origin };
  const bearer = { authorization: `Bearer ${token}` };
  const bytes = Uint8Array.from(atob(video), (letter) => letter.charCodeAt(0));
  const call = (method, path, body, headers = {}) =>
    fetch(api + path, {
      method,
      headers: { ...bearer, ...(body ? { "content-type": "application/json" } : {}), ...headers },
      body: body && JSON.stringify(body),
    });
  const ended = async (jobId) => {
    for (;;) {
      const answer = await call("GET", `/video/status/${jobId}`);
      const { status } = await answer.json();
      if (status === "completed" || status === "failed") return status;
      seen.retryAfter = answer.headers.get("retry-after");
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };

  seen.withoutToken = (await fetch(`${api}/video/jobs`)).status;

  const wanted = { size_bytes: bytes.length, max_frames: 3 };
  const submitted = await call("POST", "/video/submit", wanted, { "idempotency-key": "browser" });
  seen.submitted = submitted.status;
  const { job_id: jobId, upload } = await submitted.json();
  const form = new FormData();
  for (const [name, value] of Object.entries(upload.fields)) form.append(name, value);
  form.append("file", new Blob([bytes], { type: "video/mp4" }));
  seen.uploaded = (await fetch(upload.url, { method: "POST", body: form })).status;
  seen.ended = await ended(jobId);

  const results = await call("GET", `/video/results/${jobId}`);
  const content = await results.json();
  seen.frames = content.results.map((frame) => frame.frame_index);
  const etag = results.headers.get("etag");
  seen.again = (await call("GET", `/video/results/${jobId}`, null, { "if-none-match": etag })).status;
  seen.file = (await (await fetch(content.results_url)).json()).results.length;

  const inParts = await (await call("POST", "/video/submit", { ...wanted, upload_method: "multipart" })).json();
  const path = `/video/jobs/${inParts.job_id}/upload`;
  const signed = await (await call("POST", `${path}/parts`, { part_numbers: [1] })).json();
  const part = await fetch(signed.parts[0].url, { method: "PUT", body: new Blob([bytes]) });
  seen.part = [part.status, Boolean(part.headers.get("etag"))];
  seen.completed = (await call("POST", `${path}/complete`)).status;
  seen.endedInParts = await ended(inParts.job_id);
  seen.deleted = (await call("DELETE", `/video/jobs/${inParts.job_id}`)).status;
  return seen;
}

// Runs in a page whose origin is not allowed.
async function refusals({ api, token }) {
  const tried = async (request) => {
    try {
      return (await request).status;
    } catch (error) {
      return error.name;
    }
  };
  const headers = { authorization: `Bearer ${token}` };
  return [await tried(fetch(`${api}/video/jobs`, { headers })), await tried(fetch(`${api}/health`))];
}

run(async ({ browser, task }) => {
  const page = await openPage(browser);
  const preflights = new Set();
  const protocol = await page.context().newCDPSession(page);
  protocol.on("Network.requestWillBeSent", (event) => {
    if (event.request.method === "OPTIONS") preflights.add(new URL(event.request.url).origin);
  });
  await protocol.send("Network.enable");
  await page.goto(task.page);
  const seen = await page.evaluate(journey, task);
  seen.preflights = [...preflights].sort();
  await page.goto(task.otherPage);
  seen.refused = await page.evaluate(refusals, task);
  return seen;
});
