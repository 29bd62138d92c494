import type { Api } from "../api/client";
import type { Job, Summary } from "../api/types";
import { Coco } from "./coco";
import { Cvat } from "./cvat";
import { type About, aboutOf, framesOf, videoOf } from "./frames";
import { parseLossless } from "./lossless_json";
import { FrameSubtitles, summarySubtitles } from "./subtitles";
import { DetectionsCsv, JsonLines, textsCsv, tracksCsv, WordsCsv } from "./tables";
import type { FrameWriter } from "./writer";

/** Few enough that a page is turned into lines without a pause that is felt. */
const FRAMES_PER_PAGE = 100;
const PIECE_CHARACTERS = 1 << 20;

/** A file that can be made of a job's answers. */
export interface FileKind {
  name: string;
  ending: string;
  type: string;
  /** From the frames, page by page; or at once from the summary, if there is one. */
  writer?: (about: About) => FrameWriter;
  ofSummary?: (summary: Summary, about: About) => string;
  needsSummary?: boolean;
}

const CSV = "text/csv";
const VTT = "text/vtt";
const TEXT = "text/plain";
const JSON_TYPE = "application/json";

export const FILE_KINDS: FileKind[] = [
  {
    name: "JSONL of frames",
    ending: "frames.jsonl",
    type: JSON_TYPE,
    writer: () => new JsonLines(),
  },
  { name: "CSV of objects", ending: "objects.csv", type: CSV, writer: () => new DetectionsCsv() },
  { name: "CSV of words", ending: "words.csv", type: CSV, writer: () => new WordsCsv() },
  { name: "CSV of tracks", ending: "tracks.csv", type: CSV, ofSummary: tracksCsv, needsSummary: true },
  { name: "CSV of texts", ending: "texts.csv", type: CSV, ofSummary: textsCsv, needsSummary: true },
  {
    name: "WebVTT of texts",
    ending: "texts.vtt",
    type: VTT,
    writer: (about) => new FrameSubtitles(about, "vtt"),
    ofSummary: (summary, about) => summarySubtitles(summary, videoOf(about), "vtt"),
  },
  {
    name: "WebVTT of objects",
    ending: "objects.vtt",
    type: VTT,
    writer: (about) => new FrameSubtitles(about, "vtt", "objects"),
    ofSummary: (summary, about) => summarySubtitles(summary, videoOf(about), "vtt", "objects"),
  },
  {
    name: "SRT of texts",
    ending: "texts.srt",
    type: TEXT,
    writer: (about) => new FrameSubtitles(about, "srt"),
    ofSummary: (summary, about) => summarySubtitles(summary, videoOf(about), "srt"),
  },
  { name: "COCO", ending: "coco.json", type: JSON_TYPE, writer: (about) => new Coco(about) },
  {
    name: "CVAT",
    ending: "cvat.xml",
    type: "application/xml",
    writer: (about) => new Cvat(about),
    needsSummary: true,
  },
];

/** Make a file; `onProgress` is told the share of the frames that are written. */
export async function made(
  api: Api,
  job: Job,
  summary: Summary | null,
  kind: FileKind,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const about = aboutOf(job);
  if (summary && kind.ofSummary) return new Blob([kind.ofSummary(summary, about)], { type: kind.type });
  if (!kind.writer) throw new Error("This file is made from the summary, and the job has none.");
  const pieces = new Pieces();
  const writer = kind.writer(about);
  pieces.add(writer.start());
  let count = 0;
  let cursor: string | null = null;
  do {
    const query: object = {
      limit: FRAMES_PER_PAGE,
      ...(summary ? { include: "tracks" } : {}),
      ...(cursor === null ? {} : { cursor }),
    };
    const page = parseLossless((await api.resultsText(job.job_id, query, signal)).body);
    const frames = framesOf(page);
    for (const frame of frames) pieces.add(writer.frame(frame));
    count += frames.length;
    onProgress(count / Math.max(1, job.frames_done, count));
    cursor = (page as { next_cursor: string | null }).next_cursor;
  } while (cursor !== null);
  for (const piece of writer.end()) pieces.add(piece);
  return pieces.blob(kind.type);
}

/** Text that leaves the memory of the page for the browser's own store, megabyte by megabyte. */
class Pieces {
  readonly #blobs: Blob[] = [];
  #open: string[] = [];
  #length = 0;

  add(text: string): void {
    this.#open.push(text);
    this.#length += text.length;
    if (this.#length >= PIECE_CHARACTERS) this.#close();
  }

  blob(type: string): Blob {
    this.#close();
    return new Blob(this.#blobs, { type });
  }

  #close(): void {
    this.#blobs.push(new Blob(this.#open));
    this.#open = [];
    this.#length = 0;
  }
}

/** What a file of a job is called. */
export function fileName(job: Job, ending: string): string {
  const stem = (job.filename ?? "").replace(/\.[^.]*$/, "").replaceAll(/[\\/:*?"<>|]/g, "_");
  return `${stem || job.job_id}.${ending}`;
}
