import { describe, expect, it, vi } from "vitest";
import type { Job, Summary } from "../src/api/types";
import { analysedSpan } from "../src/player/analysed_span";
import { bytesOf, type ShownFrame } from "../src/player/shown_frame";
import { equalWindows, ResultWindows } from "../src/player/windows";

const STEP_MS = 33.367;
const frameOf = (index: number): ShownFrame => ({
  index,
  timeMs: Math.round(index * STEP_MS * 1000) / 1000,
  objects: [],
  words: [],
});
const ALL = Array.from({ length: 1000 }, (_, index) => frameOf(index));
const SUMMARY = { frames: 1800, sampling_interval_ms: 100 / 3, tracks: [], texts: [] } as unknown as Summary;
const settled = () => new Promise((resolve) => setTimeout(resolve));

function opened(budgetBytes?: number) {
  const asked: [number, number | null][] = [];
  const onChange = vi.fn();
  const onError = vi.fn();
  const windows = new ResultWindows(onChange, onError, budgetBytes);
  const fetch = async (fromMs: number, toMs: number | null) => {
    asked.push([fromMs, toMs]);
    return ALL.filter(({ timeMs }) => timeMs >= fromMs && (toMs === null || timeMs <= toMs));
  };
  windows.reset(equalWindows({ startMs: 0, endMs: 1000 * STEP_MS }, 1000, 100, fetch));
  return { windows, asked, onChange, onError };
}

describe("windows of results", () => {
  it("has each frame in one window", async () => {
    const { windows } = opened();
    for (const frame of ALL) {
      if (windows.frameAt(frame.timeMs) === undefined) {
        windows.want(frame.timeMs);
        await settled();
      }
      expect(windows.frameAt(frame.timeMs)).toBe(frame);
      // what a player says may be a little less
      expect(windows.frameAt(frame.timeMs - 0.0004)).toBe(frame);
    }
    expect(windows.frameAt(10)).toBeNull();
  });

  it("fetches the window of the playhead and those beside it, once", async () => {
    const { windows, asked, onChange } = opened();
    expect(windows.frameAt(5000)).toBeUndefined();
    windows.want(5000);
    windows.want(5001);
    await settled();
    expect(asked.map(([fromMs]) => fromMs)).toEqual([3337, 6674, 0]);
    expect(onChange).toHaveBeenCalledTimes(4);
  });

  it("frees what is far away, and fetches it again", async () => {
    const { windows, asked } = opened(bytesOf(ALL.slice(0, 350)));
    for (let timeMs = 0; timeMs < 33_000; timeMs += 1000) {
      windows.want(timeMs);
      await settled();
      expect(windows.bytes).toBeLessThanOrEqual(bytesOf(ALL.slice(0, 350)));
    }
    expect(windows.frameAt(0)).toBeUndefined();
    windows.want(0);
    await settled();
    expect(windows.frameAt(0)?.index).toBe(0);
    expect(asked.filter(([fromMs]) => fromMs === 0)).toHaveLength(2);
  });

  it("finds neighbours across windows", async () => {
    const { windows } = opened();
    const [before, after] = [ALL[99], ALL[100]];
    if (!before || !after) throw new Error("there are such frames");
    expect(await windows.neighbour(before.timeMs, 1)).toBe(after);
    expect(await windows.neighbour(after.timeMs, -1)).toBe(before);
    expect(await windows.neighbour(0, -1)).toBeNull();
    expect(await windows.neighbour(ALL.at(-1)?.timeMs ?? 0, 1)).toBeNull();
    expect(await windows.shownAt(after.timeMs)).toBe(after);
    expect(await windows.shownAt(after.timeMs - 2)).toBe(before);
  });

  it("tells an error and tries it again after a pause", async () => {
    const onError = vi.fn();
    const windows = new ResultWindows(() => {}, onError);
    const fetch = vi
      .fn()
      .mockRejectedValueOnce(new Error("away"))
      .mockResolvedValue([frameOf(0)]);
    windows.reset([{ fromMs: 0, fetch }]);
    windows.want(0);
    await settled();
    expect(onError).toHaveBeenCalledWith(new Error("away"));
    windows.want(0);
    expect(fetch).toHaveBeenCalledTimes(1);
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + 3000);
    windows.want(0);
    await settled();
    vi.restoreAllMocks();
    expect(windows.frameAt(0)?.index).toBe(0);
  });

  it("passes over no window that could not be fetched", async () => {
    const windows = new ResultWindows(
      () => {},
      () => {},
    );
    const last = vi.fn().mockResolvedValue([frameOf(40)]);
    windows.reset([
      { fromMs: 0, fetch: async () => [], frames: [frameOf(0)] },
      { fromMs: 500, fetch: () => Promise.reject(new Error("away")) },
      { fromMs: 1000, fetch: last },
    ]);
    await expect(windows.neighbour(0, 1)).rejects.toThrow();
    // nor while it is not asked for again
    await expect(windows.neighbour(0, 1)).rejects.toThrow();
    await expect(windows.shownAt(900)).rejects.toThrow();
    expect(last).not.toHaveBeenCalled();
  });

  it("finds a neighbour in a far window that is freed at once", async () => {
    const windows = new ResultWindows(
      () => {},
      () => {},
      0,
    );
    const far = { fromMs: 1000, fetch: async () => [frameOf(40)] };
    const empty = { fetch: async () => [] };
    windows.reset([{ fromMs: 0, ...empty }, { fromMs: 500, ...empty }, far]);
    expect((await windows.neighbour(0, 1))?.index).toBe(40);
  });

  it("takes nothing from before a reset", async () => {
    const { windows, onError } = opened();
    windows.want(0);
    windows.reset([{ fromMs: 0, fetch: async () => [], frames: [] }]);
    await settled();
    expect(windows.frameAt(0)).toBeNull();
    expect(onError).not.toHaveBeenCalled();
  });

  it("divides the part of the video that was analysed", () => {
    const job = { frames_done: 1800, start_ms: null, end_ms: null, max_frames: null };
    const video = { duration_ms: 3_600_000 };
    const starts = (changed: object) => {
      const span = analysedSpan({ ...job, video, ...changed } as Job, { ...SUMMARY, video } as Summary);
      return equalWindows(span, 1800, 600, async () => []).map(({ fromMs }) => fromMs);
    };
    expect(starts({})).toEqual([0, 1_200_000, 2_400_000]);
    expect(starts({ end_ms: 60_000 })).toEqual([0, 20_000, 40_000]);
    expect(starts({ start_ms: 3_540_000 })).toEqual([0, 3_560_000, 3_580_000]);
    expect(starts({ start_ms: 60_000, max_frames: 1800 })).toEqual([0, 80_000, 100_000]);
    expect(starts({ end_ms: 9e9 })).toEqual([0, 1_200_000, 2_400_000]);
  });

  it("grows while a job runs", () => {
    const { windows } = opened();
    windows.reset([], true);
    expect(windows.frameAt(0)).toBeUndefined();
    windows.append({ fromMs: 0, fetch: async () => [], frames: ALL.slice(0, 10) });
    windows.append({ fromMs: ALL[10]?.timeMs ?? 0, fetch: async () => [], frames: ALL.slice(10, 20) });
    expect(windows.frameAt(ALL[12]?.timeMs ?? 0)?.index).toBe(12);
    expect(windows.frameAt((ALL[12]?.timeMs ?? 0) + 3)).toBeNull();
    expect(windows.frameAt(ALL[20]?.timeMs ?? 0)).toBeUndefined();
  });
});
