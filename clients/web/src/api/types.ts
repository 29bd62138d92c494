/** The answers of the API that the console uses; docs/endpoints.md describes each field. */

export type Status = "pending" | "running" | "completed" | "failed";
export type Xyxy = [number, number, number, number];

export interface JobError {
  code: string;
  message: string | null;
}

/** All coordinates in the results are pixels of `width` x `height`; see `Video` in docs/endpoints.md. */
export interface Video {
  container: string;
  codec: string;
  width: number;
  height: number;
  frame_count: number | null;
  duration_ms: number | null;
  average_frame_rate: number | null;
  first_picture_ms: number;
  rotation: 0 | 90 | 180 | 270;
  mirrored: boolean;
  interlaced: boolean;
  variable_frame_rate: boolean;
  hdr: "pq" | "hlg" | null;
}

export interface Usage {
  compute_seconds: number;
  frames: number;
  bytes: number;
  cost_usd: number | null;
}

export interface JobWarning {
  code: string;
  message: string;
}

export interface Job {
  job_id: string;
  status: Status;
  progress: number;
  pipeline_id: string;
  frame_stride: number;
  max_frames: number | null;
  filename: string | null;
  text_engine: string | null;
  languages: string[];
  classes: string[];
  min_confidence: number | null;
  region: number[] | null;
  start_ms: number | null;
  end_ms: number | null;
  frames_per_second: number | null;
  source_host: string | null;
  size_bytes: number | null;
  frames_done: number;
  frames_total: number | null;
  percent: number | null;
  helpers: number;
  attempt: number;
  video: Video | null;
  warnings: string[];
  warning_details: JobWarning[];
  fingerprint: Record<string, unknown> | null;
  error: JobError | null;
  usage: Usage | null;
  created_at: string;
  updated_at: string;
}

export interface JobList {
  jobs: Job[];
  next_cursor: string | null;
}

export interface SignedVideo {
  job_id: string;
  video_url: string;
  expires_at: string;
  size_bytes: number;
}

export interface Detection {
  xyxy: Xyxy;
  confidence: number;
  class_id: number;
  class_name: string;
}

/** A word; its confidence is in percent. */
export interface Block {
  text: string;
  confidence: number;
  bbox: { x: number; y: number; width: number; height: number };
  level: number;
  block_num: number;
  line_num: number;
}

/** What the tools of a pipeline gave: any of these names, and those of other plugins. */
export interface FrameResult {
  detections?: Detection[];
  count?: number;
  classes?: Record<string, number>;
  text?: string;
  blocks?: Block[];
  confidence?: number;
  language?: string;
  error?: string | null;
  [other: string]: unknown;
}

export interface Frame {
  frame_index: number;
  result: FrameResult;
}

/** A page; `timestamps_ms` and `track_ids` have one entry for each frame of `results`. */
export interface Results {
  results: Frame[];
  timestamps_ms: number[] | null;
  track_ids?: (number | null)[][];
  job_id: string;
  created_at: string;
  updated_at: string;
  next_cursor: string | null;
  results_url: string | null;
  summary_url: string | null;
  tracks_url: string | null;
  complete?: boolean | null;
}

export interface InView {
  first_frame: number;
  last_frame: number;
  start_ms: number;
  end_ms: number;
}

export interface ClassInView extends InView {
  most_at_once: number;
}

export interface PathPoint {
  frame_index: number;
  timestamp_ms: number;
  xyxy: Xyxy;
}

export interface Moment extends PathPoint {
  confidence: number;
}

export interface ClassSummary {
  class_id: number;
  class_name: string;
  tracks: number;
  most_at_once: number;
  in_view_ms: number;
  intervals: ClassInView[];
  intervals_joined: number;
}

interface Seen extends InView {
  frames: number;
  confidence: number;
  in_view_ms: number;
  intervals: InView[];
  intervals_joined: number;
  best: Moment;
  path: PathPoint[];
  path_error_px: number;
}

export interface TrackSummary extends Seen {
  track_id: number;
  class_id: number;
  class_name: string;
}

export interface TextSummary extends Seen {
  text_id: number;
  text: string;
  agreement: number;
  on_one_frame: boolean;
  alternatives: { text: string; frames: number; confidence: number }[];
}

/** docs/summary.md explains it. */
export interface Summary {
  version: number;
  video: { width: number; height: number; duration_ms: number | null };
  frames: number;
  sampling_interval_ms: number | null;
  classes: ClassSummary[];
  tracks: TrackSummary[];
  tracks_left_out: number;
  texts: TextSummary[];
  texts_left_out: number;
}

export interface JobSummary {
  summary: Summary | null;
  job_id: string;
  created_at: string;
  updated_at: string;
  summary_url: string;
  tracks_url: string;
}

export interface Pipeline {
  pipeline_id: string;
  description: string | null;
  is_default: boolean;
}

export interface TextEngine {
  id: string;
  name: string;
  scripts?: string[] | null;
  languages?: string[] | null;
}

export interface Pipelines {
  pipelines: Pipeline[];
  text_engines: TextEngine[];
}

/** What a job may be asked for; docs/api.md explains each option. */
export interface JobOptions {
  pipeline_id?: string;
  frame_stride?: number;
  frames_per_second?: number;
  max_frames?: number;
  start_ms?: number;
  end_ms?: number;
  region?: number[];
  classes?: string[];
  min_confidence?: number;
  text_engine?: string;
  languages?: string[];
  filename?: string;
}

export interface UploadForm {
  url: string;
  fields: Record<string, string>;
  expires_at: string;
  max_bytes: number;
}

export interface MultipartOffer {
  part_bytes: number;
  part_count: number;
}

export interface UploadOffered {
  job_id: string;
  upload?: UploadForm | null;
  multipart?: MultipartOffer | null;
}

export interface SignedPart {
  part_number: number;
  size_bytes: number;
  url: string;
}

export interface SignedParts {
  parts: SignedPart[];
  expires_at: string;
}

export interface UploadProgress extends MultipartOffer {
  size_bytes: number;
  parts: { part_number: number; size_bytes: number }[];
}
