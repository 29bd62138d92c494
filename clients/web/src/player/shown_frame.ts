import type { Results, Xyxy } from "../api/types";

export interface ShownObject {
  xyxy: Xyxy;
  classId: number;
  className: string;
  confidence: number;
  trackId: number | null;
}

export interface ShownWord {
  xyxy: Xyxy;
  text: string;
  /** Words with the same number stand in one line. */
  line: string;
}

/** What is drawn over a frame. */
export interface ShownFrame {
  index: number;
  timeMs: number;
  objects: ShownObject[];
  words: ShownWord[];
}

/** Thrown for results of jobs that ran before results had times. */
export class NoTimesError extends Error {
  constructor() {
    super("The results of this job have no times, so that nothing can be drawn. Submit the video again.");
  }
}

/** What of a page is drawn; the rest is not kept in memory. */
export function shownFrames(page: Results): ShownFrame[] {
  const times = page.timestamps_ms;
  if (!times) {
    if (page.results.length > 0) throw new NoTimesError();
    return [];
  }
  return page.results.map(({ frame_index, result }, place) => ({
    index: frame_index,
    timeMs: times[place] ?? 0,
    objects: (result.detections ?? []).map((one, number) => ({
      xyxy: one.xyxy,
      classId: one.class_id,
      className: one.class_name,
      confidence: one.confidence,
      trackId: page.track_ids?.[place]?.[number] ?? null,
    })),
    words: (result.blocks ?? []).map(({ text, bbox, block_num, line_num }) => ({
      text,
      xyxy: [bbox.x, bbox.y, bbox.x + bbox.width, bbox.y + bbox.height],
      line: `${block_num}.${line_num}`,
    })),
  }));
}

const FRAME_BYTES = 120;
const OBJECT_BYTES = 220;
const WORD_BYTES = 260;

/** About how much memory frames take. */
export function bytesOf(frames: readonly ShownFrame[]): number {
  return frames.reduce(
    (sum, { objects, words }) =>
      sum + FRAME_BYTES + objects.length * OBJECT_BYTES + words.length * WORD_BYTES,
    0,
  );
}

/** The lines of text of a frame, from left to right and in the order of the results. */
export function textLines(frame: ShownFrame): { text: string; xyxy: Xyxy }[] {
  const lines = new Map<string, { text: string; xyxy: Xyxy }>();
  for (const { text, xyxy, line } of frame.words) {
    const known = lines.get(line);
    if (!known) lines.set(line, { text, xyxy: [...xyxy] });
    else {
      known.text += ` ${text}`;
      const [left, top, right, bottom] = known.xyxy;
      known.xyxy = [
        Math.min(left, xyxy[0]),
        Math.min(top, xyxy[1]),
        Math.max(right, xyxy[2]),
        Math.max(bottom, xyxy[3]),
      ];
    }
  }
  return [...lines.values()];
}
