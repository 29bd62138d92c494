import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Answer, Api } from "../src/api/client";
import { ApiError } from "../src/api/errors";
import type { Job, Results, SignedVideo, Status, Summary } from "../src/api/types";
import { lastMsOf } from "../src/player/analysed_span";
import { Session } from "../src/player/session";
import { SignedUrl } from "../src/player/signed_url";

const AWAY = new ApiError(0, "unreachable", "The service cannot be reached.");
const NOT_FOUND = new ApiError(404, "job_not_completed", "The job has failed.");
const VIDEO = { width: 64, height: 48, duration_ms: 4000, first_picture_ms: 0 } as Job["video"];

const answer = <T>(body: T): Answer<T> => ({ body, retryAfterS: 0, etag: null });
const job = (status: Status) => answer({ job_id: "j", status, video: VIDEO, frames_done: 2 } as Job);
const page = { results: [], timestamps_ms: [], next_cursor: null, complete: false } as unknown as Results;
const summary = {
  version: 1,
  video: VIDEO,
  frames: 2,
  classes: [],
  tracks: [],
  texts: [],
} as unknown as Summary;

// An API that gives one answer after another, and the last one again and again; errors are thrown.
function api(answers: { [name in "job" | "results" | "summary"]?: unknown[] }) {
  const left = { job: [], results: [answer(page)], summary: [answer({ summary })], ...answers };
  const next = (name: keyof typeof left) => async () => {
    const [first, ...others] = left[name] as unknown[];
    if (others.length > 0) left[name] = others as never;
    if (first instanceof Error) throw first;
    return first;
  };
  return { job: next("job"), results: next("results"), summary: next("summary") } as unknown as Api;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { hidden: false });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("goes on when the network is back, and then says no more that it was away", async () => {
  const session = new Session(api({ job: [job("running"), AWAY, AWAY, job("completed")] }), "j");
  const running = session.run();
  await vi.advanceTimersByTimeAsync(1100);
  expect(session.problem.value).toBe(AWAY.detail);
  await vi.advanceTimersByTimeAsync(10_000);
  await running;
  expect(session.problem.value).toBeNull();
  expect(session.job.value?.status).toBe("completed");
  expect(session.summary.value).toEqual(summary);
});

it("asks again for a summary that did not come", async () => {
  const session = new Session(api({ job: [job("completed")], summary: [AWAY, answer({ summary })] }), "j");
  const running = session.run();
  await vi.advanceTimersByTimeAsync(3000);
  await running;
  expect([session.summary.value, session.withoutSummary.value]).toEqual([summary, null]);
});

it("asks again for a window that did not come", async () => {
  const session = new Session(api({ job: [job("completed")], results: [AWAY, answer(page)] }), "j");
  await session.run();
  session.windows.want(0);
  await vi.advanceTimersByTimeAsync(0);
  const { value: before } = session.changes;
  expect(session.problem.value).toBe(AWAY.detail);
  await vi.advanceTimersByTimeAsync(5000);
  expect(session.changes.value).toBe(before + 1); // upon which the page wants it again
  session.windows.want(0);
  await vi.advanceTimersByTimeAsync(0);
  expect(session.problem.value).toBeNull();
});

it("says of the results of a job that failed that no more will come", async () => {
  const failing = api({
    job: [job("running"), job("running"), job("failed")],
    results: [answer(page), NOT_FOUND],
  });
  const session = new Session(failing, "j");
  const running = session.run();
  await vi.advanceTimersByTimeAsync(0);
  expect([session.isPartial.value, session.windows.frameAt(0)]).toEqual([true, undefined]);
  await vi.advanceTimersByTimeAsync(5000);
  await running;
  expect([session.isPartial.value, session.windows.frameAt(0)]).toEqual([false, null]);
  expect(session.withoutSummary.value).toContain("failed");
  expect(session.problem.value).toBeNull();
});

it("ends with what cannot change by itself", async () => {
  const session = new Session(api({ job: [new ApiError(404, "job_not_found", "Job not found")] }), "j");
  await session.run();
  expect(session.problem.value).toBe("Job not found");
});

it("knows the length of results without that of their video", () => {
  const texts = [{ end_ms: 9000 }] as Summary["texts"];
  expect(lastMsOf({ ...summary, texts })).toBe(9000);
  expect(lastMsOf({ ...summary, sampling_interval_ms: 2500 })).toBe(5000);
  expect(lastMsOf(null)).toBe(1000);
});

it.each([-900_000, 0, 60_000, 1_200_000])(
  "knows how long a URL lasts if the clock is %i ms ahead",
  (wrongMs) => {
    const url = "https://bucket.example.com/v?X-Amz-Expires=900";
    const [sentMs, hereMs] = [1e12, 1e12 + wrongMs];
    const signed = new SignedUrl(
      { video_url: url, expires_at: new Date(sentMs + 900_000).toISOString() } as SignedVideo,
      hereMs,
    );
    expect([0, 870_000, 890_000].map((afterMs) => signed.isOver(hereMs + afterMs))).toEqual([
      false,
      false,
      true,
    ]);
  },
);

it("goes by the clock if a URL does not say how long it lasts", () => {
  const expires = new Date(1e12 + 60_000).toISOString();
  const signed = new SignedUrl(
    { video_url: "https://example.com/v", expires_at: expires } as SignedVideo,
    1e12,
  );
  expect([30_000, 50_000].map((afterMs) => signed.isOver(1e12 + afterMs))).toEqual([false, true]);
});
