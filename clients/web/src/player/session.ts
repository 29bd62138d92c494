import { signal } from "@preact/signals";
import { type Api, sleep } from "../api/client";
import { ApiError, isAborted, isTemporary, sentenceOf } from "../api/errors";
import { pollPatiently } from "../api/polling";
import type { Job, Results, Summary } from "../api/types";
import { PartialSummary } from "../timeline/partial_summary";
import { analysedSpan } from "./analysed_span";
import { shownFrames } from "./shown_frame";
import { equalWindows, ResultWindows } from "./windows";

/** A page of 200 frames with 10 objects each is read in a few milliseconds, so that playing goes on. */
const FRAMES_PER_WINDOW = 200;
const ASK_AGAIN_S = 2;
const WINDOW_AGAIN_S = 4;
const UNKNOWN_VERSION = "This page does not know the summary of this job; reload it to get a newer one.";

/** A job with its results and its summary, which fill in while it runs. */
export class Session {
  readonly job = signal<Job | null>(null);
  /** Of a job that runs, what is known so far; null before anything is. */
  readonly summary = signal<Summary | null>(null);
  readonly isPartial = signal(false);
  readonly problem = signal<string | null>(null);
  /** Why the timeline is empty. */
  readonly withoutSummary = signal<string | null>(null);
  /** Counts up with each change of the windows. */
  readonly changes = signal(0);
  readonly windows = new ResultWindows(
    () => {
      this.problem.value = null;
      this.changes.value += 1;
    },
    (error) => this.#onWindowFailure(error),
  );
  readonly #stop = new AbortController();
  #hasTracks = true;

  constructor(
    readonly api: Api,
    readonly jobId: string,
  ) {}

  async run(): Promise<void> {
    try {
      await this.#patiently(() => this.#follow());
      const job = this.job.value;
      if (job?.status === "completed") await this.#patiently(() => this.#openCompleted(job));
      else this.#endPartial();
    } catch (error) {
      this.#tell(error);
    }
  }

  close(): void {
    this.#stop.abort();
    this.windows.close();
  }

  #patiently(step: () => Promise<number | null>): Promise<void> {
    return pollPatiently(step, this.#stop.signal, (problem) => {
      this.problem.value = problem;
    });
  }

  /** Ask for the job; while it runs, also for the results that have come meanwhile. */
  async #follow(): Promise<number | null> {
    const { signal } = this.#stop;
    const { body: job, retryAfterS } = await this.api.job(this.jobId, signal);
    this.job.value = job;
    if (job.status === "completed" || job.status === "failed") return null;
    if (job.status === "running" && job.video) await this.#readOn(job).catch(ifItHasNotEnded);
    return retryAfterS ?? ASK_AGAIN_S;
  }

  #cursor: string | null = null;
  #seen: PartialSummary | null = null;

  /** Read all pages that are there by now. */
  async #readOn(job: Job): Promise<void> {
    if (!this.isPartial.value) this.windows.reset([], true);
    this.isPartial.value = true;
    for (;;) {
      const page = await this.#partialPage();
      if (page === null) return;
      const frames = shownFrames(page);
      const [first] = frames;
      if (first) {
        const asked = this.#cursor;
        const refetch = async (signal: AbortSignal) => shownFrames(await this.#page(asked, signal));
        this.windows.append({ fromMs: first.timeMs, fetch: refetch, frames });
        if (job.video) this.#seen ??= new PartialSummary(job.video);
        this.#seen?.add(frames);
        this.summary.value = this.#seen?.summary ?? null;
      }
      if (page.next_cursor === null || (!first && page.next_cursor === this.#cursor)) return;
      this.#cursor = page.next_cursor;
      if (!first) return;
    }
  }

  /** The next page; null if another worker has begun anew, after all that is known was dropped. */
  async #partialPage(): Promise<Results | null> {
    try {
      return await this.#page(this.#cursor, this.#stop.signal);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "results_restarted")) throw error;
      this.#cursor = null;
      this.#seen = null;
      this.summary.value = null;
      this.windows.reset([], true);
      return null;
    }
  }

  async #page(cursor: string | null, signal: AbortSignal): Promise<Results> {
    const query = { partial: true, limit: FRAMES_PER_WINDOW, ...(cursor === null ? {} : { cursor }) };
    return (await this.api.results(this.jobId, query, signal)).body;
  }

  /** The job has failed: nothing comes any more after the first results. */
  #endPartial(): void {
    this.windows.end();
    if (!this.isPartial.value) return;
    this.isPartial.value = false;
    this.withoutSummary.value = "The job has failed: these are the results until then.";
  }

  async #openCompleted(job: Job): Promise<null> {
    this.summary.value = await this.#completeSummary();
    this.#hasTracks = this.summary.value !== null;
    this.isPartial.value = false;
    const frames = this.summary.value?.frames ?? job.frames_done;
    const span = analysedSpan(job, this.summary.value);
    this.windows.reset(
      equalWindows(span, frames, FRAMES_PER_WINDOW, (fromMs, toMs, signal) =>
        this.#framesBetween(fromMs, toMs, signal),
      ),
    );
    return null;
  }

  async #framesBetween(fromMs: number, toMs: number | null, signal: AbortSignal) {
    const frames = [];
    let cursor: string | null = null;
    do {
      const { body: page } = await this.api.results(
        this.jobId,
        {
          from_ms: fromMs,
          limit: FRAMES_PER_WINDOW,
          ...(toMs === null ? {} : { to_ms: toMs }),
          ...(cursor === null ? {} : { cursor }),
          ...(this.#hasTracks ? { include: "tracks" as const } : {}),
        },
        signal,
      );
      frames.push(...shownFrames(page));
      cursor = page.next_cursor;
    } while (cursor !== null);
    return frames;
  }

  async #completeSummary(): Promise<Summary | null> {
    const { signal } = this.#stop;
    try {
      const { body } = await this.api.summary(this.jobId, signal);
      const summary = body.summary ?? ((await (await fetch(body.summary_url, { signal })).json()) as Summary);
      if (summary.version !== 1) throw new Error(UNKNOWN_VERSION);
      return summary;
    } catch (error) {
      if (isAborted(error) || isTemporary(error)) throw error;
      this.withoutSummary.value = sentenceOf(error);
      return null;
    }
  }

  /** Have the window asked for again, if the failure may pass. */
  #onWindowFailure(error: unknown): void {
    this.#tell(error);
    if (!isTemporary(error)) return;
    const again = () => {
      this.changes.value += 1;
    };
    sleep(WINDOW_AGAIN_S, this.#stop.signal).then(again, () => {}); // closed meanwhile
  }

  #tell(error: unknown): void {
    if (!isAborted(error)) this.problem.value = sentenceOf(error);
  }
}

/** Between two questions the job may have ended, which the next answer tells. */
function ifItHasNotEnded(error: unknown): void {
  if (!(error instanceof ApiError && error.status === 404)) throw error;
}
