import type { Span } from "./analysed_span";
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
  /** Ends with its frames, or with null if they could not be fetched. */
  loaded: Promise<ShownFrame[] | null> | null;
  /** Not to be asked for before this time, because it failed. */
  notBefore: number;
}

const PAUSE_AFTER_FAILURE_MS = 3000;
/** So many bytes of frames stay in memory, about. */
const BUDGET_BYTES = 24 * 1024 * 1024;

/** Thrown where frames are needed that could not be fetched; why, was told by then. */
export class NotThereError extends Error {}

/** Windows of the results around the playhead. */
export class ResultWindows {
  #windows: Window[] = [];
  #stop = new AbortController();
  #playheadMs = 0;
  #isGrowing = false;
  #knownUntilMs = -1;
  #open = () => {};
  /** Resolves when there are windows, or there will be none. */
  readonly opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

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
    if (plans.length > 0) this.#open();
    this.onChange();
  }

  /** A window after the last one. */
  append(plan: WindowPlan & { frames: ShownFrame[] }): void {
    this.#windows.push(windowOf(plan));
    this.#knownUntilMs = plan.frames.at(-1)?.timeMs ?? this.#knownUntilMs;
    this.#free();
    this.#open();
    this.onChange();
  }

  /** Nothing is appended any more. */
  end(): void {
    this.#isGrowing = false;
    this.#open();
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

  /** Fetch what is needed at a time: its window, which can be waited for, the one after it, and the one before. */
  want(timeMs: number): Promise<unknown> | null {
    this.#playheadMs = timeMs;
    const place = this.#placeOf(timeMs);
    const [here = null] = [place, place + 1, place - 1].map((near) => this.#load(near));
    this.#free();
    return here;
  }

  /**
   * The analysed frame after a time, or the one before it; null if there is none. Throws if what lies between
   * could not be fetched.
   */
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

  /** The frames of a window, which must not seem empty if it could not be fetched. */
  async #framesOf(place: number): Promise<ShownFrame[]> {
    const { signal } = this.#stop;
    const window = this.#windows[place];
    const frames = window?.state === "there" ? window.frames : await this.#load(place);
    signal.throwIfAborted();
    if (!frames) throw new NotThereError();
    return frames;
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

  #load(place: number): Promise<ShownFrame[] | null> | null {
    const window = this.#windows[place];
    if (window?.state === "absent" && Date.now() >= window.notBefore) window.loaded = this.#fetch(window);
    return window?.loaded ?? null;
  }

  async #fetch(window: Window): Promise<ShownFrame[] | null> {
    const { signal } = this.#stop;
    window.state = "loading";
    try {
      const frames = await window.fetch(signal);
      fill(window, frames);
      if (signal.aborted) return null;
      this.#free();
      this.onChange();
      return frames;
    } catch (error) {
      window.state = "absent";
      window.notBefore = Date.now() + PAUSE_AFTER_FAILURE_MS;
      if (!signal.aborted) this.onError(error);
      return null;
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

/** Windows of equal length over the part that was analysed; each has about as many frames. */
export function equalWindows(
  { startMs, endMs }: Span,
  frameCount: number,
  framesPerWindow: number,
  fetch: (fromMs: number, toMs: number | null, signal: AbortSignal) => Promise<ShownFrame[]>,
): WindowPlan[] {
  const count = Math.max(1, Math.ceil(frameCount / framesPerWindow));
  const lengthMs = Math.max(1, Math.ceil((endMs - startMs) / count));
  return Array.from({ length: count }, (_, place) => {
    // together they have all frames, even those that are not where they were expected
    const fromMs = place === 0 ? 0 : startMs + place * lengthMs;
    // both ends belong to a range, and times have three decimals
    const toMs = place === count - 1 ? null : startMs + (place + 1) * lengthMs - 0.001;
    return { fromMs, fetch: (signal) => fetch(fromMs, toMs, signal) };
  });
}
