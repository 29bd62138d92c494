/**
 * Which analysed frame is on the screen, and where to seek to have one there.
 *
 * `mediaTime` of `requestVideoFrameCallback` alone tells which picture is presented. Chromium 150 gives the
 * time of the picture in the movie to the microsecond, for constant and varying rates, edit lists, a late
 * start, B-frames, rotation and fragments (tests/console/test_frame_clock.py); `currentTime` says only where
 * the player was sent.
 */

/** Half of the shortest time between two pictures (1000 a second); browsers may round to milliseconds. */
export const TOLERANCE_MS = 0.5;

export function playerSeconds(timeMs: number, firstPictureMs: number): number {
  return (timeMs + firstPictureMs) / 1000;
}

/** A time of the player, in milliseconds from the first picture of the video, as results count. */
export function resultsMs(seconds: number, firstPictureMs: number): number {
  return seconds * 1000 - firstPictureMs;
}

/** What has exactly this time; null if no analysed frame has it, as between those of a stride. */
export function frameAt<T extends { timeMs: number }>(frames: readonly T[], timeMs: number): T | null {
  let [place, end] = [0, frames.length];
  while (place < end) {
    const middle = (place + end) >> 1;
    if ((frames[middle]?.timeMs ?? 0) < timeMs) place = middle + 1;
    else end = middle;
  }
  const [before, after] = [frames[place - 1], frames[place]];
  const nearest =
    before && (!after || timeMs - before.timeMs < after.timeMs - timeMs) ? before : (after ?? null);
  return nearest && Math.abs(nearest.timeMs - timeMs) <= TOLERANCE_MS ? nearest : null;
}

export interface TimedFrame {
  index: number;
  timeMs: number;
}

/** How long a frame is shown at least, as far as its neighbour and the rate of the video tell. */
export function shownForMs(frame: TimedFrame, next: TimedFrame | null, averageRate: number | null): number {
  if (next) return (next.timeMs - frame.timeMs) / Math.max(1, next.index - frame.index);
  return averageRate ? 1000 / averageRate : 40;
}

/**
 * Where to seek so that a frame is presented: the middle of its time, then closer to its start.
 *
 * The start itself is not first: a player whose clock is a fraction of a microsecond below it shows the frame
 * before. The middle fails if the frame is shown for a shorter time than its neighbours, and in Chromium for
 * some frames whatever one asks for: with a varying rate and B-frames it takes durations in the order of
 * decoding, and it never shows what precedes the keyframe of an open GOP after a seek to it.
 */
export function seekPoints(frame: TimedFrame, shownMs: number): number[] {
  return [0.5, 0.2, 0.02].map((share) => frame.timeMs + shownMs * share);
}
