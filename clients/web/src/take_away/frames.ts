import type { Job, Video } from "../api/types";
import { Decimal, type Json } from "./lossless_json";

type JsonObject = { [name: string]: Json };

export interface FoundObject {
  classId: number;
  className: string;
  confidence: number | Decimal;
  xyxy: [number, number, number, number];
  trackId: number | null;
}

export interface FoundWord {
  text: string;
  confidence: number;
  xyxy: [number, number, number, number];
  blockNum: number;
  lineNum: number;
}

/** What was found on a frame; `result` is what the pipeline gave, as the answer of the API has it. */
export interface FoundFrame {
  index: number;
  timestampMs: number | Decimal | null;
  result: JsonObject;
  trackIds: (number | null)[] | null;
}

/** What exports need to know about the job. */
export interface About {
  video: Video | null;
  classNames: string[];
}

export class ExportError extends Error {}

export function aboutOf(job: Job): About {
  const plugins = (job.fingerprint?.plugins ?? {}) as Record<string, { classes?: string[] }>;
  const classNames = Object.values(plugins).find((plugin) => plugin.classes)?.classes ?? [];
  return { video: job.video, classNames };
}

export function videoOf(about: About): Video {
  if (!about.video) throw new ExportError("What the video is like is not known: this job has not read it.");
  return about.video;
}

/** The frames of a page of results, as `parseLossless` gives it. */
export function framesOf(page: Json): FoundFrame[] {
  const { results, timestamps_ms, track_ids } = page as JsonObject;
  const times = (timestamps_ms ?? null) as (number | Decimal)[] | null;
  const tracks = (track_ids ?? null) as (number | null)[][] | null;
  return (results as JsonObject[]).map((frame, place) => ({
    index: frame.frame_index as number,
    timestampMs: times?.[place] ?? null,
    result: frame.result as JsonObject,
    trackIds: tracks?.[place] ?? null,
  }));
}

export function objectsOf(frame: FoundFrame): FoundObject[] {
  const found = (frame.result.detections ?? []) as JsonObject[];
  return found.map((one, place) => ({
    classId: one.class_id as number,
    className: one.class_name as string,
    confidence: one.confidence as number | Decimal,
    xyxy: (one.xyxy as Json[]).map(numberOf) as FoundObject["xyxy"],
    trackId: frame.trackIds?.[place] ?? null,
  }));
}

export function wordsOf(frame: FoundFrame): FoundWord[] {
  const found = (frame.result.blocks ?? []) as JsonObject[];
  return found.map((word) => {
    const { x, y, width, height } = word.bbox as Record<string, Json>;
    const [left, top] = [numberOf(x), numberOf(y)];
    return {
      text: word.text as string,
      confidence: numberOf(word.confidence),
      xyxy: [left, top, left + numberOf(width), top + numberOf(height)],
      blockNum: word.block_num as number,
      lineNum: word.line_num as number,
    };
  });
}

/** The time of a frame; results of old jobs have none. */
export function timeOf(frame: FoundFrame): number {
  if (frame.timestampMs === null) {
    throw new ExportError("These results have no times: submit the video again to get them.");
  }
  return numberOf(frame.timestampMs);
}

export function checkTracks(frame: FoundFrame, format: string): void {
  if (frame.trackIds === null) throw new ExportError(`${format} needs tracks, and this job has none.`);
}

export function numberOf(value: Json | undefined): number {
  return value instanceof Decimal ? value.value : (value as number);
}

/** What files about a frame are called, without their ending. */
export function nameOf(frame: FoundFrame): string {
  return `frame_${String(frame.index).padStart(6, "0")}`;
}
