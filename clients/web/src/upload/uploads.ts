import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Api } from "../api/client";
import { isAborted, sentenceOf } from "../api/errors";
import type { JobOptions } from "../api/types";
import { HEAD_BYTES, refusalOf } from "./door";
import { OneUpload, pauseUntilOnline, type Surroundings } from "./one_upload";
import { sendByXhr } from "./transfer";
import { type Unfinished, UnfinishedUploads } from "./unfinished";

export type UploadState =
  | { kind: "waiting" }
  | { kind: "sending"; sentBytes: number; resumedBytes: number; isOnline: boolean }
  | { kind: "sent" }
  | { kind: "refused" | "failed"; reason: string }
  | { kind: "cancelled" };

export interface Item {
  readonly number: number;
  readonly name: string;
  readonly sizeBytes: number | null;
  readonly state: Signal<UploadState>;
  readonly jobId: Signal<string | null>;
  cancel(): void;
  /** Try a failed one again. */
  start(): void;
}

const AT_ONCE = 2;

/** The uploads of this page; they go on while other pages of the console are looked at. */
export class Uploads {
  readonly #items = signal<Item[]>([]);
  readonly #unfinished: Signal<Unfinished[]>;
  readonly #around: Surroundings;
  readonly #queue: (() => Promise<void>)[] = [];
  #running = 0;
  #count = 0;

  constructor(
    private readonly api: Api,
    around: Partial<Surroundings> = {},
  ) {
    const unfinished = new UnfinishedUploads(api.baseUrl, localStorage);
    this.#around = {
      api,
      unfinished,
      send: sendByXhr,
      pause: pauseUntilOnline,
      newKey: () => crypto.randomUUID(),
      ...around,
    };
    this.#unfinished = signal(unfinished.all());
    window.addEventListener("beforeunload", (event) => {
      if (this.#running) event.preventDefault();
    });
  }

  get items(): ReadonlySignal<Item[]> {
    return this.#items;
  }

  /** Those that an earlier page began. */
  get unfinished(): ReadonlySignal<Unfinished[]> {
    return this.#unfinished;
  }

  addFiles(files: Iterable<File>, options: JobOptions): void {
    for (const file of files) {
      this.#add(file.name, file.size, (report, stop) => this.#upload(file, options, report, stop));
    }
  }

  addUrl(url: string, options: JobOptions): void {
    const key = this.#around.newKey();
    this.#add(hostAndName(url), null, async ({ jobId }, stop) => {
      jobId.value = (await this.api.submit({ source_url: url, ...options }, key, stop)).body.job_id;
    });
  }

  /** Give an interrupted upload up; its job is cancelled. */
  async giveUp(jobId: string): Promise<void> {
    this.#around.unfinished.forget(jobId);
    this.#look();
    await this.api.abortUpload(jobId).catch(() => {}); // it ends by itself after some days
  }

  forgetEnded(): void {
    this.#items.value = this.#items.value.filter(({ state }) =>
      ["waiting", "sending"].includes(state.value.kind),
    );
  }

  #look(): void {
    const open = new Set(this.#items.value.map(({ jobId }) => jobId.value));
    this.#unfinished.value = this.#around.unfinished.all().filter(({ jobId }) => !open.has(jobId));
  }

  #add(
    name: string,
    sizeBytes: number | null,
    work: (item: Pick<Item, "state" | "jobId">, stop: AbortSignal) => Promise<void>,
  ): void {
    const state = signal<UploadState>({ kind: "waiting" });
    const jobId = signal<string | null>(null);
    let stop = new AbortController();
    const run = async () => {
      if (stop.signal.aborted) return;
      try {
        state.value = { kind: "sending", sentBytes: 0, resumedBytes: 0, isOnline: true };
        await work({ state, jobId }, stop.signal);
        if (state.peek().kind === "sending") state.value = { kind: "sent" };
      } catch (error) {
        const isCancelled = stop.signal.aborted && (isAborted(error) || error === stop.signal.reason);
        state.value = isCancelled ? { kind: "cancelled" } : { kind: "failed", reason: sentenceOf(error) };
      }
      this.#look();
    };
    const cancel = () => {
      stop.abort();
      state.value = { kind: "cancelled" };
      if (jobId.value) void this.#cancelJob(jobId.value);
    };
    const start = () => {
      stop = new AbortController();
      state.value = { kind: "waiting" };
      this.#enqueue(run);
    };
    this.#count += 1;
    this.#items.value = [
      { number: this.#count, name, sizeBytes, state, jobId, cancel, start },
      ...this.#items.value,
    ];
    this.#enqueue(run);
  }

  async #cancelJob(jobId: string): Promise<void> {
    const isInParts = this.#around.unfinished.all().some((one) => one.jobId === jobId);
    if (isInParts) return this.giveUp(jobId);
    await this.api.cancel(jobId).catch(() => {});
  }

  async #upload(
    file: File,
    options: JobOptions,
    { state, jobId }: Pick<Item, "state" | "jobId">,
    stop: AbortSignal,
  ): Promise<void> {
    const refusal = refusalOf(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
    if (refusal !== null) {
      state.value = { kind: "refused", reason: refusal };
      return;
    }
    const sending = (change: { sentBytes?: number; resumedBytes?: number; isOnline?: boolean }) => {
      const now = state.peek();
      if (now.kind === "sending" && !stop.aborted) state.value = { ...now, ...change };
    };
    const listener = {
      onJob: (id: string) => {
        jobId.value = id;
        this.#look();
      },
      onProgress: (sentBytes: number, resumedBytes: number) => sending({ sentBytes, resumedBytes }),
      onLine: (isOnline: boolean) => sending({ isOnline }),
    };
    jobId.value = await new OneUpload(file, options, this.#around, listener, stop).run();
  }

  #enqueue(run: () => Promise<void>): void {
    this.#queue.push(run);
    this.#next();
  }

  #next(): void {
    if (this.#running >= AT_ONCE) return;
    const run = this.#queue.shift();
    if (!run) return;
    this.#running += 1;
    void run().finally(() => {
      this.#running -= 1;
      this.#next();
    });
  }
}

/** What to call a video that is fetched; its query may hold a signature. */
function hostAndName(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
