import { expect, it } from "vitest";
import { formatBytes, formatDuration, formatTime, parseTime } from "../src/format";
import { NO_OPTIONS, type OptionFields, readOptions } from "../src/upload/options";
import { whyNotUrl } from "../src/upload/source_url";

it("asks for nothing if nothing was chosen", () => {
  expect(readOptions(NO_OPTIONS)).toEqual({ options: {}, errors: {} });
});

it("reads every field", () => {
  const fields: OptionFields = {
    ...{ pipeline: "yolo_only", sampling: "rate", rate: "0,5", stride: "5", maxFrames: "100" },
    ...{ start: "1:30", end: "1:40.5", left: "0", top: "50", right: "100", bottom: "100" },
    ...{ classes: " car, person,", minConfidence: "40", textEngine: "tesseract", languages: "eng,deu" },
  };
  expect(readOptions(fields)).toEqual({
    options: {
      ...{
        pipeline_id: "yolo_only",
        frames_per_second: 0.5,
        max_frames: 100,
        start_ms: 90000,
        end_ms: 100500,
      },
      ...{ region: [0, 0.5, 1, 1], classes: ["car", "person"], min_confidence: 0.4 },
      ...{ text_engine: "tesseract", languages: ["eng", "deu"] },
    },
    errors: {},
  });
  expect(readOptions({ ...NO_OPTIONS, sampling: "stride" }).options).toEqual({ frame_stride: 5 });
});

it.each<[Partial<OptionFields>, keyof OptionFields]>([
  [{ sampling: "rate", rate: "0" }, "rate"],
  [{ sampling: "rate", rate: "often" }, "rate"],
  [{ sampling: "stride", stride: "1.5" }, "stride"],
  [{ maxFrames: "-1" }, "maxFrames"],
  [{ start: "1:2:3:4" }, "start"],
  [{ start: "10", end: "10" }, "end"],
  [{ left: "50", right: "50" }, "right"],
  [{ top: "60", bottom: "50" }, "bottom"],
  [{ bottom: "101" }, "bottom"],
  [{ minConfidence: "101" }, "minConfidence"],
  [{ textEngine: "ppocr", languages: "eng" }, "languages"],
])("refuses %o", (change, field) => {
  expect(Object.keys(readOptions({ ...NO_OPTIONS, ...change }).errors)).toEqual([field]);
});

it.each([
  ["90", 90000],
  ["1:30", 90000],
  ["1:02:03.5", 3723500],
  ["", null],
  ["1.5:30", null],
  ["abc", null],
])("the time %s", (text, milliseconds) => {
  expect(parseTime(text)).toBe(milliseconds);
});

it("writes sizes, times and durations", () => {
  expect([0, 999, 1500, 12_345_678, 2.5e10].map(formatBytes)).toEqual([
    "0 B",
    "999 B",
    "1.5 KB",
    "12.3 MB",
    "25.0 GB",
  ]);
  expect([0, 61_000, 3_723_000].map((time) => formatTime(time))).toEqual(["0:00", "1:01", "1:02:03"]);
  expect(formatTime(1500.25, true)).toBe("0:01.500");
  expect([0.2, 60, 600, 7200].map(formatDuration)).toEqual(["1 s", "60 s", "10 min", "2 h"]);
});

it.each([
  ["https://example.com/a.mp4?signature=1", ""],
  ["example.com/a.mp4", "whole address"],
  ["http://example.com/a.mp4", "https"],
  ["https://example.com:8443/a.mp4", "port"],
  ["https://ann@example.com/a.mp4", "user name"],
])("the address %s", (text, word) => {
  expect(whyNotUrl(text)).toContain(word);
  expect(whyNotUrl(text) === "").toBe(word === "");
});
