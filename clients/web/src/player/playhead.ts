import { computed, signal } from "@preact/signals";
import type { Video } from "../api/types";
import { playerSeconds, resultsMs, seekPoints, shownForMs, TOLERANCE_MS } from "./frame_clock";
import type { ShownFrame } from "./shown_frame";
import type { ResultWindows } from "./windows";

/** A picture that is presented again gets no callback; so long after a seek nothing else will come. */
const QUIET_MS = 250;
/**
 * At some places of a video with open GOPs, Chromium never ends a seek, or gives the video up: it begins to
 * decode at a keyframe whose neighbours need pictures before it.
 */
const LONGEST_SEEK_MS = 6000;
/** Frames that a player cannot stop at are passed over, so many at most. */
const MOST_PASSED = 16;
/** At the very start of a picture, a player may show the one before. */
const SURE_MS = 1;
/** A seek goes to the analysed frame that is shown there, if there is one so near. */
const SNAP_MS = 1000;

/**
 * What is on the screen, and the ways to change it.
 *
 * Times are in milliseconds from the first picture, as results count. Without a video that the browser can
 * play, the playhead goes from one analysed frame to another by itself.
 */
export class Playhead {
  /** The time of the picture that is on the screen; null before there is one. */
  readonly presentedMs = signal<number | null>(null);
  /** Whether the browser is late, so that another picture may be on the screen by now. */
  readonly isLate = signal(false);
  readonly isPlaying = signal(false);
  /** Whether the player did not come to the place where it was sent last. */
  readonly isStuck = signal(false);
  readonly #changes;
  #video: HTMLVideoElement | null = null;
  #about: Video | null = null;
  #seeks = 0;
  #presented = 0;
  #steps: Promise<void> = Promise.resolve();
  #waitingSteps = 0;
  #isSeeking = false;

  /** What was found on that picture; null if it was not analysed, undefined if that is not known (yet). */
  readonly frame;

  constructor(
    readonly windows: ResultWindows,
    changes: { readonly value: number },
  ) {
    this.#changes = changes;
    this.frame = computed<ShownFrame | null | undefined>(() => {
      void this.#changes.value;
      const timeMs = this.presentedMs.value;
      return timeMs === null || this.isLate.value ? undefined : this.windows.frameAt(timeMs);
    });
  }

  set about(video: Video | null) {
    this.#about = video;
  }

  /** Follow what a video element presents; returns what ends it. */
  attach(video: HTMLVideoElement): () => void {
    this.#video = video;
    let handle = 0;
    const onFrame = (now: number, { mediaTime, expectedDisplayTime }: VideoFrameCallbackMetadata) => {
      this.#show(resultsMs(mediaTime, this.#firstMs), now - expectedDisplayTime);
      handle = video.requestVideoFrameCallback(onFrame);
    };
    handle = video.requestVideoFrameCallback(onFrame);
    const onPlayState = () => {
      this.isPlaying.value = !video.paused && !video.ended;
      if (video.paused) this.isLate.value = false;
    };
    const onEmptied = () => {
      this.presentedMs.value = null;
    };
    const events = { play: onPlayState, pause: onPlayState, ended: onPlayState, emptied: onEmptied };
    for (const [name, listener] of Object.entries(events)) video.addEventListener(name, listener);
    return () => {
      video.cancelVideoFrameCallback(handle);
      for (const [name, listener] of Object.entries(events)) video.removeEventListener(name, listener);
      this.detach();
    };
  }

  /** Go on without a video. */
  detach(): void {
    this.#video = null;
    this.isPlaying.value = false;
  }

  /** Where the player is: the presented picture, or the place it was sent to before there is one. */
  get timeMs(): number {
    if (this.presentedMs.value !== null) return this.presentedMs.value;
    return this.#video ? Math.max(0, resultsMs(this.#video.currentTime, this.#firstMs)) : 0;
  }

  toggle(): void {
    const video = this.#video;
    if (!video) return;
    if (video.paused) void video.play().catch(() => {});
    else video.pause();
  }

  /** Go to a time, and there to the analysed frame that is shown, if it is near. */
  seek(timeMs: number): Promise<void> {
    // what cannot be fetched is told by the windows; the player stays where it is
    return this.#seek(timeMs).catch(() => {});
  }

  async #seek(timeMs: number): Promise<void> {
    const seek = ++this.#seeks;
    const isKnown = this.windows.frameAt(timeMs) !== undefined;
    this.windows.want(timeMs);
    if (this.#video && (!isKnown || this.isPlaying.value)) {
      this.#video.currentTime = this.#secondsOf(timeMs);
      if (this.isPlaying.value) return;
    }
    const frame = (await this.windows.shownAt(timeMs)) ?? (await this.windows.neighbour(timeMs, 1));
    if (seek !== this.#seeks || this.isPlaying.value) return;
    const isKnownNow = this.windows.frameAt(timeMs) !== undefined;
    if (frame && isKnownNow && Math.abs(frame.timeMs - timeMs) <= SNAP_MS) await this.#goTo(frame, seek);
    else await this.#present(timeMs + SURE_MS);
  }

  /** Pause, and go to the next analysed frame, or to the one before. */
  step(direction: 1 | -1): Promise<void> {
    this.#video?.pause();
    if (this.#waitingSteps > 1) return this.#steps;
    this.#waitingSteps += 1;
    this.#steps = this.#steps
      .then(() => this.#step(direction))
      .catch(() => {})
      .finally(() => {
        this.#waitingSteps -= 1;
      });
    return this.#steps;
  }

  async #step(direction: 1 | -1): Promise<void> {
    const seek = ++this.#seeks;
    const fromMs = this.timeMs;
    let target = await this.windows.neighbour(fromMs, direction);
    for (let passed = 0; target && passed < MOST_PASSED && seek === this.#seeks; passed += 1) {
      this.windows.want(target.timeMs);
      await this.#goTo(target, seek);
      if (direction * (this.timeMs - fromMs) > TOLERANCE_MS) return;
      target = await this.windows.neighbour(target.timeMs, direction);
    }
  }

  /** Try to have exactly this frame on the screen. */
  async #goTo(frame: ShownFrame, seek: number): Promise<void> {
    if (!this.#video) {
      this.presentedMs.value = frame.timeMs;
      return;
    }
    const next = await this.windows.neighbour(frame.timeMs, 1);
    const shownMs = shownForMs(frame, next, this.#about?.average_frame_rate ?? null);
    for (const timeMs of seekPoints(frame, shownMs)) {
      if (seek !== this.#seeks) return;
      await this.#present(timeMs);
      const presentedMs = this.presentedMs.value;
      if (presentedMs !== null && Math.abs(presentedMs - frame.timeMs) <= TOLERANCE_MS) return;
    }
  }

  /** Send the player to a time, and wait until it presents what is there. */
  async #present(timeMs: number): Promise<void> {
    const video = this.#video;
    if (!video) {
      this.presentedMs.value = timeMs;
      return;
    }
    const before = this.#presented;
    const lastMs = this.presentedMs.value;
    const seeked = happens(video, "seeked");
    this.#isSeeking = true;
    video.currentTime = this.#secondsOf(timeMs);
    const isThere = await seeked;
    if (!isThere) await this.#comeBack(video, lastMs);
    this.#isSeeking = false;
    if (!isThere) throw new StuckError();
    this.isStuck.value = false;
    const untilMs = performance.now() + QUIET_MS;
    while (this.#presented === before && performance.now() < untilMs) await after(5);
  }

  /** After a picture that cannot be decoded: go on where the last one was presented. */
  async recover(): Promise<void> {
    if (this.#video && !this.#isSeeking) await this.#comeBack(this.#video, this.presentedMs.value);
  }

  /** Load the video anew, and go where its picture was presented. */
  async #comeBack(video: HTMLVideoElement, lastMs: number | null): Promise<void> {
    this.isStuck.value = true;
    const loaded = happens(video, "loadeddata");
    video.load();
    await loaded;
    if (lastMs === null) return;
    const seeked = happens(video, "seeked");
    video.currentTime = this.#secondsOf(lastMs + SURE_MS);
    await seeked;
  }

  #show(timeMs: number, lateMs: number): void {
    this.#presented += 1;
    const shownMs = 1000 / (this.#about?.average_frame_rate ?? 30) / (this.#video?.playbackRate || 1);
    this.isLate.value = this.isPlaying.value && lateMs > shownMs;
    this.presentedMs.value = timeMs;
  }

  #secondsOf(timeMs: number): number {
    return Math.max(0, playerSeconds(timeMs, this.#firstMs));
  }

  get #firstMs(): number {
    return this.#about?.first_picture_ms ?? 0;
  }
}

/** Thrown to give a way up; the signals tell why. */
class StuckError extends Error {}

/** Whether an event comes in good time, and before an error. */
function happens(video: HTMLVideoElement, name: string): Promise<boolean> {
  const first = new Promise<boolean>((resolve) => {
    video.addEventListener(name, () => resolve(true), { once: true });
    video.addEventListener("error", () => resolve(false), { once: true });
  });
  return Promise.race([first, after(LONGEST_SEEK_MS).then(() => false)]);
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
