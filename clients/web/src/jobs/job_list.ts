import { batch, type Signal, signal } from "@preact/signals";
import type { Api } from "../api/client";
import { pollPatiently } from "../api/polling";
import type { Job, Status } from "../api/types";

export interface Filter {
  status: Status | "";
  pipelineId: string;
}

/** If nothing is open: other pages and programs may submit jobs. */
const QUIET_S = 15;
const ON_A_PAGE = 20;

/** One page of the caller's jobs, kept up to date while it is looked at. */
export class JobList {
  readonly jobs: Signal<Job[] | null> = signal(null);
  readonly problem = signal("");
  readonly filter: Signal<Filter> = signal({ status: "", pipelineId: "" });
  /** What has just ended, as a sentence for screen readers. */
  readonly news = signal("");
  readonly #nextCursor = signal<string | null>(null);
  /** The cursors of the pages up to this one; the first page has none. */
  readonly #cursors: Signal<string[]> = signal([]);
  #watching = new AbortController();

  constructor(private readonly api: Api) {}

  get hasOlder(): boolean {
    return this.#nextCursor.value !== null;
  }

  get hasNewer(): boolean {
    return this.#cursors.value.length > 0;
  }

  /** Ask again and again until the returned function is called. */
  watch(): () => void {
    this.#restart();
    return () => this.#watching.abort();
  }

  choose(change: Partial<Filter>): void {
    batch(() => {
      this.filter.value = { ...this.filter.value, ...change };
      this.#cursors.value = [];
      this.jobs.value = null;
    });
    this.#restart();
  }

  older(): void {
    const next = this.#nextCursor.value;
    if (next !== null) this.#turnTo([...this.#cursors.value, next]);
  }

  newer(): void {
    this.#turnTo(this.#cursors.value.slice(0, -1));
  }

  /** Do something to a job, then look at the list again; throws an `ApiError`. */
  async change(action: "cancel" | "retry" | "delete", jobId: string): Promise<void> {
    await this.api[action](jobId);
    if (action === "delete") this.jobs.value = this.jobs.value?.filter((job) => job.job_id !== jobId) ?? null;
    if (!this.#watching.signal.aborted) this.#restart(); // the page may be left meanwhile
  }

  #turnTo(cursors: string[]): void {
    batch(() => {
      this.#cursors.value = cursors;
      this.jobs.value = null;
    });
    this.#restart();
  }

  #restart(): void {
    this.#watching.abort();
    this.#watching = new AbortController();
    const tell = (problem: string | null) => {
      this.problem.value = problem ?? "";
    };
    const look = (signal: AbortSignal) => this.#look(signal);
    pollPatiently(look, this.#watching.signal, tell, () => true).catch(() => {}); // ended by the signal
  }

  async #look(signal: AbortSignal): Promise<number> {
    const { status, pipelineId } = this.filter.value;
    const cursor = this.#cursors.value.at(-1);
    const query = {
      limit: ON_A_PAGE,
      ...(status && { status }),
      ...(pipelineId && { pipeline_id: pipelineId }),
      ...(cursor && { cursor }),
    };
    const { body, retryAfterS } = await this.api.jobs(query, signal);
    batch(() => {
      this.news.value = newsOf(this.jobs.value ?? [], body.jobs) || this.news.value;
      this.jobs.value = body.jobs;
      this.#nextCursor.value = body.next_cursor;
    });
    return retryAfterS ?? QUIET_S;
  }
}

/** Which jobs ended from one look to the next. */
export function newsOf(before: Job[], now: Job[]): string {
  const wereOpen = new Set(before.filter(isOpen).map((job) => job.job_id));
  return now
    .filter((job) => wereOpen.has(job.job_id) && !isOpen(job))
    .map((job) => `${nameOf(job)} ${job.status === "completed" ? "is completed" : "has failed"}.`)
    .join(" ");
}

export function isOpen({ status }: Job): boolean {
  return status === "pending" || status === "running";
}

/** What to call a job. */
export function nameOf(job: Job): string {
  return (
    job.filename ?? (job.source_host ? `Video from ${job.source_host}` : `Job ${job.job_id.slice(0, 8)}`)
  );
}
