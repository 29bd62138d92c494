import type { JobError } from "../api/types";

/** What to do about a failed job. */
interface Remedy {
  advice: string;
  /** Whether the same job may succeed if it is run again. */
  canRetry: boolean;
}

const CONVERT = "Convert the video, for example with ffmpeg to H.264, and upload it again.";
const AGAIN = "Run it again; if it fails once more, tell the operator.";
const OPTIONS = "Upload the video again with other options.";
const ADDRESS = "Check the address and submit it again, or upload the file.";

/** By `error.code`; docs/errors.md has them all. */
const REMEDIES: Record<string, Remedy> = {
  analysis_crashed: { advice: CONVERT, canRetry: true },
  cancelled: { advice: "Run it again if it was cancelled by mistake.", canRetry: true },
  dead_letter: { advice: AGAIN, canRetry: true },
  invalid_mp4: { advice: CONVERT, canRetry: false },
  job_failed: { advice: OPTIONS, canRetry: true },
  job_too_long: { advice: "Upload it again with fewer pictures a second, or a part of it.", canRetry: false },
  no_frame_chosen: { advice: OPTIONS, canRetry: false },
  pipeline_failed: { advice: AGAIN, canRetry: true },
  resource_limit: { advice: "Upload it again with fewer or smaller pictures.", canRetry: true },
  source_bad_redirect: { advice: ADDRESS, canRetry: false },
  source_forbidden_address: { advice: "Upload the file itself, or give a public address.", canRetry: false },
  source_interrupted: { advice: "Submit the address again, or upload the file.", canRetry: false },
  source_not_found: { advice: ADDRESS, canRetry: false },
  source_refused: { advice: "Make a new signed link and submit it, or upload the file.", canRetry: false },
  source_too_large: { advice: "Cut the video into parts, or make it smaller.", canRetry: false },
  source_too_slow: { advice: "Upload the file, or put it on a faster server.", canRetry: false },
  source_unreachable: { advice: ADDRESS, canRetry: false },
  temporarily_unavailable: { advice: AGAIN, canRetry: true },
  unknown_class: { advice: "Upload it again with classes that the model knows.", canRetry: false },
  unreadable_video: { advice: CONVERT, canRetry: false },
  unsupported_option: { advice: OPTIONS, canRetry: false },
  upload_expired: {
    advice: "Upload the video again, and keep this page open until it has arrived.",
    canRetry: false,
  },
  video_too_large: { advice: "Cut the video into parts, or make it smaller.", canRetry: false },
  worker_crashed: { advice: CONVERT, canRetry: true },
};

const UNKNOWN: Remedy = { advice: AGAIN, canRetry: true };

export const KNOWN_CODES = Object.keys(REMEDIES);

export function remedyOf(error: JobError | null): Remedy {
  return REMEDIES[error?.code ?? ""] ?? UNKNOWN;
}

/** Why a job failed, as a sentence. */
export function reasonOf(error: JobError | null): string {
  const message = error?.message ?? error?.code ?? "The service tells no reason";
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
