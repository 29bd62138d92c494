/** CSV with a line for each detection, word, track or text (RFC 4180), and JSONL with one for each frame. */
import type { Summary, TextSummary, TrackSummary } from "../api/types";
import { type FoundFrame, numberOf, objectsOf, wordsOf } from "./frames";
import type { Json } from "./lossless_json";
import { floatText, rounded } from "./numbers";
import { jsonOf } from "./texts";
import type { FrameWriter } from "./writer";

const FRAME = ["frame_index", "timestamp_ms"];
const BOX = ["x1", "y1", "x2", "y2"];
const SPAN = ["first_frame", "last_frame", "start_ms", "end_ms", "in_view_ms", "frames"] as const;
const BEST = ["best_frame", "best_ms", ...BOX];
const TRACK = ["track_id", "class_id", "class_name", "confidence", ...SPAN] as const;
const TEXT = ["text_id", "text", "confidence", "agreement", ...SPAN] as const;

type Cell = string | number | null;

export class DetectionsCsv implements FrameWriter {
  start(): string {
    return line([...FRAME, "track_id", "class_id", "class_name", "confidence", ...BOX]);
  }

  frame(frame: FoundFrame): string {
    const rows = objectsOf(frame).map((one) =>
      line([
        ...placeOf(frame),
        one.trackId,
        one.classId,
        one.className,
        numberOf(one.confidence),
        ...one.xyxy.map((edge) => rounded(edge)),
      ]),
    );
    return rows.join("");
  }

  end(): string[] {
    return [];
  }
}

export class WordsCsv implements FrameWriter {
  start(): string {
    return line([...FRAME, "text", "confidence", ...BOX, "block_num", "line_num"]);
  }

  frame(frame: FoundFrame): string {
    const rows = wordsOf(frame).map((word) =>
      line([
        ...placeOf(frame),
        word.text,
        word.confidence,
        ...word.xyxy.map((edge) => rounded(edge)),
        word.blockNum,
        word.lineNum,
      ]),
    );
    return rows.join("");
  }

  end(): string[] {
    return [];
  }
}

export class JsonLines implements FrameWriter {
  start(): string {
    return "";
  }

  frame(frame: FoundFrame): string {
    const whole: { [name: string]: Json } = {
      frame_index: frame.index,
      timestamp_ms: frame.timestampMs,
      result: frame.result,
    };
    if (frame.trackIds) whole.track_ids = frame.trackIds;
    return `${jsonOf(whole)}\n`;
  }

  end(): string[] {
    return [];
  }
}

export function tracksCsv(summary: Summary): string {
  return [line([...TRACK, ...BEST]), ...summary.tracks.map((one) => summaryLine(TRACK, one))].join("");
}

export function textsCsv(summary: Summary): string {
  return [line([...TEXT, ...BEST]), ...summary.texts.map((one) => summaryLine(TEXT, one))].join("");
}

function summaryLine<T extends TrackSummary | TextSummary>(names: readonly (keyof T)[], one: T): string {
  const told = names.map((name) => one[name] as Cell);
  const { frame_index, timestamp_ms, xyxy } = one.best;
  return line([...told, frame_index, timestamp_ms, ...xyxy.map((edge) => rounded(edge))]);
}

function placeOf(frame: FoundFrame): Cell[] {
  return [frame.index, frame.timestampMs === null ? null : rounded(numberOf(frame.timestampMs))];
}

function line(cells: readonly Cell[]): string {
  return `${cells.map(cellText).join(",")}\r\n`;
}

/** Whole numbers have no point in a table. */
function cellText(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return floatText(cell).replace(/\.0$/, "");
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
