import { expect, it, vi } from "vitest";
import errors from "../../../docs/errors.md?raw";
import type { Api } from "../src/api/client";
import type { Job, Status } from "../src/api/types";
import { JobList, nameOf, newsOf } from "../src/jobs/job_list";
import { KNOWN_CODES, reasonOf, remedyOf } from "../src/jobs/reasons";

function job(id: string, status: Status, more: Partial<Job> = {}): Job {
  return { job_id: id, status, filename: `${id}.mp4`, source_host: null, ...more } as Job;
}

it("asks no more when its page is left while an action runs", async () => {
  vi.stubGlobal("document", { hidden: false });
  let asked = 0;
  let end = () => {};
  const api = {
    jobs: async () => {
      asked += 1;
      return { body: { jobs: [], next_cursor: null }, retryAfterS: null };
    },
    retry: () =>
      new Promise<void>((resolve) => {
        end = resolve;
      }),
  } as unknown as Api;
  const list = new JobList(api);
  const leave = list.watch();
  const action = list.change("retry", "a");
  await vi.waitFor(() => expect(asked).toBe(1));
  leave();
  end();
  await action;
  await new Promise((resolve) => setTimeout(resolve));
  expect(asked).toBe(1);
  vi.unstubAllGlobals();
});

it("knows what to do about each reason that the service has", () => {
  const table = errors.split("## Why a job failed")[1] ?? "";
  const codes = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(20);
  expect([...KNOWN_CODES].sort()).toEqual(codes.sort());
});

it("does not offer to run again what cannot succeed", () => {
  expect(remedyOf({ code: "source_not_found", message: null }).canRetry).toBe(false);
  expect(remedyOf({ code: "worker_crashed", message: null }).canRetry).toBe(true);
  expect(remedyOf({ code: "new_reason", message: null }).canRetry).toBe(true);
});

it("ends each reason as a sentence", () => {
  expect(reasonOf({ code: "cancelled", message: "The job was cancelled" })).toBe("The job was cancelled.");
  expect(reasonOf({ code: "dead_letter", message: "Given up." })).toBe("Given up.");
  expect(reasonOf({ code: "dead_letter", message: null })).toBe("dead_letter.");
});

it("tells which jobs have ended", () => {
  const before = [job("a", "running"), job("b", "pending"), job("c", "completed")];
  const now = [job("d", "failed"), job("a", "completed"), job("b", "failed"), job("c", "completed")];
  expect(newsOf(before, now)).toBe("a.mp4 is completed. b.mp4 has failed.");
  expect(newsOf(now, now)).toBe("");
});

it("calls a job by its file, its source or its id", () => {
  expect(nameOf(job("7f01", "pending"))).toBe("7f01.mp4");
  expect(nameOf(job("7f01", "pending", { filename: null, source_host: "example.com" }))).toBe(
    "Video from example.com",
  );
  expect(nameOf(job("7f0123456789", "pending", { filename: null }))).toBe("Job 7f012345");
});
