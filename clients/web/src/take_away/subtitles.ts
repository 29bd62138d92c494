/** Subtitles that tell what was read or seen, in the time of a player (WebVTT, SubRip). */
import type { Summary, Video } from "../api/types";
import { type About, checkTracks, type FoundFrame, objectsOf, timeOf, videoOf } from "./frames";
import { wholeNumber } from "./numbers";
import { compareTexts, escaped, linesOf } from "./texts";
import type { FrameWriter } from "./writer";

export type Content = "texts" | "objects" | "tracks";
export type SubtitleFormat = "vtt" | "srt";

interface Shown {
  startMs: number;
  endMs: number;
  text: string;
}

const SHOWN_ON: Record<Content, (frame: FoundFrame) => string[]> = {
  texts: (frame) => linesOf((frame.result.text ?? "") as string),
  objects: (frame) => objectsOf(frame).map((one) => one.className),
  tracks: (frame) => {
    checkTracks(frame, "A subtitle for each object");
    return objectsOf(frame).flatMap((one) =>
      one.trackId === null ? [] : [`${one.className} #${one.trackId}`],
    );
  },
};

/** From the summary: a text has its agreed spelling, and what is not seen for a moment stays in view. */
export function summarySubtitles(
  summary: Summary,
  video: Video,
  format: SubtitleFormat,
  content: Content = "texts",
): string {
  return subtitles(intervalsOf(summary, content), video.first_picture_ms, format);
}

/** From the frames: a cue is as long as frames that follow each other show the very same. */
export class FrameSubtitles implements FrameWriter {
  readonly #since = new Map<string, number>();
  readonly #ended: Shown[] = [];
  readonly #about: About;
  #timeMs = 0;
  #stepMs = 0;

  constructor(
    about: About,
    readonly format: SubtitleFormat,
    readonly content: Content = "texts",
  ) {
    videoOf(about);
    this.#about = about;
  }

  start(): string {
    return "";
  }

  frame(frame: FoundFrame): string {
    const timeMs = timeOf(frame);
    this.#stepMs = timeMs - this.#timeMs;
    this.#timeMs = timeMs;
    const shown = new Set(SHOWN_ON[this.content](frame));
    this.#end(
      [...this.#since.keys()].filter((text) => !shown.has(text)),
      timeMs,
    );
    for (const text of shown) if (!this.#since.has(text)) this.#since.set(text, timeMs);
    return "";
  }

  end(): string[] {
    this.#end([...this.#since.keys()], this.#endOfLast());
    return [subtitles(this.#ended, videoOf(this.#about).first_picture_ms, this.format)];
  }

  #end(texts: string[], endMs: number): void {
    for (const text of texts.sort(compareTexts)) {
      this.#ended.push({ startMs: this.#since.get(text) ?? 0, endMs, text });
      this.#since.delete(text);
    }
  }

  /** The last frame lasts as long as the one before, and no longer than the video. */
  #endOfLast(): number {
    const durationMs = videoOf(this.#about).duration_ms;
    const endMs = this.#timeMs + this.#stepMs;
    if (durationMs === null) return endMs;
    return this.#stepMs === 0 ? durationMs : Math.min(endMs, durationMs);
  }
}

function intervalsOf(summary: Summary, content: Content): Shown[] {
  const named = {
    texts: () => summary.texts.flatMap((one) => one.intervals.map((shown) => ({ name: one.text, ...shown }))),
    tracks: () =>
      summary.tracks.flatMap((one) =>
        one.intervals.map((shown) => ({ name: `${one.class_name} #${one.track_id}`, ...shown })),
      ),
    objects: () =>
      summary.classes.flatMap((one) =>
        one.intervals.map((shown) => ({
          name: shown.most_at_once > 1 ? `${one.class_name} (${shown.most_at_once})` : one.class_name,
          ...shown,
        })),
      ),
  };
  return named[content]().map(({ name, start_ms, end_ms }) => ({
    startMs: start_ms,
    endMs: end_ms,
    text: name,
  }));
}

function subtitles(shown: Shown[], offsetMs: number, format: SubtitleFormat): string {
  const cues = shown
    .map(({ startMs, endMs, text }) => {
      const start = wholeNumber(startMs + offsetMs);
      return { start, end: Math.max(start + 1, wholeNumber(endMs + offsetMs)), text };
    })
    .sort((one, other) => one.start - other.start || one.end - other.end);
  return format === "vtt"
    ? `WEBVTT\n${cues
        .map(({ start, end, text }) => `\n${clock(start, ".")} --> ${clock(end, ".")}\n${escaped(text)}\n`)
        .join("")}`
    : cues
        .map(({ start, end, text }, place) => {
          const times = `${clock(start, ",")} --> ${clock(end, ",")}`;
          return `${place + 1}\n${times}\n${text.replaceAll("-->", "->")}\n\n`;
        })
        .join("");
}

function clock(timeMs: number, point: string): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const seconds = Math.floor(timeMs / 1000);
  const rest = String(timeMs - seconds * 1000).padStart(3, "0");
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}${point}${rest}`;
}
