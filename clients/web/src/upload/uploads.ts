import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Api } from "../api/client";
import { ApiError, isAborted, sentenceOf } from "../api/errors";
import type { JobOptions } from "../api/types";
import { Claims } from "./claims";
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
  /** What else is to be known of it, as a sentence; or empty. */
  readonly note: Signal<string>;
  cancel(): void;
  /** Try a failed one again. */
  start(): void;
}

type Told = Pick<Item, "state" | "jobId" | "note">;

const AT_ONCE = 2;
const OTHER_OPTIONS =
  "It keeps the options that it was begun with; to use others, cancel it and choose the file again.";
const UNREADABLE = "This is a folder, or a file that cannot be read.";

/** The uploads of this page; they go on while other pages of the console are looked at. */
export class Uploads {
  readonly #items = signal<Item[]>([]);
  readonly #unfinished: Signal<Unfinished[]>;
  readonly #around: Surroundings;
  readonly #queue: (() => Promise<void>)[] = [];
  /** The jobs of `#unfinished` that another tab uploads now. */
  readonly #elsewhere = new Set<string>();
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
      claims: new Claims(navigator.locks),
      send: sendByXhr,
      pause: pauseUntilOnline,
      newKey: () => crypto.randomUUID(),
      ...around,
    };
    this.#unfinished = signal([]);
    void this.#look();
    window.addEventListener("storage", () => void this.#look()); // another tab began one, or ended it
    window.addEventListener("beforeunload", (event) => {
      if (this.#running) event.preventDefault();
    });
  }

  get items(): ReadonlySignal<Item[]> {
    return this.#items;
  }

  /** Those that an earlier page began, and that no other tab goes on with. */
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

  /** Give an interrupted upload up; its job is cancelled. Throws an `ApiError`. */
  async giveUp(jobId: string): Promise<void> {
    const endClaim = await this.#around.claims.claim(jobId);
    try {
      if (endClaim) await this.#abort(jobId); // otherwise another tab goes on with it
    } finally {
      endClaim?.();
      await this.#look();
    }
  }

  forgetEnded(): void {
    this.#items.value = this.#items.value.filter(({ state }) =>
      ["waiting", "sending"].includes(state.value.kind),
    );
    void this.#look();
  }

  async #look(): Promise<void> {
    const { claims, unfinished } = this.#around;
    const elsewhere = await claims.elsewhere();
    const here = new Set(this.#items.peek().map(({ jobId }) => jobId.peek()));
    const ofOthers = unfinished.all().filter(({ jobId }) => !here.has(jobId) && !claims.isHere(jobId));
    this.#unfinished.value = ofOthers.filter(({ jobId }) => !elsewhere.has(jobId));
    for (const { jobId } of ofOthers) {
      if (elsewhere.has(jobId)) this.#waitFor(jobId).catch(() => {}); // the next change of an upload looks, too
    }
  }

  /** Look again when the tab that uploads has ended, or is closed. */
  async #waitFor(jobId: string): Promise<void> {
    if (this.#elsewhere.has(jobId)) return;
    this.#elsewhere.add(jobId);
    await this.#around.claims.end(jobId);
    this.#elsewhere.delete(jobId);
    await this.#look();
  }

  #add(name: string, sizeBytes: number | null, work: (item: Told, stop: AbortSignal) => Promise<void>): void {
    const state = signal<UploadState>({ kind: "waiting" });
    const jobId = signal<string | null>(null);
    const note = signal("");
    let stop = new AbortController();
    const run = async () => {
      if (stop.signal.aborted) return;
      try {
        state.value = { kind: "sending", sentBytes: 0, resumedBytes: 0, isOnline: true };
        await work({ state, jobId, note }, stop.signal);
        if (state.peek().kind === "sending") state.value = { kind: "sent" };
      } catch (error) {
        const isCancelled = stop.signal.aborted && (isAborted(error) || error === stop.signal.reason);
        state.value = isCancelled ? { kind: "cancelled" } : { kind: "failed", reason: sentenceOf(error) };
      }
      void this.#look();
    };
    const cancel = () => {
      stop.abort();
      state.value = { kind: "cancelled" };
      if (jobId.value) void this.#cancelJob(jobId.value, note);
    };
    const start = () => {
      stop = new AbortController();
      note.value = "";
      state.value = { kind: "waiting" };
      this.#enqueue(run);
    };
    this.#count += 1;
    this.#items.value = [
      { number: this.#count, name, sizeBytes, state, jobId, note, cancel, start },
      ...this.#items.value,
    ];
    this.#enqueue(run);
  }

  async #cancelJob(jobId: string, note: Signal<string>): Promise<void> {
    const isInParts = this.#around.unfinished.all().some((one) => one.jobId === jobId);
    try {
      await (isInParts ? this.#abort(jobId) : hasEnded(this.api.cancel(jobId)));
    } catch (error) {
      note.value = `Its job is still there, because it could not be cancelled: ${sentenceOf(error)}`;
    }
  }

  async #abort(jobId: string): Promise<void> {
    await hasEnded(this.api.abortUpload(jobId));
    this.#around.unfinished.forget(jobId);
  }

  async #upload(
    file: File,
    options: JobOptions,
    { state, jobId, note }: Told,
    stop: AbortSignal,
  ): Promise<void> {
    const head = await file
      .slice(0, HEAD_BYTES)
      .arrayBuffer()
      .catch(() => null);
    const refusal = head ? refusalOf(new Uint8Array(head)) : UNREADABLE;
    if (refusal !== null) {
      state.value = { kind: "refused", reason: refusal };
      return;
    }
    const sending = (change: { sentBytes?: number; resumedBytes?: number; isOnline?: boolean }) => {
      const now = state.peek();
      if (now.kind === "sending" && !stop.aborted) state.value = { ...now, ...change };
    };
    const listener = {
      onJob: (id: string, hasTheseOptions: boolean) => {
        jobId.value = id;
        note.value = hasTheseOptions ? "" : OTHER_OPTIONS;
        void this.#look();
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

/** Waits for a cancellation; that the job has ended before is no failure. */
async function hasEnded(cancellation: Promise<unknown>): Promise<void> {
  try {
    await cancellation;
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 409)) throw error;
  }
}
