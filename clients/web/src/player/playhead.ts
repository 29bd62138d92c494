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
  /** Called when the video is to play, but could not be loaded. */
  onRefused: () => void = () => {};
  readonly #changes;
  #video: HTMLVideoElement | null = null;
  #about: Video | null = null;
  /** The time of the presented picture as the player counts. */
  #mediaTime: number | null = null;
  /** Where a seek was to go, until something else moves the playhead. */
  #soughtMs: number | null = null;
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

  /** Facts about the video, which may come after its first picture: only they tell what its times mean. */
  set about(video: Video | null) {
    const isNews = this.#about === null && video !== null;
    this.#about = video;
    if (!isNews) return;
    if (this.#mediaTime !== null) this.presentedMs.value = resultsMs(this.#mediaTime, this.#firstMs);
    if (this.#soughtMs !== null) void this.seek(this.#soughtMs);
  }

  /** Follow what a video element presents; returns what ends it. */
  attach(video: HTMLVideoElement): () => void {
    this.#video = video;
    let handle = 0;
    const onFrame = (now: number, { mediaTime, expectedDisplayTime }: VideoFrameCallbackMetadata) => {
      this.#show(mediaTime, now - expectedDisplayTime);
      handle = video.requestVideoFrameCallback(onFrame);
    };
    handle = video.requestVideoFrameCallback(onFrame);
    const onPlayState = () => {
      this.isPlaying.value = !video.paused && !video.ended;
      if (video.paused) this.isLate.value = false;
      else this.#soughtMs = null;
    };
    const onEmptied = () => {
      this.#mediaTime = null;
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
    this.#mediaTime = null;
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
    if (video.paused)
      void video.play().catch(() => {
        if (video.error) this.onRefused();
      });
    else video.pause();
  }

  /** Go to a time: to the picture that is shown then, or without a video to an analysed frame. */
  seek(timeMs: number): Promise<void> {
    this.#soughtMs = timeMs;
    // what cannot be fetched is told by the windows; the player stays where it is
    return this.#seek(timeMs, ++this.#seeks).catch(() => {});
  }

  /** Go to where it was sent before there was a video, or else to a start. */
  begin(startMs: number): Promise<void> {
    return this.seek(this.#soughtMs ?? startMs);
  }

  async #seek(timeMs: number, seek: number): Promise<void> {
    const isKnown = this.windows.frameAt(timeMs) !== undefined;
    const fetched = this.windows.want(timeMs);
    if (this.#video && (!isKnown || this.isPlaying.value)) {
      this.#video.currentTime = this.#secondsOf(timeMs);
      if (this.isPlaying.value) {
        this.#soughtMs = null; // it plays on from there
        return;
      }
    }
    await fetched;
    const frame = this.#video ? this.windows.frameAt(timeMs) : await this.#frameAlone(timeMs);
    if (seek !== this.#seeks || this.isPlaying.value) return;
    if (frame) await this.#goTo(frame, seek);
    else await this.#present(this.#video ? timeMs + SURE_MS : timeMs);
  }

  /** Without a video, a frame stays until the next one, and the first one is there from the start. */
  async #frameAlone(timeMs: number): Promise<ShownFrame | null> {
    await this.windows.opened;
    const frame = (await this.windows.shownAt(timeMs)) ?? (await this.windows.neighbour(timeMs, 1));
    return this.windows.frameAt(timeMs) === undefined ? null : frame;
  }

  /** Go on by a time, or back; if the same picture is still shown there, to the next analysed frame. */
  skip(byMs: number, durationMs: number): Promise<void> {
    return this.#skip(byMs, durationMs).catch(() => {});
  }

  async #skip(byMs: number, durationMs: number): Promise<void> {
    this.#soughtMs = null;
    const [seek, fromMs, direction] = [++this.#seeks, this.timeMs, byMs > 0 ? 1 : -1] as const;
    await this.#seek(Math.max(0, Math.min(durationMs, fromMs + byMs)), seek);
    const hasMoved = direction * (this.timeMs - fromMs) > TOLERANCE_MS;
    if (!hasMoved && !this.isPlaying.value) await this.#pass(fromMs, direction, seek);
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
    this.#soughtMs = null;
    await this.#pass(this.timeMs, direction, ++this.#seeks);
  }

  /** Go to the first analysed frame beyond a time at which the player can stop. */
  async #pass(fromMs: number, direction: 1 | -1, seek: number): Promise<void> {
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
    const next = await this.windows.neighbour(frame.timeMs, 1).catch(() => null);
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
      this.presentedMs.value = Math.min(timeMs, this.#about?.duration_ms ?? timeMs);
      return;
    }
    const before = this.#presented;
    const lastMs = this.presentedMs.value;
    const seeked = happens(video, "seeked");
    this.#isSeeking = true;
    video.currentTime = this.#secondsOf(timeMs);
    const isThere = await seeked;
    if (!isThere && isFaultOfVideo(video)) await this.#comeBack(video, lastMs);
    this.#isSeeking = false;
    if (!isThere) throw new StuckError();
    this.isStuck.value = false;
    await this.#nextPicture(before);
  }

  /** Wait for the callback of a picture after so many; one that follows the first too soon has none in Chromium. */
  async #nextPicture(before: number): Promise<void> {
    const untilMs = performance.now() + QUIET_MS;
    while (this.#presented === before && performance.now() < untilMs) await after(5);
  }

  /** After its URL was renewed, the video goes on where it was; the place is in seconds of the player. */
  async resume(seconds: number, isPlaying: boolean): Promise<void> {
    const [video, seek] = [this.#video, this.#seeks];
    await this.#nextPicture(this.#presented);
    this.isStuck.value = false;
    if (!video || seek !== this.#seeks) return;
    video.currentTime = seconds;
    if (isPlaying) await video.play().catch(() => {});
  }

  /** After a picture that cannot be decoded: go on where the last one was presented. */
  async recover(): Promise<void> {
    if (this.#video && !this.#isSeeking) await this.#comeBack(this.#video, this.presentedMs.value);
  }

  /** Load the video anew, and go where its picture was presented. */
  async #comeBack(video: HTMLVideoElement, lastMs: number | null): Promise<void> {
    this.isStuck.value = true;
    const before = this.#presented;
    const loaded = happens(video, "loadeddata");
    video.load();
    await loaded;
    if (lastMs === null) return;
    await this.#nextPicture(before);
    const seeked = happens(video, "seeked");
    video.currentTime = this.#secondsOf(lastMs + SURE_MS);
    await seeked;
  }

  #show(mediaTime: number, lateMs: number): void {
    this.#presented += 1;
    const shownMs = 1000 / (this.#about?.average_frame_rate ?? 30) / (this.#video?.playbackRate || 1);
    this.isLate.value = this.isPlaying.value && lateMs > shownMs;
    this.#mediaTime = mediaTime;
    this.presentedMs.value = resultsMs(mediaTime, this.#firstMs);
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

/** Whether a seek failed at the video itself; if it could not be loaded, another URL or the network helps. */
function isFaultOfVideo({ error }: HTMLVideoElement): boolean {
  return error ? error.code === MediaError.MEDIA_ERR_DECODE : navigator.onLine;
}

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
