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
  loads = 0;
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
    const index = Math.max(0, Math.floor((seconds * 1000 - FIRST_MS) / STEP_MS + 1e-6));
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
    this.loads += 1;
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

const settled = () => new Promise((resolve) => setTimeout(resolve));

function nothingYet() {
  const changes = signal(0);
  const windows = new ResultWindows(
    () => {
      changes.value += 1;
    },
    () => {},
  );
  return { windows, playhead: new Playhead(windows, changes) };
}

function opened(instead: Record<number, number> = {}, stride = 1, facts: Video | null = about) {
  const { windows, playhead } = nothingYet();
  const frames = Array.from({ length: Math.ceil(100 / stride) }, (_, place) => frameOf(place * stride));
  windows.reset([{ fromMs: 0, fetch: async () => [], frames }]);
  playhead.about = facts;
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

  it("goes to the middle of an analysed frame", async () => {
    const { playhead, video, shown } = opened({}, 5);
    await playhead.seek(200);
    expect(shown()).toBe(5);
    expect(video.sentTo).toEqual([0.72]);
  });

  it("goes to the picture that a link names, though it was not analysed", async () => {
    const { playhead } = opened({}, 5);
    for (const index of [6, 9, 4, 0]) {
      await playhead.seek(index * STEP_MS);
      expect(playhead.presentedMs.value).toBeCloseTo(index * STEP_MS);
    }
  });

  it("skips by seconds though the analysed frames are farther apart", async () => {
    const { playhead } = opened({}, 26);
    await playhead.seek(0);
    const places = [];
    for (const byMs of [1000, 1000, 1000, -1000, -1000, -1000, -1000]) {
      await playhead.skip(byMs, 4000);
      places.push(Math.round(playhead.timeMs));
    }
    expect(places).toEqual([1000, 2000, 3000, 2000, 1000, 0, 0]);
    await playhead.skip(10_000, 3960);
    expect(playhead.timeMs).toBeCloseTo(3960);
  });

  it("skips to the next frame if the same picture is still shown after a second", async () => {
    const { playhead, shown } = opened({ 25: 0 }, 26);
    await playhead.seek(0);
    await playhead.skip(1000, 4000);
    expect(shown()).toBe(26);
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

  it.each([true, false])(
    "comes back from where the player gets stuck, if it is online: %s",
    async (onLine) => {
      vi.useFakeTimers();
      vi.stubGlobal("navigator", { onLine });
      const { playhead, video, shown } = opened();
      const wait = async (done: Promise<void>) => {
        await vi.runAllTimersAsync();
        await done;
      };
      await wait(playhead.seek(120));
      video.stuckFrom = 50;
      await wait(playhead.seek(60 * STEP_MS));
      expect(playhead.isStuck.value).toBe(onLine);
      expect(video.loads).toBe(onLine ? 1 : 0);
      video.stuckFrom = Number.POSITIVE_INFINITY;
      expect(shown()).toBe(3);
      await wait(playhead.step(1));
      expect(playhead.isStuck.value).toBe(false);
      expect(shown()).toBe(4);
      vi.useRealTimers();
      vi.unstubAllGlobals();
    },
  );

  it("begins where a link led before the video was there", async () => {
    const { playhead, video } = opened();
    playhead.detach();
    await playhead.seek(200);
    playhead.attach(video as unknown as HTMLVideoElement);
    await playhead.begin(0);
    expect(playhead.frame.value?.index).toBe(5);
    expect(video.sentTo.at(-1)).toBeCloseTo(0.72);
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

  it("counts from the first picture when the facts come after it", async () => {
    const { playhead, video, shown } = opened({}, 1, null);
    await playhead.seek(0);
    expect(playhead.presentedMs.value).toBe(FIRST_MS);
    playhead.about = about;
    expect([playhead.presentedMs.value, shown()]).toEqual([0, 0]);
    await settled();
    expect(video.sentTo.at(-1)).toBeCloseTo(0.52);
  });

  it("does not go back when the facts come while it plays on", async () => {
    const { playhead, video } = opened({}, 1, null);
    await video.play();
    await playhead.seek(2000);
    video.present(75);
    const sent = video.sentTo.length;
    playhead.about = about;
    await settled();
    expect(video.sentTo.length).toBe(sent);
  });

  it("goes again where a link leads when the facts come, unless the user has moved", async () => {
    const link = opened({}, 1, null);
    await link.playhead.seek(120);
    expect(link.shown()).not.toBe(3);
    link.playhead.about = about;
    await settled();
    expect(link.shown()).toBe(3);

    const playing = opened({}, 1, null);
    await playing.playhead.seek(120);
    await playing.video.play();
    playing.video.present(7);
    playing.video.pause();
    playing.playhead.about = about;
    await settled();
    expect(playing.shown()).toBe(7);
  });

  it("stays within a video that cannot be played", async () => {
    const { playhead } = opened({}, 1, null);
    playhead.detach();
    playhead.windows.reset([], true);
    await playhead.seek(1e9);
    playhead.about = { ...about, duration_ms: 4000 };
    await settled();
    expect(playhead.timeMs).toBe(4000);
  });

  it("waits for the results without a video, and goes to their first frame then", async () => {
    const { playhead } = nothingYet();
    const gone = playhead.seek(30); // while the first frame is shown
    await settled();
    playhead.windows.reset([], true);
    playhead.windows.append({ fromMs: 0, fetch: async () => [], frames: [frameOf(0), frameOf(1)] });
    await gone;
    expect(playhead.frame.value?.index).toBe(0);
  });

  it("goes on where a video was only when its first picture is there, and not if it was sent elsewhere", async () => {
    const { playhead, video } = opened();
    const back = playhead.resume(1.5, true);
    expect(video.sentTo).toEqual([]);
    video.present(0);
    await back;
    expect([video.sentTo, video.paused]).toEqual([[1.5], false]);
    video.pause();
    const late = playhead.resume(1.5, false);
    await playhead.seek(2000);
    await late;
    expect(video.sentTo.at(-1)).not.toBe(1.5);
  });

  it("goes to analysed frames alone without a video, on and back", async () => {
    const { playhead, shown } = opened({}, 26);
    playhead.detach();
    const places = [];
    for (const byMs of [1000, 1000, 1000, -1000, -1000]) {
      await playhead.skip(byMs, 4000);
      places.push(shown());
    }
    expect(places).toEqual([26, 52, 78, 52, 26]);
    await playhead.seek(1e9);
    expect(shown()).toBe(78);
  });

  it("steps by one frame or stays where the next results cannot be fetched", async () => {
    const { playhead, shown } = opened();
    const away = () => Promise.reject(new Error("away"));
    playhead.windows.reset([
      { fromMs: 0, fetch: away, frames: [frameOf(0), frameOf(1)] },
      { fromMs: 80, fetch: away },
      { fromMs: 160, fetch: away, frames: [frameOf(4)] },
    ]);
    await playhead.seek(0);
    await playhead.step(1);
    expect(shown()).toBe(1);
    await playhead.step(1);
    expect(shown()).toBe(1);
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
