import type { ClassSummary, Summary, TextSummary, Video } from "../api/types";
import { type ShownFrame, textLines } from "../player/shown_frame";
import { normalised } from "./search";

/** What is not seen for so long stays in view, as in the summary. */
const GAP_MS = 500;

interface Seen {
  name: string;
  classId: number;
  intervals: {
    first_frame: number;
    last_frame: number;
    start_ms: number;
    end_ms: number;
    most_at_once: number;
  }[];
}

/**
 * What can be told of a job that still runs, from the frames that are there: when each class was in view, and
 * when each text was read. Objects are not followed; the summary at the end has them.
 */
export class PartialSummary {
  readonly #classes = new Map<string, Seen>();
  readonly #texts = new Map<string, Seen>();
  #frames = 0;
  #lastMs: number | null = null;
  #stepMs = 0;

  constructor(readonly video: Video) {}

  /** The next frames, in the order of the video. */
  add(frames: readonly ShownFrame[]): void {
    for (const frame of frames) this.#add(frame);
  }

  get summary(): Summary {
    const { width, height, duration_ms } = this.video;
    return {
      version: 1,
      video: { width, height, duration_ms },
      frames: this.#frames,
      sampling_interval_ms: this.#stepMs || null,
      classes: [...this.#classes.values()].map(classSummary),
      tracks: [],
      tracks_left_out: 0,
      texts: [...this.#texts.values()].map(textSummary),
      texts_left_out: 0,
    };
  }

  #add(frame: ShownFrame): void {
    const { timeMs } = frame;
    if (this.#lastMs !== null) this.#stepMs = timeMs - this.#lastMs;
    this.#lastMs = timeMs;
    this.#frames += 1;
    const counts = new Map<string, { classId: number; count: number }>();
    for (const { className, classId } of frame.objects) {
      counts.set(className, { classId, count: (counts.get(className)?.count ?? 0) + 1 });
    }
    for (const [name, { classId, count }] of counts)
      this.#see(this.#classes, name, name, classId, frame, count);
    for (const { text } of textLines(frame)) this.#see(this.#texts, normalised(text), text, 0, frame, 1);
  }

  #see(
    all: Map<string, Seen>,
    key: string,
    name: string,
    classId: number,
    { index, timeMs }: ShownFrame,
    count: number,
  ): void {
    const seen = all.get(key) ?? { name, classId, intervals: [] };
    all.set(key, seen);
    const last = seen.intervals.at(-1);
    const endMs = timeMs + this.#stepMs;
    if (last && timeMs - last.end_ms <= GAP_MS) {
      last.last_frame = index;
      last.end_ms = endMs;
      last.most_at_once = Math.max(last.most_at_once, count);
    } else {
      seen.intervals.push({
        first_frame: index,
        last_frame: index,
        start_ms: timeMs,
        end_ms: endMs,
        most_at_once: count,
      });
    }
  }
}

function classSummary({ name, classId, intervals }: Seen): ClassSummary {
  return {
    class_id: classId,
    class_name: name,
    tracks: 0,
    most_at_once: Math.max(...intervals.map(({ most_at_once }) => most_at_once)),
    in_view_ms: intervals.reduce((sum, { start_ms, end_ms }) => sum + end_ms - start_ms, 0),
    intervals: intervals.map((shown) => ({ ...shown })),
    intervals_joined: 0,
  };
}

function textSummary({ name, intervals }: Seen, place: number): TextSummary {
  const [first, last] = [intervals[0], intervals.at(-1)];
  const best = { frame_index: first?.first_frame ?? 0, timestamp_ms: first?.start_ms ?? 0, confidence: 0 };
  return {
    text_id: place + 1,
    text: name,
    confidence: 0,
    agreement: 1,
    frames: 0,
    on_one_frame: false,
    alternatives: [],
    first_frame: first?.first_frame ?? 0,
    last_frame: last?.last_frame ?? 0,
    start_ms: first?.start_ms ?? 0,
    end_ms: last?.end_ms ?? 0,
    in_view_ms: 0,
    intervals: intervals.map((shown) => ({ ...shown })),
    intervals_joined: 0,
    best: { ...best, xyxy: [0, 0, 0, 0] },
    path: [],
    path_error_px: 0,
  };
}
