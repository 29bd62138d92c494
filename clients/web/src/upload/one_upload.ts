import { type Api, ApiError, sleep as sleepFor } from "../api/client";
import { isTemporary } from "../api/errors";
import type { JobOptions, SignedPart, UploadForm, UploadProgress } from "../api/types";
import type { Claims } from "./claims";
import type { Send } from "./transfer";
import { isEqual, type Unfinished, type UnfinishedUploads } from "./unfinished";

export const FORM_BYTES = 64 * 2 ** 20;
const PARALLEL = 4;
/** URLs are signed shortly before they are used, because they expire. */
const SIGNED_AT_ONCE = 16;
const TRIES = 5;
const ROUNDS = 3;
const LONGEST_PAUSE_S = 20;

export interface Surroundings {
  api: Api;
  send: Send;
  unfinished: UnfinishedUploads;
  claims: Claims;
  /** Waits; ends early if the network is back. */
  pause: (seconds: number, signal: AbortSignal) => Promise<void>;
  newKey: () => string;
}

export interface Listener {
  /** An upload that goes on may have been begun with other options than those that are chosen now. */
  onJob(jobId: string, hasTheseOptions: boolean): void;
  onProgress(sentBytes: number, resumedBytes: number): void;
  /** Whether the upload waits for the network. */
  onLine(isThere: boolean): void;
}

/** A refusal that no repetition changes. */
export class UploadError extends Error {}

/** The upload of one file: with a form, or in parts if it is large or was begun so. */
export class OneUpload {
  private readonly signal: AbortSignal;
  readonly #failed = new AbortController();
  readonly #sentOfPart = new Map<number, number>();
  #storedBytes = 0;
  #resumedBytes = 0;
  #endClaim = () => {};

  constructor(
    private readonly file: File,
    private readonly options: JobOptions,
    private readonly around: Surroundings,
    private readonly listener: Listener,
    cancelled: AbortSignal,
  ) {
    this.signal = AbortSignal.any([cancelled, this.#failed.signal]);
  }

  /** Send the file; gives the id of its job. */
  async run(): Promise<string> {
    try {
      return await this.#run();
    } catch (error) {
      this.#failed.abort(); // the other parts
      throw error;
    } finally {
      this.#endClaim();
    }
  }

  async #run(): Promise<string> {
    for (const begun of this.around.unfinished.find(this.file, this.options)) {
      if (!(await this.#claim(begun.jobId))) continue;
      if (await this.#goesOn(begun)) return begun.jobId;
    }
    const method = this.file.size > FORM_BYTES ? "multipart" : "form";
    try {
      return await this.#submit(method);
    } catch (error) {
      const isTooLarge = error instanceof ApiError && error.code === "video_too_large";
      if (!isTooLarge || method === "multipart") throw error;
      return this.#submit("multipart");
    }
  }

  /** Whether this upload has the job for itself. */
  async #claim(jobId: string): Promise<boolean> {
    const end = await this.around.claims.claim(jobId);
    if (!end) return false;
    this.#endClaim();
    this.#endClaim = end;
    return true;
  }

  /** Upload what is missing; false if the job does not wait for it any more. */
  async #goesOn({ jobId, options }: Unfinished): Promise<boolean> {
    const there = await this.#progressOf(jobId);
    if (!there) return false;
    this.listener.onJob(jobId, isEqual(options, this.options));
    if (there !== "arrived") await this.#inParts(jobId, there);
    return true;
  }

  /** Null if the upload or its job has ended otherwise. */
  async #progressOf(jobId: string): Promise<UploadProgress | "arrived" | null> {
    const { api, unfinished } = this.around;
    try {
      return (await this.#patiently(() => api.upload(jobId, this.signal))).body;
    } catch (error) {
      if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 409)) throw error;
      unfinished.forget(jobId);
      if (error.status === 404) return null;
      const job = await this.#patiently(() => api.job(jobId, this.signal));
      return job.body.status === "failed" ? null : "arrived"; // the answer to its completion was lost
    }
  }

  async #submit(method: "form" | "multipart"): Promise<string> {
    const { api, newKey, unfinished } = this.around;
    const wanted = {
      ...this.options,
      filename: this.file.name.slice(0, 255),
      size_bytes: this.file.size,
      upload_method: method,
    };
    const key = newKey();
    const ask = async () => (await this.#patiently(() => api.submit(wanted, key, this.signal))).body;
    const offer = await ask();
    this.listener.onJob(offer.job_id, true);
    if (offer.multipart) {
      await this.#claim(offer.job_id);
      unfinished.keep(this.file, offer.job_id, this.options);
      await this.#inParts(offer.job_id, { ...offer.multipart, size_bytes: this.file.size, parts: [] });
    } else if (offer.upload) {
      await this.#withForm(offer.job_id, offer.upload, async () => (await ask()).upload ?? null);
    }
    return offer.job_id;
  }

  async #withForm(jobId: string, first: UploadForm, again: () => Promise<UploadForm | null>): Promise<void> {
    let form: UploadForm | null = first;
    for (let tries = 0; form !== null; tries += 1) {
      const status = await this.#send("POST", form.url, formOf(form, this.file), 1);
      if (status >= 200 && status < 300) return;
      await this.#afterFailure(status, tries, "the video");
      if (await this.#hasArrived(jobId)) return;
      form = await again(); // the same job, newly signed
    }
  }

  /** Whether the job went on: the file arrived, and only the answer was lost. */
  async #hasArrived(jobId: string): Promise<boolean> {
    const { body } = await this.#patiently(() => this.around.api.job(jobId, this.signal));
    if (body.status === "failed") throw new UploadError(body.error?.message ?? "The job has failed.");
    return body.status !== "pending";
  }

  async #inParts(jobId: string, first: UploadProgress): Promise<void> {
    const { api, unfinished } = this.around;
    let there = first;
    for (let round = 0; round < ROUNDS; round += 1) {
      this.#count(there, round === 0);
      await this.#sendMissing(jobId, there);
      try {
        await this.#patiently(() => api.completeUpload(jobId, this.signal));
        unfinished.forget(jobId);
        return;
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "upload_incomplete") throw error;
      }
      there = (await this.#patiently(() => api.upload(jobId, this.signal))).body;
    }
    throw new UploadError("The storage loses parts of the upload again and again; try it later.");
  }

  #count(there: UploadProgress, isFirst: boolean): void {
    this.#sentOfPart.clear();
    this.#storedBytes = there.parts.reduce((total, part) => total + part.size_bytes, 0);
    if (isFirst) this.#resumedBytes = this.#storedBytes;
    this.#tell();
  }

  async #sendMissing(jobId: string, there: UploadProgress): Promise<void> {
    const stored = new Map(there.parts.map((part) => [part.part_number, part.size_bytes]));
    const missing: number[] = [];
    for (let number = 1; number <= there.part_count; number += 1) {
      if (stored.get(number) !== this.#sizeOf(number, there.part_bytes)) missing.push(number);
    }
    const ready: SignedPart[] = [];
    let signing: Promise<void> | null = null;
    const next = async (): Promise<SignedPart | undefined> => {
      while (ready.length === 0 && (signing || missing.length)) {
        signing ??= this.#sign(jobId, missing.splice(0, SIGNED_AT_ONCE)).then((parts) => {
          ready.push(...parts);
          signing = null;
        });
        await signing;
      }
      return ready.shift();
    };
    const work = async () => {
      for (let part = await next(); part; part = await next()) {
        await this.#sendPart(jobId, part, there.part_bytes);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
  }

  async #sendPart(jobId: string, signed: SignedPart, partBytes: number): Promise<void> {
    let part: SignedPart | undefined = signed;
    const start = (signed.part_number - 1) * partBytes;
    const size = this.#sizeOf(signed.part_number, partBytes);
    for (let tries = 0; part; tries += 1) {
      const status = await this.#send(
        "PUT",
        part.url,
        this.file.slice(start, start + size),
        part.part_number,
      );
      if (status >= 200 && status < 300) {
        this.#sentOfPart.set(part.part_number, size);
        return this.#tell();
      }
      this.#sentOfPart.set(part.part_number, 0);
      this.#tell();
      await this.#afterFailure(status, tries, `part ${part.part_number}`);
      [part] = await this.#sign(jobId, [part.part_number]);
    }
  }

  async #sign(jobId: string, numbers: number[]): Promise<SignedPart[]> {
    return (await this.#patiently(() => this.around.api.signParts(jobId, numbers, this.signal))).body.parts;
  }

  async #send(method: "PUT" | "POST", url: string, body: Blob | FormData, part: number): Promise<number> {
    const onProgress = (bytes: number) => {
      this.#sentOfPart.set(part, Math.min(bytes, this.file.size));
      this.#tell();
    };
    await this.#checkReadable(body instanceof Blob ? body : this.file);
    const { status } = await this.around.send(method, url, body, onProgress, this.signal);
    if (status) this.listener.onLine(true);
    return status;
  }

  /** A file that was changed or removed cannot be read any more; XMLHttpRequest would say "no network". */
  async #checkReadable(body: Blob): Promise<void> {
    try {
      await body.slice(0, 1).arrayBuffer();
    } catch {
      throw new UploadError("The file has changed or is gone; choose it again.");
    }
  }

  /** Throws what cannot be mended; otherwise waits before the next try. */
  async #afterFailure(status: number, tries: number, what: string): Promise<void> {
    const isExpired = status === 400 || status === 403; // the signature has expired
    const isGone = status === 404; // the job has ended meanwhile: the service says why when it is asked to sign
    const canBeMended = status === 0 || isExpired || isGone || status >= 500;
    if (!canBeMended || (status !== 0 && tries >= TRIES)) {
      throw new UploadError(`The storage refused ${what} with status ${status}.`);
    }
    if (!isExpired && !isGone) await this.#wait(status === 0, tries);
  }

  /** Call the API until it answers: without a network, for as long as it takes. */
  async #patiently<T>(call: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      try {
        const answer = await call();
        this.listener.onLine(true);
        return answer;
      } catch (error) {
        if (!isTemporary(error)) throw error;
        if (error.status !== 0 && tries >= TRIES) throw error;
        await this.#wait(error.status === 0, tries, error.retryAfterS ?? 0);
      }
    }
  }

  async #wait(isAway: boolean, tries: number, leastS = 0): Promise<void> {
    if (isAway) this.listener.onLine(false);
    await this.around.pause(Math.max(leastS, Math.min(LONGEST_PAUSE_S, 2 ** tries)), this.signal);
  }

  #sizeOf(number: number, partBytes: number): number {
    return Math.min(partBytes, this.file.size - (number - 1) * partBytes);
  }

  #tell(): void {
    const sending = [...this.#sentOfPart.values()].reduce((total, bytes) => total + bytes, 0);
    this.listener.onProgress(Math.min(this.#storedBytes + sending, this.file.size), this.#resumedBytes);
  }
}

function formOf(form: UploadForm, file: File): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(form.fields)) data.append(name, value);
  data.append("file", file);
  return data;
}

/** Waits, but not longer than until the network is back. */
export async function pauseUntilOnline(seconds: number, signal: AbortSignal): Promise<void> {
  const back = new AbortController();
  const wake = () => back.abort();
  window.addEventListener("online", wake);
  try {
    await sleepFor(seconds, AbortSignal.any([signal, back.signal]));
  } catch (error) {
    if (signal.aborted) throw error;
  } finally {
    window.removeEventListener("online", wake);
  }
}
