import type { Summary } from "../api/types";

/** A time when something was in view. */
export interface Moment {
  startMs: number;
  endMs: number;
  name: string;
  kind: "text" | "object";
}

/** More are not listed. */
export const MOST_MOMENTS = 2000;

/** Without what makes no difference: case, forms of letters, and spaces. */
export function normalised(text: string): string {
  return text.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean).join(" ");
}

/** As `normalised`, and without accents; in capitals, ß is SS, and the i with and without a dot are the same. */
function searchable(text: string): string {
  // only accents of alphabets: elsewhere, as in Japanese, a mark makes another letter
  const plain = text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  return normalised(plain).toUpperCase();
}

/**
 * The moments of the texts and objects that a query names, in the order of their starts.
 *
 * A text is also found by its other spellings, an object by its class or its number (`car #3`). An empty query
 * names everything.
 */
export function moments(summary: Summary, query: string): Moment[] {
  const wanted = searchable(query);
  const isNamed = (name: string) => searchable(name).includes(wanted);
  // #3 is not the beginning of #30
  const isNumber = /#\d+$/.test(wanted);
  const texts = summary.texts
    .filter(({ text, alternatives }) => isNamed(text) || alternatives.some((other) => isNamed(other.text)))
    .flatMap(({ text, intervals }) => intervals.map((shown) => momentOf(shown, text, "text")));
  const tracks = summary.tracks
    .map((track) => ({ name: `${track.class_name} #${track.track_id}`, intervals: track.intervals }))
    .filter(({ name }) => (isNumber ? searchable(name).endsWith(wanted) : isNamed(name)));
  const listed = new Set(summary.tracks.map((track) => track.class_name));
  // before the end of a job there are no tracks, and later the shortest ones are left out
  const classes = summary.classes
    .filter(({ class_name }) => !listed.has(class_name) && isNamed(class_name))
    .map(({ class_name, intervals }) => ({ name: class_name, intervals }));
  const objects = [...tracks, ...classes].flatMap(({ name, intervals }) =>
    intervals.map((shown) => momentOf(shown, name, "object")),
  );
  return [...texts, ...objects].sort((one, other) => one.startMs - other.startMs || one.endMs - other.endMs);
}

function momentOf(
  { start_ms, end_ms }: { start_ms: number; end_ms: number },
  name: string,
  kind: Moment["kind"],
): Moment {
  return { startMs: start_ms, endMs: end_ms, name, kind };
}

/** The place of the moment after a time, or before it; the first or last one again at the end. */
export function placeOfNext(found: readonly Moment[], timeMs: number, direction: 1 | -1): number | null {
  if (found.length === 0) return null;
  if (direction === 1) {
    const next = found.findIndex(({ startMs }) => startMs > timeMs + 0.5);
    return Math.max(next, 0);
  }
  const previous = found.findLastIndex(({ startMs }) => startMs < timeMs - 0.5);
  return previous >= 0 ? previous : found.length - 1;
}
