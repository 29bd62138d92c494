import type { JobOptions } from "../api/types";

/** What is known of uploads in parts that were interrupted, kept in the browser: no URL and no token. */

export interface FileIdentity {
  name: string;
  size: number;
  lastModified: number;
}

export interface Unfinished extends FileIdentity {
  jobId: string;
  /** Those of the job; earlier versions of this page did not keep them. */
  options?: JobOptions;
  begunAt: number;
}

const KEY = "video-jobs-unfinished-uploads";
/** A service gives unfinished uploads up after at most this time. */
const KEPT_MS = 7 * 24 * 3600 * 1000;

/** The unfinished uploads to one service; a browser that keeps nothing has none. */
export class UnfinishedUploads {
  constructor(
    private readonly service: string,
    private readonly storage: Pick<Storage, "getItem" | "setItem">,
    private readonly now: () => number = Date.now,
  ) {}

  all(): Unfinished[] {
    return (this.#read()[this.service] ?? []).filter(({ begunAt }) => this.now() - begunAt < KEPT_MS);
  }

  /**
   * Those that a file may go on with: begun with the same options, or with any if none are chosen now.
   *
   * A file is found by what a browser tells of it after a reload: it has no path.
   */
  find(file: FileIdentity, options: JobOptions): Unfinished[] {
    const ofFile = this.all().filter((one) => isSame(one, file));
    const isSoBegun = (one: Unfinished) => isEqual(one.options, options);
    const others = Object.keys(options).length === 0 ? ofFile.filter((one) => !isSoBegun(one)) : [];
    return [...ofFile.filter(isSoBegun), ...others];
  }

  keep(file: FileIdentity, jobId: string, options: JobOptions): void {
    const { name, size, lastModified } = file;
    const others = this.all().filter((one) => one.jobId !== jobId);
    this.#write([...others, { name, size, lastModified, jobId, options, begunAt: this.now() }]);
  }

  forget(jobId: string): void {
    this.#write(this.all().filter((one) => one.jobId !== jobId));
  }

  #read(): Record<string, Unfinished[]> {
    try {
      return JSON.parse(this.storage.getItem(KEY) ?? "{}");
    } catch {
      return {};
    }
  }

  #write(uploads: Unfinished[]): void {
    try {
      this.storage.setItem(KEY, JSON.stringify({ ...this.#read(), [this.service]: uploads }));
    } catch {
      // full or forbidden: the upload cannot be gone on with after a reload
    }
  }
}

function isSame(one: FileIdentity, other: FileIdentity): boolean {
  return one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;
}

/** `readOptions` writes them in a fixed order. */
export function isEqual(one: JobOptions | undefined, other: JobOptions): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
