import { describe, expect, it } from "vitest";
import type { Job, Summary } from "../src/api/types";
import { Coco } from "../src/take_away/coco";
import { Cvat } from "../src/take_away/cvat";
import { aboutOf, ExportError, framesOf } from "../src/take_away/frames";
import { Decimal, parseLossless } from "../src/take_away/lossless_json";
import { floatText, plain, rounded } from "../src/take_away/numbers";
import { FrameSubtitles, summarySubtitles } from "../src/take_away/subtitles";
import { DetectionsCsv, JsonLines, textsCsv, tracksCsv, WordsCsv } from "../src/take_away/tables";
import { compareTexts } from "../src/take_away/texts";
import { type FrameWriter, written } from "../src/take_away/writer";

const files: Record<string, string> = import.meta.glob("./fixtures/exports/*", {
  query: "?raw",
  import: "default",
  eager: true,
});
const stored = (name: string) => files[`./fixtures/exports/${name}`] ?? expect.fail(`There is no ${name}`);
const pages = () => [1, 2, 3].map((number) => parseLossless(stored(`page_${number}.json`)));
const job = JSON.parse(stored("job.json")) as Job;
const summary = JSON.parse(stored("summary.json")) as Summary;
const about = aboutOf(job);

describe("exports from frames are those of the Python package", () => {
  const writers: [string, () => FrameWriter][] = [
    ["detections.csv", () => new DetectionsCsv()],
    ["words.csv", () => new WordsCsv()],
    ["frames.jsonl", () => new JsonLines()],
    ["coco.json", () => new Coco(about)],
    ["cvat.xml", () => new Cvat(about)],
    ["texts.vtt", () => new FrameSubtitles(about, "vtt")],
    ["texts.srt", () => new FrameSubtitles(about, "srt")],
    ["objects.vtt", () => new FrameSubtitles(about, "vtt", "objects")],
    ["tracks.srt", () => new FrameSubtitles(about, "srt", "tracks")],
  ];
  it.each(writers)("%s", (name, writer) => {
    expect(written(writer(), pages().flatMap(framesOf))).toBe(stored(name));
  });
});

describe("exports from the summary are those of the Python package", () => {
  it("tables", () => {
    expect(tracksCsv(summary)).toBe(stored("summary_tracks.csv"));
    expect(textsCsv(summary)).toBe(stored("summary_texts.csv"));
  });

  for (const format of ["vtt", "srt"] as const) {
    it.each(["texts", "objects", "tracks"] as const)(`%s as ${format}`, (content) => {
      const video = about.video ?? expect.fail("the job has a video");
      expect(summarySubtitles(summary, video, format, content)).toBe(stored(`summary_${content}.${format}`));
    });
  }
});

describe("what cannot be exported says why", () => {
  it("without the video", () => {
    expect(() => new Coco({ video: null, classNames: [] })).toThrow(ExportError);
  });

  it("without tracks or times", () => {
    const [frame] = framesOf({ results: [{ frame_index: 0, result: {} }], timestamps_ms: null });
    expect(() => written(new Cvat(about), frame ? [frame] : [])).toThrow("needs tracks");
    expect(() => written(new FrameSubtitles(about, "vtt"), frame ? [frame] : [])).toThrow("no times");
  });
});

describe("lossless JSON", () => {
  it("is that of JSON.parse, but for decimals", () => {
    const text = '{"a": [1, -2.50, 1e3, true, null], "b\\n\\u00e4": {"c": "x\\"y"}, "d": [], "e": {}}';
    const decimal = (value: number) => new Decimal(value);
    expect(parseLossless(text)).toEqual({
      a: [1, decimal(-2.5), decimal(1000), true, null],
      "b\nä": { c: 'x"y' },
      d: [],
      e: {},
    });
  });

  it.each(["", "{", "[1,]", "[1 2]", '{"a"}', "{a:1}", "nul", "1 1", '"x'])("%s is refused", (text) => {
    expect(() => parseLossless(text)).toThrow(SyntaxError);
  });
});

describe("numbers as Python writes them", () => {
  it.each([
    [0, "0.0"],
    [-0, "-0.0"],
    [1e-5, "1e-05"],
    [1.5e-7, "1.5e-07"],
    [0.0001, "0.0001"],
    [1e15, "1000000000000000.0"],
    [1e16, "1e+16"],
    [-1.25e22, "-1.25e+22"],
    [0.1 + 0.2, "0.30000000000000004"],
  ])("%d is %s", (value, text) => {
    expect(floatText(value)).toBe(text);
  });

  it.each([
    [0.0625, 0.062],
    [0.1875, 0.188],
    [-0.0625, -0.062],
    [2.0005, 2.001],
    [-0.0001, 0],
    [1.0015, 1.002],
  ])("%d is rounded to %d", (value, expected) => {
    expect(rounded(value)).toBe(expected);
  });

  it("has no zeros at the end", () => {
    expect([plain(10), plain(0.1), plain(-0.00001), plain(100.5, 2)]).toEqual(["10", "0.1", "0", "100.5"]);
  });
});

it("texts are sorted by code points", () => {
  expect(["😀", "～", "ab", "a"].sort(compareTexts)).toEqual(["a", "ab", "～", "😀"]);
});
