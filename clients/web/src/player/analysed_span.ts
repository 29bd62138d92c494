import type { Job, Summary } from "../api/types";

export interface Span {
  startMs: number;
  endMs: number;
}

/** The part of a video that a job was to analyse, as far as its options, its summary and the video tell. */
export function analysedSpan(job: Job, summary: Summary | null): Span {
  const startMs = job.start_ms ?? 0;
  const sampledMs = startMs + (summary?.frames ?? 0) * (summary?.sampling_interval_ms ?? 0);
  const durationMs = job.video?.duration_ms ?? summary?.video.duration_ms;
  const ends = [durationMs ?? Math.max(lastMsOf(summary), sampledMs)];
  if (job.end_ms !== null) ends.push(job.end_ms);
  if (job.max_frames !== null && sampledMs > startMs) ends.push(sampledMs);
  return { startMs, endMs: Math.max(startMs, Math.min(...ends)) };
}

/** When the last thing that was found ends; a second at least. */
export function lastMsOf(summary: Summary | null): number {
  if (!summary) return 1000;
  const intervals = summary.classes.flatMap((one) => one.intervals.slice(-1));
  const ends = [...intervals, ...summary.tracks, ...summary.texts].map(({ end_ms }) => end_ms);
  return Math.max(1000, summary.frames * (summary.sampling_interval_ms ?? 0), ...ends);
}
