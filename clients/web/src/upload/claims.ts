/** What is used of the Web Locks API: all tabs of a browser share its locks, and a tab that is closed loses its own. */
export type Locks = Pick<LockManager, "request" | "query">;

const PREFIX = "video-jobs-upload:";

/**
 * Which jobs have an upload that runs, in this tab or in another, so that no part is sent by two.
 *
 * A page without HTTPS has no locks; only its own uploads are known then.
 */
export class Claims {
  readonly #here = new Set<string>();

  constructor(private readonly locks: Locks | undefined) {}

  /** Gives what ends the claim; null if another upload has the job. */
  async claim(jobId: string): Promise<(() => void) | null> {
    if (this.#here.has(jobId)) return null;
    this.#here.add(jobId);
    const unlock = await this.#lock(jobId);
    if (!unlock) this.#here.delete(jobId);
    return (
      unlock &&
      (() => {
        this.#here.delete(jobId);
        unlock();
      })
    );
  }

  isHere(jobId: string): boolean {
    return this.#here.has(jobId);
  }

  /** The jobs that other tabs upload. */
  async elsewhere(): Promise<Set<string>> {
    const found = await this.locks?.query().catch(() => null);
    const names = found?.held?.map(({ name }) => name ?? "") ?? [];
    const ids = names.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
    return new Set(ids.filter((id) => !this.#here.has(id)));
  }

  /** Resolves when no other tab has the job any more. */
  async end(jobId: string): Promise<void> {
    await this.locks?.request(PREFIX + jobId, { mode: "shared" }, () => {});
  }

  #lock(jobId: string): Promise<(() => void) | null> {
    return new Promise((resolve) => {
      const hold = (lock: Lock | null) =>
        new Promise<void>((unlock) => {
          resolve(lock && unlock);
          if (!lock) unlock();
        });
      if (!this.locks) return resolve(() => {});
      this.locks.request(PREFIX + jobId, { ifAvailable: true }, hold).catch(() => resolve(() => {}));
    });
  }
}
