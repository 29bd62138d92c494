import { ApiError, errorOf, isTemporary, retryAfterOf } from "./errors";
import type {
  Job,
  JobList,
  JobOptions,
  JobSummary,
  Pipelines,
  Results,
  SignedParts,
  SignedVideo,
  Status,
  UploadOffered,
  UploadProgress,
} from "./types";

export { ApiError } from "./errors";

/** Where tokens come from; without a login there is none. */
export interface Tokens {
  current(): string | null;
  /** Get a new one after a 401; false if the user must log in again. Throws an `ApiError` if no answer came. */
  renew(): Promise<boolean>;
}

export interface Answer<T> {
  body: T;
  /** When to ask again; null if the service does not say. */
  retryAfterS: number | null;
  etag: string | null;
}

export interface ResultsQuery {
  cursor?: string;
  limit?: number;
  from_frame?: number;
  to_frame?: number;
  from_ms?: number;
  to_ms?: number;
  include?: "tracks";
  partial?: boolean;
}

interface Call {
  method?: "GET" | "POST" | "DELETE";
  query?: object;
  json?: unknown;
  body?: Blob;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** Whether it may be sent again without doing it twice; GET and DELETE may. */
  isRepeatable?: boolean;
  /** Whether the body is handed on as text, not as what its JSON says. */
  isText?: boolean;
}

interface Surroundings {
  fetch: typeof fetch;
  sleep: (seconds: number, signal?: AbortSignal) => Promise<void>;
  random: () => number;
}

const NO_TOKENS: Tokens = { current: () => null, renew: async () => false };
const TIMEOUT_S = 60;
const RETRIES = 4;
const FIRST_PAUSE_S = 0.5;
const LONGEST_PAUSE_S = 30;
/** A timer that is set for longer ends at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The routes of the service. Each call throws an `ApiError`, or an `AbortError` if its signal says so. */
export class Api {
  readonly #surroundings: Surroundings;

  constructor(
    /** Empty if the page and the API have the same origin. */
    readonly baseUrl: string,
    readonly tokens: Tokens = NO_TOKENS,
    surroundings: Partial<Surroundings> = {},
  ) {
    this.#surroundings = { fetch: (...call) => fetch(...call), sleep, random: Math.random, ...surroundings };
  }

  pipelines(signal?: AbortSignal): Promise<Answer<Pipelines>> {
    return this.call("/video/pipelines", { signal });
  }

  jobs(
    query: { status?: Status; pipeline_id?: string; limit?: number; cursor?: string },
    signal?: AbortSignal,
  ): Promise<Answer<JobList>> {
    return this.call("/video/jobs", { query, signal });
  }

  job(jobId: string, signal?: AbortSignal): Promise<Answer<Job>> {
    return this.call(jobPath(jobId), { signal });
  }

  results(jobId: string, query: ResultsQuery, signal?: AbortSignal): Promise<Answer<Results>> {
    return this.call(`/video/results/${encodeURIComponent(jobId)}`, { query, signal });
  }

  /** The answer as it was sent, for programs that care how a number is written. */
  resultsText(jobId: string, query: ResultsQuery, signal?: AbortSignal): Promise<Answer<string>> {
    const path = `/video/results/${encodeURIComponent(jobId)}`;
    return this.call(path, { query, signal, isText: true });
  }

  summary(jobId: string, signal?: AbortSignal): Promise<Answer<JobSummary>> {
    return this.call(`/video/summary/${encodeURIComponent(jobId)}`, { signal });
  }

  video(jobId: string, signal?: AbortSignal): Promise<Answer<SignedVideo>> {
    return this.call(`${jobPath(jobId)}/video`, { signal });
  }

  cancel(jobId: string): Promise<Answer<Job>> {
    return this.call(`${jobPath(jobId)}/cancel`, { method: "POST" });
  }

  retry(jobId: string): Promise<Answer<Job>> {
    return this.call(`${jobPath(jobId)}/retry`, { method: "POST" });
  }

  delete(jobId: string): Promise<Answer<null>> {
    return this.call(jobPath(jobId), { method: "DELETE" });
  }

  submit(wanted: SubmitRequest, key: string, signal?: AbortSignal): Promise<Answer<UploadOffered>> {
    const headers = { "idempotency-key": key };
    return this.call("/video/submit", { method: "POST", json: wanted, headers, isRepeatable: true, signal });
  }

  upload(jobId: string, signal?: AbortSignal): Promise<Answer<UploadProgress>> {
    return this.call(`${jobPath(jobId)}/upload`, { signal });
  }

  signParts(jobId: string, partNumbers: number[], signal?: AbortSignal): Promise<Answer<SignedParts>> {
    const json = { part_numbers: partNumbers };
    return this.call(`${jobPath(jobId)}/upload/parts`, { method: "POST", json, isRepeatable: true, signal });
  }

  completeUpload(jobId: string, signal?: AbortSignal): Promise<Answer<unknown>> {
    return this.call(`${jobPath(jobId)}/upload/complete`, { method: "POST", isRepeatable: true, signal });
  }

  abortUpload(jobId: string): Promise<Answer<unknown>> {
    return this.call(`${jobPath(jobId)}/upload`, { method: "DELETE" });
  }

  /** Call any path. A call that may be repeated is, with growing pauses, if the failure is temporary. */
  async call<T>(path: string, call: Call = {}): Promise<Answer<T>> {
    const isRepeatable = call.isRepeatable ?? call.method !== "POST";
    let isRenewed = false;
    for (let attempt = 0; ; ) {
      try {
        return await this.#callOnce<T>(path, call);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 401 && !isRenewed) {
          isRenewed = true;
          if (await this.tokens.renew()) continue;
        }
        const pauseS = this.#pauseAfter(error, attempt);
        if (!isRepeatable || !isTemporary(error) || attempt >= RETRIES || pauseS > LONGEST_PAUSE_S)
          throw error;
        attempt += 1;
        await this.#surroundings.sleep(pauseS, call.signal);
      }
    }
  }

  #pauseAfter(error: ApiError, attempt: number): number {
    const pauseS = FIRST_PAUSE_S * 2 ** attempt * (0.5 + this.#surroundings.random());
    return Math.max(error.retryAfterS ?? 0, pauseS);
  }

  async #callOnce<T>(path: string, call: Call): Promise<Answer<T>> {
    const answer = await this.#send(path, call);
    if (!answer.ok) throw await errorOf(answer);
    const text = await reached(() => answer.text(), call.signal);
    return {
      body: (call.isText ? text : bodyOf(text, answer.status)) as T,
      retryAfterS: retryAfterOf(answer.headers, Date.now()),
      etag: answer.headers.get("etag"),
    };
  }

  async #send(path: string, call: Call): Promise<Response> {
    const headers = new Headers(call.headers);
    const token = this.tokens.current();
    if (token) headers.set("authorization", `Bearer ${token}`);
    if (call.json !== undefined) headers.set("content-type", "application/json");
    const signals = [AbortSignal.timeout(TIMEOUT_S * 1000), ...(call.signal ? [call.signal] : [])];
    const request: RequestInit = {
      method: call.method ?? "GET",
      headers,
      body: call.json === undefined ? (call.body ?? null) : JSON.stringify(call.json),
      signal: AbortSignal.any(signals),
      cache: "no-store",
      credentials: "omit",
    };
    const url = this.baseUrl + path + queryOf(call.query);
    return reached(() => this.#surroundings.fetch(url, request), call.signal);
  }
}

/** The line may be lost before the answer, or in the middle of it. */
async function reached<T>(ask: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await ask();
  } catch {
    signal?.throwIfAborted();
    throw new ApiError(0, "unreachable", "The service cannot be reached; is the network there?");
  }
}

function bodyOf(text: string, status: number): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(status, "no_json", "What answers at the API's address is not the service.");
  }
}

export type SubmitRequest = JobOptions &
  (
    | { size_bytes: number; upload_method: "form" | "multipart"; content_type?: string }
    | { source_url: string }
  );

function jobPath(jobId: string): string {
  return `/video/jobs/${encodeURIComponent(jobId)}`;
}

/** A query with `?`; what is undefined is left out. */
export function queryOf(query: object | undefined): string {
  const present = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  return present.length === 0
    ? ""
    : `?${new URLSearchParams(present.map(([name, value]) => [name, String(value)]))}`;
}

/** Wait; throws an `AbortError` if the signal says so. */
export function sleep(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      },
      Math.min(LONGEST_TIMER_MS, seconds * 1000),
    );
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
