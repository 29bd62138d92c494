import { describe, expect, it, vi } from "vitest";
import { Api } from "../src/api/client";
import type { JobOptions } from "../src/api/types";
import { Claims, type Locks } from "../src/upload/claims";
import { OneUpload, UploadError } from "../src/upload/one_upload";
import type { Send } from "../src/upload/transfer";
import { UnfinishedUploads } from "../src/upload/unfinished";
import { Uploads } from "../src/upload/uploads";

const PART = 10;

/** The service and the storage of one job, in memory, with faults. */
class Service {
  readonly calls: string[] = [];
  readonly sent: number[] = [];
  readonly stored = new Map<number, number>();
  onPause = () => {};
  status = "pending";
  jobs = 0;
  isOpen = true;
  isCancelled = false;
  /** What is answered to the next transfers, in place of 200. */
  faults: number[] = [];
  /** After this answer to a transfer, the job is cancelled. */
  hasEndedAfter = -1;

  constructor(readonly sizeBytes: number) {}

  readonly fetch = async (url: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const path = String(url).replace("https://api", "");
    this.calls.push(`${init.method} ${path}`);
    if (this.isCancelled && path !== "/video/submit") {
      return Response.json({ code: "job_cancelled", detail: "The job was cancelled." }, { status: 409 });
    }
    const body = init.body ? JSON.parse(String(init.body)) : null;
    if (path === "/video/submit") return this.#submitted(body.upload_method);
    if (path.endsWith("/upload/parts")) {
      const parts = (body.part_numbers as number[]).map((number) => ({
        part_number: number,
        size_bytes: PART,
        url: `part:${number}`,
      }));
      return Response.json({ parts, expires_at: "2030-01-01T00:00:00Z" });
    }
    if (path.endsWith("/upload/complete")) return this.#completed();
    if (path.endsWith("/upload")) return this.#progress();
    return Response.json({ status: this.status, error: null });
  };

  readonly send: Send = async (_method, url, body, onProgress) => {
    const fault = this.faults.shift();
    if (fault === this.hasEndedAfter) this.isCancelled = true;
    if (fault !== undefined) return { status: fault };
    const number = Number(url.split(":")[1]);
    this.sent.push(number);
    const size = body instanceof Blob ? body.size : this.sizeBytes;
    this.stored.set(number, size);
    onProgress(size);
    return { status: 200 };
  };

  #submitted(method: string): Response {
    if (method === "form" && this.sizeBytes > 500) {
      return Response.json({ code: "video_too_large", detail: "Too large." }, { status: 413 });
    }
    this.jobs += 1;
    const upload = { url: "form:0", fields: { key: "k" }, max_bytes: 1, expires_at: "" };
    const multipart = { part_bytes: PART, part_count: Math.ceil(this.sizeBytes / PART) };
    const id = this.jobs === 1 ? "7f" : `7f-${this.jobs}`;
    return Response.json({ job_id: id, ...(method === "form" ? { upload } : { multipart }) });
  }

  #progress(): Response {
    if (!this.isOpen) return Response.json({ code: "job_not_found", detail: "Gone." }, { status: 404 });
    const parts = [...this.stored].map(([part_number, size_bytes]) => ({ part_number, size_bytes }));
    const count = Math.ceil(this.sizeBytes / PART);
    return Response.json({ part_bytes: PART, part_count: count, size_bytes: this.sizeBytes, parts });
  }

  #completed(): Response {
    if (this.stored.size < Math.ceil(this.sizeBytes / PART)) {
      return Response.json({ code: "upload_incomplete", detail: "Missing." }, { status: 409 });
    }
    return Response.json({});
  }
}

const OPTIONS: JobOptions = { frame_stride: 5 };

/** A file whose size is a claim: nothing is read of it. */
function fileOf(size: number): File {
  const file = new File(["x"], "clip.mp4", { lastModified: 5 });
  Object.defineProperty(file, "size", { value: size });
  file.slice = (start = 0, end = size) => {
    const part = new Blob(["x"]);
    Object.defineProperty(part, "size", { value: Math.min(end, size) - start });
    return part;
  };
  return file;
}

function memory(): Pick<Storage, "getItem" | "setItem"> {
  const kept = new Map<string, string>();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => void kept.set(key, text) };
}

function world(size: number, storage = memory()) {
  const service = new Service(size);
  const unfinished = new UnfinishedUploads("https://api", storage);
  const lines: boolean[] = [];
  const progress: [number, number][] = [];
  const stop = new AbortController();
  const claims = new Claims(undefined);
  const hasTheseOptions: boolean[] = [];
  const run = (file = fileOf(size), options = OPTIONS) =>
    new OneUpload(
      file,
      options,
      {
        api: new Api("https://api", undefined, { fetch: service.fetch, sleep: async () => {} }),
        send: service.send,
        unfinished,
        claims,
        pause: async (_seconds, signal) => {
          service.onPause();
          signal.throwIfAborted();
        },
        newKey: () => "key",
      },
      {
        onJob: (_id, isSo) => hasTheseOptions.push(isSo),
        onProgress: (sent, resumed) => progress.push([sent, resumed]),
        onLine: (isThere) => lines.push(isThere),
      },
      stop.signal,
    ).run();
  return { service, unfinished, claims, hasTheseOptions, lines, progress, stop, run };
}

describe("an upload", () => {
  it("of a small file takes the form", async () => {
    const { service, run, progress } = world(100);
    expect(await run()).toBe("7f");
    expect(service.sent).toEqual([0]);
    expect(progress.at(-1)).toEqual([100, 0]);
  });

  it("takes parts if the service finds the form too large", async () => {
    const { service, run, unfinished, progress } = world(505);
    await run();
    expect([...service.sent].sort((a, b) => a - b)).toEqual(Array.from({ length: 51 }, (_, at) => at + 1));
    expect(service.stored.get(51)).toBe(5);
    expect(progress.at(-1)).toEqual([505, 0]);
    expect(unfinished.all()).toEqual([]);
  });

  it("sends a part again under a new signature if the old one has expired", async () => {
    const { service, run } = world(505);
    service.faults = [403, 400];
    await run();
    expect(service.sent).toHaveLength(51);
    expect(service.calls.filter((call) => call.endsWith("/parts"))).toHaveLength(4 + 2);
  });

  it("waits for a network that is away for long, and says so", async () => {
    const { service, run, lines } = world(505);
    service.faults = Array.from({ length: 40 }, () => 0);
    await run();
    expect(service.sent).toHaveLength(51);
    expect(lines).toContain(false);
    expect(lines.at(-1)).toBe(true);
  });

  it("goes on after a reload with what is missing, in the same job", async () => {
    const { service, run, unfinished, progress } = world(505);
    unfinished.keep(fileOf(505), "7f", OPTIONS);
    for (let number = 1; number <= 40; number += 1) service.stored.set(number, PART);
    service.stored.set(3, 4); // cut off
    await run();
    expect([...service.sent].sort((a, b) => a - b)).toEqual([3, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51]);
    expect(service.jobs).toBe(0);
    expect(progress.at(-1)?.[0]).toBe(505);
    expect(unfinished.all()).toEqual([]);
  });

  it("begins anew if the job of before is gone", async () => {
    const { service, run, unfinished } = world(505);
    unfinished.keep(fileOf(505), "6e", OPTIONS);
    service.isOpen = false;
    await run();
    expect(service.jobs).toBe(1);
    expect(service.sent).toHaveLength(51);
  });

  it("is remembered until it has ended", async () => {
    const { service, run, unfinished } = world(505);
    service.faults = [418];
    await expect(run()).rejects.toThrow(UploadError);
    expect(unfinished.find(fileOf(505), OPTIONS).map(({ jobId }) => jobId)).toEqual(["7f"]);
    expect(unfinished.find(fileOf(506), OPTIONS)).toEqual([]);
  });

  it("of a file that is being sent already is a job of its own", async () => {
    const { service, run, unfinished } = world(505);
    service.faults = [0];
    const second = new Promise<string>((resolve, reject) => {
      service.onPause = () => {
        service.onPause = () => {};
        run().then(resolve, reject);
      };
    });
    expect(await run()).toBe("7f");
    expect(await second).toBe("7f-2");
    expect(unfinished.all()).toEqual([]);
  });

  it("does not go on with other options than those that are chosen", async () => {
    const { service, run, unfinished } = world(505);
    unfinished.keep(fileOf(505), "6e", { frame_stride: 2 });
    await run();
    expect(service.jobs).toBe(1);
    expect(unfinished.all().map(({ jobId }) => jobId)).toEqual(["6e"]);
  });

  it("goes on if no options are chosen, and says that it has some", async () => {
    const { service, run, unfinished, hasTheseOptions } = world(505);
    unfinished.keep(fileOf(505), "6e", OPTIONS);
    expect(await run(fileOf(505), {})).toBe("6e");
    expect(service.jobs).toBe(0);
    expect(hasTheseOptions).toEqual([false]);
  });

  it("tells what the service says if its job ends meanwhile", async () => {
    const { service, run, unfinished } = world(505);
    unfinished.keep(fileOf(505), "7f", OPTIONS);
    service.faults = [404];
    service.hasEndedAfter = 404;
    await expect(run()).rejects.toThrow("The job was cancelled.");
    expect(service.jobs).toBe(0);
  });

  it.each([505, 100])("of %i bytes ends with a sentence if the file is gone", async (size) => {
    const { service, run } = world(size);
    const file = fileOf(size);
    const gone = () =>
      Promise.reject(new DOMException("A requested file could not be found", "NotFoundError"));
    file.slice = () =>
      ({ size: 1, slice: () => ({ arrayBuffer: gone }), arrayBuffer: gone }) as unknown as Blob;
    service.faults = Array.from({ length: 400 }, () => 0); // what XMLHttpRequest says of it
    await expect(run(file)).rejects.toThrow("The file has changed or is gone");
  });

  it("stops when it is cancelled", async () => {
    const { service, run, stop } = world(505);
    service.faults = Array.from({ length: 400 }, () => 0);
    service.onPause = () => stop.abort();
    await expect(run()).rejects.toThrow(/abort/i);
  });
});

it("remembers uploads for a week, and does without a storage", () => {
  const storage = memory();
  const file = { name: "a.mp4", size: 1, lastModified: 2 };
  new UnfinishedUploads("a", storage, () => 0).keep(file, "7f", OPTIONS);
  const found = (service: string, now: number) =>
    new UnfinishedUploads(service, storage, () => now).find(file, OPTIONS)[0];
  expect(found("a", 1)?.jobId).toBe("7f");
  expect(found("b", 1)).toBeUndefined();
  expect(found("a", 8 * 24 * 3600 * 1000)).toBeUndefined();
  const full = new UnfinishedUploads("a", {
    getItem: () => "{",
    setItem: () => {
      throw new Error("full");
    },
  });
  full.keep(file, "7f", OPTIONS);
  expect(full.all()).toEqual([]);
});

/** The locks that all tabs of a browser share. */
function sharedLocks(): Locks {
  const held = new Set<string>();
  return {
    request: async (name: string, options: LockOptions, hold: (lock: Lock | null) => unknown) => {
      if (options.mode === "shared") return vi.waitUntil(() => !held.has(name), { interval: 1 });
      if (held.has(name)) return hold(null);
      held.add(name);
      await hold({ name, mode: "exclusive" });
      return held.delete(name);
    },
    query: async () => ({ held: [...held].map((name) => ({ name })) }),
  } as unknown as Locks;
}

it("gives a job to one upload at a time, in all tabs", async () => {
  const locks = sharedLocks();
  const [one, other] = [new Claims(locks), new Claims(locks)];
  const end = await one.claim("7f");
  expect(await one.claim("7f")).toBeNull();
  expect(await other.claim("7f")).toBeNull();
  expect([...(await other.elsewhere())]).toEqual(["7f"]);
  expect([...(await one.elsewhere())]).toEqual([]);
  end?.();
  await Promise.resolve();
  expect(await other.claim("7f")).not.toBeNull();
});

it("offers to give up what no other tab sends, and offers it when that tab ends", async () => {
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("localStorage", memory());
  vi.stubGlobal("navigator", {});
  const locks = sharedLocks();
  const unfinished = new UnfinishedUploads("https://api", memory());
  unfinished.keep(fileOf(505), "7f", OPTIONS);
  const closeTab = await new Claims(locks).claim("7f");
  const called: string[] = [];
  const api = new Api("https://api", undefined, {
    fetch: async (url, init) => {
      called.push(`${init?.method} ${url}`);
      return Response.json({});
    },
  });
  const uploads = new Uploads(api, { unfinished, claims: new Claims(locks) });
  await uploads.giveUp("7f");
  expect(uploads.unfinished.value).toEqual([]);
  expect(called).toEqual([]);
  closeTab?.();
  await vi.waitFor(() => expect(uploads.unfinished.value.map(({ jobId }) => jobId)).toEqual(["7f"]));
  await uploads.giveUp("7f");
  expect(uploads.unfinished.value).toEqual([]);
  expect(called).toEqual(["DELETE https://api/video/jobs/7f/upload"]);
  unfinished.keep(fileOf(506), "8f", OPTIONS); // by another tab, which is closed then
  window.dispatchEvent(new Event("storage"));
  await vi.waitFor(() => expect(uploads.unfinished.value.map(({ jobId }) => jobId)).toEqual(["8f"]));
  vi.unstubAllGlobals();
});

it("keeps an upload that could not be given up", async () => {
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("localStorage", memory());
  vi.stubGlobal("navigator", {});
  const unfinished = new UnfinishedUploads("https://api", memory());
  unfinished.keep(fileOf(505), "7f", OPTIONS);
  const api = new Api("https://api", undefined, {
    fetch: () => Promise.reject(new TypeError("Failed to fetch")),
    sleep: async () => {},
  });
  const uploads = new Uploads(api, { unfinished, claims: new Claims(undefined) });
  await expect(uploads.giveUp("7f")).rejects.toThrow("cannot be reached");
  expect(uploads.unfinished.value.map(({ jobId }) => jobId)).toEqual(["7f"]);
  vi.unstubAllGlobals();
});

it("gives a job to one upload at a time where there are no locks", async () => {
  const claims = new Claims(undefined);
  const end = await claims.claim("7f");
  expect(await claims.claim("7f")).toBeNull();
  end?.();
  expect(await claims.claim("7f")).not.toBeNull();
});
