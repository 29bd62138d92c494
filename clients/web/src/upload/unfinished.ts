/** What is known of uploads in parts that were interrupted, kept in the browser: no URL and no token. */

export interface FileIdentity {
  name: string;
  size: number;
  lastModified: number;
}

export interface Unfinished extends FileIdentity {
  jobId: string;
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

  /** A file is found by what a browser tells of it after a reload: it has no path. */
  find(file: FileIdentity): Unfinished | undefined {
    return this.all().find((one) => isSame(one, file));
  }

  keep(file: FileIdentity, jobId: string): void {
    const { name, size, lastModified } = file;
    const others = this.all().filter((one) => !isSame(one, file));
    this.#write([...others, { name, size, lastModified, jobId, begunAt: this.now() }]);
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
