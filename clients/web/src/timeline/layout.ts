import type { Summary } from "../api/types";

export interface Span {
  startMs: number;
  endMs: number;
  /** What is written on it, if there is room. */
  label: string;
  /** Among the rows of its lane, from 0. */
  row: number;
}

export interface Lane {
  key: string;
  kind: "class" | "track" | "texts";
  name: string;
  /** By which its colour is chosen; null for texts. */
  classId: number | null;
  trackId: number | null;
  spans: Span[];
  rows: number;
}

/** The part of the video that the timeline shows. */
export interface View {
  fromMs: number;
  toMs: number;
}

/** More texts at a time share the last row. */
const MOST_ROWS = 6;
const SHORTEST_VIEW_MS = 200;

export interface LaneChoice {
  hiddenClasses: ReadonlySet<string>;
  showsTexts: boolean;
  /** The classes whose tracks have lanes. */
  openClasses: ReadonlySet<string>;
}

/** A lane for the texts, and one for each class, followed by those of its tracks. */
export function lanesOf(summary: Summary, choice: LaneChoice): Lane[] {
  const lanes: Lane[] = choice.showsTexts && summary.texts.length > 0 ? [textLane(summary)] : [];
  for (const one of summary.classes) {
    if (choice.hiddenClasses.has(one.class_name)) continue;
    lanes.push({
      key: `class ${one.class_id}`,
      kind: "class",
      name: one.class_name,
      classId: one.class_id,
      trackId: null,
      rows: 1,
      spans: one.intervals.map(({ start_ms, end_ms, most_at_once }) => ({
        startMs: start_ms,
        endMs: end_ms,
        label: most_at_once > 1 ? `${most_at_once} at once` : "",
        row: 0,
      })),
    });
    if (choice.openClasses.has(one.class_name)) lanes.push(...trackLanes(summary, one.class_name));
  }
  return lanes;
}

function trackLanes(summary: Summary, className: string): Lane[] {
  return summary.tracks
    .filter((track) => track.class_name === className)
    .map((track) => ({
      key: `track ${track.track_id}`,
      kind: "track",
      name: `${className} #${track.track_id}`,
      classId: track.class_id,
      trackId: track.track_id,
      rows: 1,
      spans: track.intervals.map(({ start_ms, end_ms }) => ({
        startMs: start_ms,
        endMs: end_ms,
        label: "",
        row: 0,
      })),
    }));
}

function textLane(summary: Summary): Lane {
  const spans = summary.texts.flatMap((one) =>
    one.intervals.map(({ start_ms, end_ms }) => ({ startMs: start_ms, endMs: end_ms, label: one.text })),
  );
  const placed = inRows(spans);
  const rows = placed.reduce((most, { row }) => Math.max(most, row + 1), 1);
  return { key: "texts", kind: "texts", name: "Texts", classId: null, trackId: null, spans: placed, rows };
}

/** Give each span the first row where it meets no other one; the last row takes what is too much. */
export function inRows(spans: readonly Omit<Span, "row">[], mostRows = MOST_ROWS): Span[] {
  const ends: number[] = [];
  return [...spans]
    .sort((one, other) => one.startMs - other.startMs || one.endMs - other.endMs)
    .map((span) => {
      const free = ends.findIndex((endMs) => endMs <= span.startMs);
      const row = free >= 0 ? free : Math.min(ends.length, mostRows - 1);
      ends[row] = Math.max(ends[row] ?? 0, span.endMs);
      return { ...span, row };
    });
}

/** The span under a point of a lane; of several, the shortest one. */
export function spanAt(lane: Lane, timeMs: number, row: number, toleranceMs: number): Span | null {
  const hit = lane.spans.filter(
    (span) => span.row === row && span.startMs - toleranceMs <= timeMs && timeMs <= span.endMs + toleranceMs,
  );
  return hit.sort((one, other) => one.endMs - one.startMs - (other.endMs - other.startMs))[0] ?? null;
}

export function xOf(view: View, width: number, timeMs: number): number {
  return ((timeMs - view.fromMs) / (view.toMs - view.fromMs)) * width;
}

export function timeOfX(view: View, width: number, x: number): number {
  return view.fromMs + (x / Math.max(1, width)) * (view.toMs - view.fromMs);
}

/** Show a shorter time (`factor` below 1) or a longer one; what is at `aroundMs` stays at its place. */
export function zoomed(view: View, factor: number, aroundMs: number, durationMs: number): View {
  const length = view.toMs - view.fromMs;
  const wanted = Math.min(durationMs, Math.max(Math.min(SHORTEST_VIEW_MS, durationMs), length * factor));
  const share = (aroundMs - view.fromMs) / length;
  return within(aroundMs - share * wanted, wanted, durationMs);
}

export function moved(view: View, byMs: number, durationMs: number): View {
  return within(view.fromMs + byMs, view.toMs - view.fromMs, durationMs);
}

/** The same view if it shows a time, else one of the same length that begins a little before it. */
export function showing(view: View, timeMs: number, durationMs: number): View {
  if (view.fromMs <= timeMs && timeMs <= view.toMs) return view;
  const length = view.toMs - view.fromMs;
  return within(timeMs - length / 10, length, durationMs);
}

function within(fromMs: number, length: number, durationMs: number): View {
  const from = Math.max(0, Math.min(fromMs, durationMs - length));
  return { fromMs: from, toMs: from + length };
}

const STEPS_MS = [
  ...[10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000],
  ...[600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000],
];

/** Round times for the scale, at least `leastPx` apart. */
export function ticks(view: View, width: number, leastPx = 80): number[] {
  const leastMs = ((view.toMs - view.fromMs) / Math.max(1, width)) * leastPx;
  const stepMs = STEPS_MS.find((step) => step >= leastMs) ?? 86_400_000;
  const times: number[] = [];
  for (let at = Math.ceil(view.fromMs / stepMs) * stepMs; at <= view.toMs; at += stepMs) times.push(at);
  return times;
}
