import { effect, signal } from "@preact/signals";
import { describe, expect, it } from "vitest";
import type { Summary } from "../src/api/types";
import { inRows, lanesOf, moved, showing, spanAt, ticks, timeOfX, xOf, zoomed } from "../src/timeline/layout";
import { PartialSummary } from "../src/timeline/partial_summary";
import { moments, placeOfNext } from "../src/timeline/search";
import { TimelineView } from "../src/timeline/timeline_view";
import stored from "./fixtures/exports/summary.json";

const summary = stored as unknown as Summary;
const span = (startMs: number, endMs: number) => ({ startMs, endMs, label: "" });
const choice = {
  hiddenClasses: new Set<string>(),
  showsTexts: true,
  openClasses: new Set<string>(),
};

describe("lanes", () => {
  it("has one for the texts, and one for each class and track", () => {
    const names = (changed: Partial<typeof choice>) =>
      lanesOf(summary, { ...choice, ...changed }).map(({ name }) => name);
    expect(names({})).toEqual(["Texts", "person"]);
    expect(names({ openClasses: new Set(["person"]) })).toEqual([
      "Texts",
      "person",
      "person #1",
      "person #2",
    ]);
    expect(names({ showsTexts: false, hiddenClasses: new Set(["person"]) })).toEqual([]);
  });

  it("tells how many were in view at once", () => {
    expect(lanesOf(summary, choice)[1]?.spans).toEqual([
      { startMs: 400, endMs: 2400, label: "2 at once", row: 0 },
    ]);
  });

  it("puts texts that are in view at the same time into rows", () => {
    const placed = inRows([span(0, 10), span(5, 8), span(10, 20), span(7, 9), span(8, 30)], 3);
    expect(placed.map(({ startMs, row }) => [startMs, row])).toEqual([
      [0, 0],
      [5, 1],
      [7, 2],
      [8, 1],
      [10, 0],
    ]);
    expect(inRows([span(0, 9), span(1, 9), span(2, 9), span(3, 9)], 2).map(({ row }) => row)).toEqual([
      0, 1, 1, 1,
    ]);
  });

  it("finds the shortest span under the pointer", () => {
    const [lane] = lanesOf(summary, choice);
    if (!lane) throw new Error("there is a lane of texts");
    expect(spanAt(lane, 1000, 1, 0)?.label).toBe("EXIT 12");
    expect(spanAt(lane, 2100, 0, 0)).toBeNull();
    expect(spanAt(lane, 2100, 0, 100)?.label).toContain("A -->");
  });
});

describe("the view", () => {
  const whole = { fromMs: 0, toMs: 10_000 };

  it("keeps its place while it is zoomed, and stays within the video", () => {
    expect(zoomed(whole, 0.5, 4000, 10_000)).toEqual({ fromMs: 2000, toMs: 7000 });
    expect(zoomed(whole, 0.5, 10_000, 10_000)).toEqual({ fromMs: 5000, toMs: 10_000 });
    expect(zoomed({ fromMs: 5000, toMs: 10_000 }, 9, 5000, 10_000)).toEqual(whole);
    expect(zoomed(whole, 1e-9, 5000, 10_000)).toEqual({ fromMs: 4900, toMs: 5100 });
    expect(moved({ fromMs: 0, toMs: 1000 }, -5, 10_000)).toEqual({ fromMs: 0, toMs: 1000 });
    expect(moved({ fromMs: 0, toMs: 1000 }, 1e9, 10_000)).toEqual({ fromMs: 9000, toMs: 10_000 });
  });

  it("follows the playhead", () => {
    const view = { fromMs: 0, toMs: 1000 };
    expect(showing(view, 500, 10_000)).toBe(view);
    expect(showing(view, 1100, 10_000)).toEqual({ fromMs: 1000, toMs: 2000 });
  });

  it("follows the playhead only when that moves, so that one can look elsewhere", () => {
    const durationMs = signal(60_000);
    const timeMs = signal(0);
    const timeline = new TimelineView(durationMs);
    const dispose = effect(() => timeline.follow(timeMs.value));
    for (let turn = 0; turn < 5; turn += 1) timeline.zoom(0.8, 48_000);
    expect(timeline.view.fromMs).toBeGreaterThan(30_000);
    timeline.move(1000);
    const { fromMs } = timeline.view;
    durationMs.value = 61_000;
    expect(timeline.view.fromMs).toBe(fromMs);
    timeMs.value = 40;
    expect(timeline.view.fromMs).toBe(0);
    dispose();
  });

  it("is zoomed at its middle while the playhead is elsewhere", () => {
    const timeline = new TimelineView(signal(10_000));
    timeline.shown.value = { fromMs: 6000, toMs: 8000 };
    timeline.zoom(0.5, 0);
    expect(timeline.view).toEqual({ fromMs: 6500, toMs: 7500 });
  });

  it("has times for pixels and back", () => {
    const view = { fromMs: 500, toMs: 1500 };
    expect(timeOfX(view, 200, xOf(view, 200, 720))).toBeCloseTo(720);
    expect(ticks(whole, 800)).toEqual([0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000]);
    expect(ticks({ fromMs: 150, toMs: 420 }, 300)).toEqual([200, 300, 400]);
  });
});

describe("search", () => {
  const names = (query: string) => moments(summary, query).map(({ name, startMs }) => [name, startMs]);

  it("finds texts by any spelling, and each time they come back", () => {
    expect(names("exit")).toEqual([["EXIT 12", 800]]);
    expect(names("ex1t  12")).toEqual([["EXIT 12", 800]]);
    expect(names("bar")).toEqual([
      ["A --> B & <Bar>", 0],
      ["A --> B & <Bar>", 2800],
    ]);
    expect(names("nothing like this")).toEqual([]);
  });

  it("finds objects by class and number", () => {
    expect(names("PERSON")).toEqual([
      ["person #1", 400],
      ["person #2", 800],
    ]);
    expect(names("person #2")).toEqual([["person #2", 800]]);
    expect(names("#1")).toEqual([["person #1", 400]]);
    expect(names("")).toHaveLength(5);
  });

  it("finds words whatever their accents and capitals", () => {
    const text = (name: string) => ({ ...summary.texts[0], text: name, alternatives: [] });
    const signs = ["CAFÉ", "Straße", "İstanbul", "ﬁnal", "한국", "ガラス", "ΟΔΟΣ"];
    const found = (query: string) => {
      const texts = signs.map(text) as Summary["texts"];
      return [...new Set(moments({ ...summary, texts, tracks: [] }, query).map(({ name }) => name))];
    };
    const queries = "cafe CAFE\u0301 café strasse STRAẞE istanbul FINAL 한 ガ οδοσ".split(" ");
    expect(queries.map((query) => found(query).join())).toEqual(
      [0, 0, 0, 1, 1, 2, 3, 4, 5, 6].map((place) => signs[place]),
    );
    // other letters, though they begin with the same strokes
    expect(found("하")).toEqual([]);
    expect(found("カ")).toEqual([]);
  });

  it("finds an object by all digits of its number", () => {
    const [track] = summary.tracks;
    const tracks = [3, 13, 30, 31].map((track_id) => ({ ...track, track_id })) as Summary["tracks"];
    const found = (query: string) => [
      ...new Set(moments({ ...summary, tracks, texts: [] }, query).map(({ name }) => name)),
    ];
    expect(found("#3")).toEqual(["person #3"]);
    expect(found("Person  #3")).toEqual(["person #3"]);
    expect(found("person #")).toHaveLength(4);
    const texts = [{ ...summary.texts[0], text: "GATE #3 NORTH" }] as Summary["texts"];
    expect(moments({ ...summary, texts }, "gate #3").map(({ name }) => name)).toContain("GATE #3 NORTH");
  });

  it("goes through moments in both directions, and around", () => {
    const found = moments(summary, "bar");
    expect(placeOfNext(found, 0, 1)).toBe(1);
    expect(placeOfNext(found, 2800, 1)).toBe(0);
    expect(placeOfNext(found, 2800, -1)).toBe(0);
    expect(placeOfNext(found, 0, -1)).toBe(1);
    expect(placeOfNext([], 0, 1)).toBeNull();
  });
});

describe("what is known of a job that runs", () => {
  it("has intervals of classes and texts, with short pauses joined", () => {
    const video = { width: 640, height: 360, duration_ms: 9000 } as ConstructorParameters<
      typeof PartialSummary
    >[0];
    const partial = new PartialSummary(video);
    const car = { xyxy: [0, 0, 9, 9], classId: 2, className: "car", confidence: 1, trackId: null } as const;
    const words = [
      { text: "EXIT", xyxy: [0, 0, 9, 9], line: "1.1" },
      { text: "12", xyxy: [10, 0, 19, 9], line: "1.1" },
    ] as const;
    partial.add(
      Array.from({ length: 60 }, (_, index) => ({
        index,
        timeMs: 100 * index,
        objects: index < 5 || index === 8 || index > 30 ? Array(index % 3).fill(car) : [],
        words: index === 10 ? [...words] : [],
      })) as unknown as Parameters<PartialSummary["add"]>[0],
    );
    const { classes, texts, tracks, frames } = partial.summary;
    expect(classes.map((one) => [one.class_name, one.most_at_once])).toEqual([["car", 2]]);
    expect(classes[0]?.intervals.map(({ start_ms, end_ms }) => [start_ms, end_ms])).toEqual([
      [100, 900],
      [3100, 6000],
    ]);
    expect(texts.map(({ text, start_ms, end_ms }) => [text, start_ms, end_ms])).toEqual([
      ["EXIT 12", 1000, 1100],
    ]);
    expect([tracks, frames]).toEqual([[], 60]);
    expect(moments(partial.summary, "car")).toHaveLength(2);
  });
});
