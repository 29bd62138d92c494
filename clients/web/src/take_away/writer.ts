import type { FoundFrame } from "./frames";

/** Writes a file from frames that come in the order of the video. */
export interface FrameWriter {
  start(): string;
  frame(frame: FoundFrame): string;
  /** The rest, in pieces. */
  end(): string[];
}

/** The whole file at once, for results that are short. */
export function written(writer: FrameWriter, frames: Iterable<FoundFrame>): string {
  const pieces = [writer.start()];
  for (const frame of frames) pieces.push(writer.frame(frame));
  return [...pieces, ...writer.end()].join("");
}
