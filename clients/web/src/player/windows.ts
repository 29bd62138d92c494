import { frameAt, TOLERANCE_MS } from "./frame_clock";
import { bytesOf, type ShownFrame } from "./shown_frame";

/** A piece of the results, which is fetched when the playhead comes near and freed when it is far away. */
export interface WindowPlan {
  /** All frames from this time on, up to the start of the next window. */
  fromMs: number;
  fetch: (signal: AbortSignal) => Promise<ShownFrame[]>;
  /** If they are known already. */
  frames?: ShownFrame[];
}

interface Window extends WindowPlan {
  state: "absent" | "loading" | "there";
  frames: ShownFrame[];
  bytes: number;
  loaded: Promise<void> | null;
  /** Not to be asked for before this time, because it failed. */
  notBefore: number;
}

const PAUSE_AFTER_FAILURE_MS = 3000;
/** So many bytes of frames stay in memory, about. */
const BUDGET_BYTES = 24 * 1024 * 1024;

/** Windows of the results around the playhead. */
export class ResultWindows {
  #windows: Window[] = [];
  #stop = new AbortController();
  #playheadMs = 0;
  #isGrowing = false;
  #knownUntilMs = -1;

  constructor(
    readonly onChange: () => void,
    readonly onError: (error: unknown) => void,
    readonly budgetBytes = BUDGET_BYTES,
  ) {}

  /** Forget everything, and begin with other windows; growing ones are not all there are. */
  reset(plans: readonly WindowPlan[], isGrowing = false): void {
    this.close();
    this.#isGrowing = isGrowing;
    this.#knownUntilMs = -1;
    this.#stop = new AbortController();
    this.#windows = plans.map(windowOf);
    this.onChange();
  }

  /** A window after the last one. */
  append(plan: WindowPlan & { frames: ShownFrame[] }): void {
    this.#windows.push(windowOf(plan));
    this.#knownUntilMs = plan.frames.at(-1)?.timeMs ?? this.#knownUntilMs;
    this.#free();
    this.onChange();
  }

  /** Nothing is appended any more. */
  end(): void {
    this.#isGrowing = false;
    this.onChange();
  }

  close(): void {
    this.#stop.abort();
  }

  get bytes(): number {
    return this.#windows.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The frame with this time; null if it was not analysed, undefined if it is not known yet. */
  frameAt(timeMs: number): ShownFrame | null | undefined {
    if (this.#isGrowing && timeMs > this.#knownUntilMs + TOLERANCE_MS) return undefined;
    // the time of a player is rounded, so that a frame may seem to be on the other side of a border
    const places = new Set([this.#placeOf(timeMs - TOLERANCE_MS), this.#placeOf(timeMs + TOLERANCE_MS)]);
    const windows = [...places].map((place) => this.#windows[place]);
    const found = windows.map((window) => window && frameAt(window.frames, timeMs)).find(Boolean);
    return found ?? (windows.some((window) => window && window.state !== "there") ? undefined : null);
  }

  /** Fetch what is needed at a time: its window, the one after it, and the one before. */
  want(timeMs: number): void {
    this.#playheadMs = timeMs;
    const place = this.#placeOf(timeMs);
    for (const near of [place, place + 1, place - 1]) this.#load(near);
    this.#free();
  }

  /** The analysed frame after a time, or the one before it; null if there is none. */
  async neighbour(timeMs: number, direction: 1 | -1): Promise<ShownFrame | null> {
    const from = this.#placeOf(timeMs);
    for (let place = from; place >= 0 && place < this.#windows.length; place += direction) {
      const frames = await this.#framesOf(place);
      const found =
        direction === 1
          ? frames.find((frame) => frame.timeMs > timeMs + TOLERANCE_MS)
          : frames.findLast((frame) => frame.timeMs < timeMs - TOLERANCE_MS);
      if (found) return found;
    }
    return null;
  }

  /** The frame that is shown at a time: the last analysed one that is not after it. */
  async shownAt(timeMs: number): Promise<ShownFrame | null> {
    return this.neighbour(timeMs + 2 * TOLERANCE_MS, -1);
  }

  async #framesOf(place: number): Promise<ShownFrame[]> {
    const stop = this.#stop;
    await this.#load(place);
    stop.signal.throwIfAborted();
    const window = this.#windows[place];
    return window?.state === "there" ? window.frames : [];
  }

  /** The last window that begins at a time or before it. */
  #placeOf(timeMs: number): number {
    const windows = this.#windows;
    let [low, high] = [0, windows.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((windows[middle]?.fromMs ?? 0) <= timeMs) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #load(place: number): Promise<void> | null {
    const window = this.#windows[place];
    if (window?.state === "absent" && Date.now() >= window.notBefore) window.loaded = this.#fetch(window);
    return window?.loaded ?? null;
  }

  async #fetch(window: Window): Promise<void> {
    const { signal } = this.#stop;
    window.state = "loading";
    try {
      fill(window, await window.fetch(signal));
      if (signal.aborted) return;
      this.#free();
      this.onChange();
    } catch (error) {
      window.state = "absent";
      window.notBefore = Date.now() + PAUSE_AFTER_FAILURE_MS;
      if (!signal.aborted) this.onError(error);
    } finally {
      window.loaded = null;
    }
  }

  /** Free the windows that are farthest from the playhead. */
  #free(): void {
    let excess = this.bytes - this.budgetBytes;
    if (excess <= 0) return;
    const here = this.#placeOf(this.#playheadMs);
    const far = this.#windows
      .map((window, place) => ({ window, distance: Math.abs(place - here) }))
      .filter(({ window, distance }) => window.state === "there" && distance > 1)
      .sort((one, other) => other.distance - one.distance);
    for (const { window } of far) {
      if (excess <= 0) break;
      excess -= window.bytes;
      Object.assign(window, { state: "absent", frames: [], bytes: 0 });
    }
  }
}

function windowOf(plan: WindowPlan): Window {
  const window: Window = { ...plan, state: "absent", frames: [], bytes: 0, loaded: null, notBefore: 0 };
  if (plan.frames) fill(window, plan.frames);
  return window;
}

function fill(window: Window, frames: ShownFrame[]): void {
  window.state = "there";
  window.frames = frames;
  window.bytes = bytesOf(frames);
}

/** Windows of equal length over a video of a known duration; each has about as many frames. */
export function equalWindows(
  durationMs: number,
  frameCount: number,
  framesPerWindow: number,
  fetch: (fromMs: number, toMs: number | null, signal: AbortSignal) => Promise<ShownFrame[]>,
): WindowPlan[] {
  const count = Math.max(1, Math.ceil(frameCount / framesPerWindow));
  const lengthMs = Math.max(1, Math.ceil(durationMs / count));
  return Array.from({ length: count }, (_, place) => {
    const fromMs = place * lengthMs;
    // both ends belong to a range, and times have three decimals
    const toMs = place === count - 1 ? null : fromMs + lengthMs - 0.001;
    return { fromMs, fetch: (signal) => fetch(fromMs, toMs, signal) };
  });
}
