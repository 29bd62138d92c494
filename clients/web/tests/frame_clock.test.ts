import { describe, expect, it } from "vitest";
import { frameAt, playerSeconds, resultsMs, seekPoints, shownForMs } from "../src/player/frame_clock";

const at = (...times: number[]) => times.map((timeMs, index) => ({ index, timeMs }));

describe("the frame that is presented", () => {
  const ntsc = at(...Array.from({ length: 100 }, (_, index) => Math.round((index * 1_001_000) / 30) / 1000));

  it("is found by the time of the player, which is rounded to microseconds", () => {
    for (const { index, timeMs } of ntsc) {
      const mediaTime = Math.round(playerSeconds(timeMs, 66.733) * 1e6) / 1e6;
      expect(frameAt(ntsc, resultsMs(mediaTime, 66.733))?.index).toBe(index);
    }
  });

  it("is never a neighbour that is not presented", () => {
    const strided = at(0, 200, 400);
    expect(frameAt(strided, 40)).toBeNull();
    expect(frameAt(strided, 199)).toBeNull();
    expect(frameAt(strided, 199.6)?.index).toBe(1);
    expect(frameAt(strided, 400.6)).toBeNull();
    expect(frameAt([], 0)).toBeNull();
  });

  it("is right for a rate that varies, and for a thousand a second", () => {
    const uneven = at(0, 1, 2, 1000, 1001, 5000);
    for (const frame of uneven) expect(frameAt(uneven, frame.timeMs + 0.3)).toBe(frame);
  });
});

describe("where to seek", () => {
  it("is within the time of the frame, though only every fifth was analysed", () => {
    const [frame, next] = [
      { index: 5, timeMs: 200 },
      { index: 10, timeMs: 400 },
    ];
    const shownMs = shownForMs(frame, next, 25);
    expect(shownMs).toBe(40);
    expect(seekPoints(frame, shownMs)).toEqual([220, 208, 200.8]);
  });

  it("is reckoned with the rate of the video after the last one", () => {
    expect(shownForMs({ index: 9, timeMs: 0 }, null, 50)).toBe(20);
    expect(shownForMs({ index: 9, timeMs: 0 }, null, null)).toBe(40);
  });
});
