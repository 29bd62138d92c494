import { signal } from "@preact/signals";
import { describe, expect, it, vi } from "vitest";
import type { Video } from "../src/api/types";
import { Playhead } from "../src/player/playhead";
import type { ShownFrame } from "../src/player/shown_frame";
import { ResultWindows } from "../src/player/windows";

const STEP_MS = 40;
const FIRST_MS = 500;
const about = { first_picture_ms: FIRST_MS, average_frame_rate: 25 } as Video;
const frameOf = (index: number): ShownFrame => ({
  index,
  timeMs: index * STEP_MS,
  objects: [],
  words: [],
});

type OnFrame = (now: number, metadata: { mediaTime: number; expectedDisplayTime: number }) => void;

/** A player that presents the picture of the time it is sent to, unless it cannot stop there. */
class PlayedVideo extends EventTarget {
  paused = true;
  ended = false;
  playbackRate = 1;
  stuckFrom = Number.POSITIVE_INFINITY;
  readonly sentTo: number[] = [];
  #seconds = 0;
  #onFrame: OnFrame | null = null;

  constructor(readonly instead: Record<number, number> = {}) {
    super();
  }

  get currentTime(): number {
    return this.#seconds;
  }

  set currentTime(seconds: number) {
    this.#seconds = seconds;
    this.sentTo.push(seconds);
    const index = Math.floor((seconds * 1000 - FIRST_MS) / STEP_MS + 1e-6);
    if (index >= this.stuckFrom) return;
    queueMicrotask(() => {
      this.present(this.instead[index] ?? index);
      this.dispatchEvent(new Event("seeked"));
    });
  }

  present(index: number, lateMs = 0): void {
    const call = this.#onFrame;
    this.#onFrame = null;
    call?.(lateMs, { mediaTime: (FIRST_MS + index * STEP_MS) / 1000, expectedDisplayTime: 0 });
  }

  requestVideoFrameCallback(call: OnFrame): number {
    this.#onFrame = call;
    return 1;
  }

  cancelVideoFrameCallback(): void {}

  load(): void {
    this.dispatchEvent(new Event("emptied"));
    queueMicrotask(() => this.dispatchEvent(new Event("loadeddata")));
  }

  pause(): void {
    this.paused = true;
    this.dispatchEvent(new Event("pause"));
  }

  async play(): Promise<void> {
    this.paused = false;
    this.dispatchEvent(new Event("play"));
  }
}

function opened(instead: Record<number, number> = {}, stride = 1) {
  const changes = signal(0);
  const windows = new ResultWindows(
    () => {
      changes.value += 1;
    },
    () => {},
  );
  const frames = Array.from({ length: 100 / stride }, (_, place) => frameOf(place * stride));
  windows.reset([{ fromMs: 0, fetch: async () => [], frames }]);
  const playhead = new Playhead(windows, changes);
  playhead.about = about;
  const video = new PlayedVideo(instead);
  playhead.attach(video as unknown as HTMLVideoElement);
  const shown = () => playhead.frame.value?.index;
  return { playhead, video, shown };
}

describe("the playhead", () => {
  it("shows what the presented picture has, and nothing for pictures that were not analysed", () => {
    const { video, shown, playhead } = opened({}, 5);
    expect(shown()).toBeUndefined();
    video.present(5);
    expect(shown()).toBe(5);
    video.present(6);
    expect(playhead.frame.value).toBeNull();
  });

  it("goes to the middle of a frame, and snaps to an analysed one", async () => {
    const { playhead, video, shown } = opened({}, 5);
    await playhead.seek(230);
    expect(shown()).toBe(5);
    expect(video.sentTo).toEqual([0.72]);
  });

  it("steps by analysed frames, one after the other", async () => {
    const { playhead, shown } = opened({}, 5);
    await playhead.seek(0);
    await Promise.all([playhead.step(1), playhead.step(1)]);
    expect(shown()).toBe(10);
    await playhead.step(-1);
    expect(shown()).toBe(5);
  });

  it("passes frames at which the player cannot stop, in both directions", async () => {
    const { playhead, shown } = opened({ 5: 8, 6: 8, 7: 8 });
    await playhead.seek(4 * STEP_MS);
    await playhead.step(1);
    expect(shown()).toBe(8);
    await playhead.step(-1);
    expect(shown()).toBe(4);
  });

  it("comes back from where the player gets stuck", async () => {
    vi.useFakeTimers();
    const { playhead, video, shown } = opened();
    const wait = async (done: Promise<void>) => {
      await vi.runAllTimersAsync();
      await done;
    };
    await wait(playhead.seek(120));
    video.stuckFrom = 50;
    await wait(playhead.seek(60 * STEP_MS));
    expect(playhead.isStuck.value).toBe(true);
    expect(shown()).toBe(3);
    await wait(playhead.step(1));
    expect(playhead.isStuck.value).toBe(false);
    expect(shown()).toBe(4);
    vi.useRealTimers();
  });

  it("stays at the ends", async () => {
    const { playhead, shown } = opened();
    await playhead.seek(0);
    await playhead.step(-1);
    expect(shown()).toBe(0);
    await playhead.seek(1e9);
    await playhead.seek(99 * STEP_MS);
    await playhead.step(1);
    expect(shown()).toBe(99);
  });

  it("draws nothing while the browser is late", async () => {
    const { playhead, video, shown } = opened();
    await video.play();
    video.present(3, 10);
    expect(shown()).toBe(3);
    video.present(4, 100);
    expect(playhead.frame.value).toBeUndefined();
    video.present(5, 0);
    expect(shown()).toBe(5);
    video.present(6, 100);
    video.pause();
    expect(shown()).toBe(6);
  });

  it("forgets the picture when another file is loaded", () => {
    const { playhead, video } = opened();
    video.present(3);
    video.dispatchEvent(new Event("emptied"));
    expect(playhead.presentedMs.value).toBeNull();
  });

  it("goes on without a video", async () => {
    const { playhead, shown } = opened();
    playhead.detach();
    await playhead.seek(95);
    expect(shown()).toBe(2);
    await playhead.step(1);
    expect(shown()).toBe(3);
  });
});
