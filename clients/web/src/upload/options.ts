import type { JobOptions } from "../api/types";
import { parseTime } from "../format";

/** What the fields of the form hold, as text. */
export interface OptionFields {
  pipeline: string;
  sampling: "every" | "rate" | "stride";
  rate: string;
  stride: string;
  maxFrames: string;
  start: string;
  end: string;
  left: string;
  top: string;
  right: string;
  bottom: string;
  classes: string;
  minConfidence: string;
  textEngine: string;
  languages: string;
}

export type FieldName = keyof OptionFields;
export type FieldErrors = Partial<Record<FieldName, string>>;

export const NO_OPTIONS: OptionFields = {
  pipeline: "",
  sampling: "every",
  rate: "2",
  stride: "5",
  maxFrames: "",
  start: "",
  end: "",
  left: "0",
  top: "0",
  right: "100",
  bottom: "100",
  classes: "",
  minConfidence: "",
  textEngine: "",
  languages: "",
};

/** The options of a job, or what is wrong with the fields. */
export function readOptions(fields: OptionFields): { options: JobOptions; errors: FieldErrors } {
  const options: JobOptions = {};
  const errors: FieldErrors = {};
  if (fields.pipeline) options.pipeline_id = fields.pipeline;
  readSampling(fields, options, errors);
  readTimes(fields, options, errors);
  readRegion(fields, options, errors);
  const classes = words(fields.classes);
  if (classes.length) options.classes = classes;
  if (fields.minConfidence.trim()) {
    const percent = numberIn(fields.minConfidence, 0, 100);
    if (percent === null) errors.minConfidence = "Write a number from 0 to 100.";
    else options.min_confidence = percent / 100;
  }
  if (fields.textEngine) options.text_engine = fields.textEngine;
  const languages = words(fields.languages);
  if (languages.length) options.languages = languages;
  if (languages.length && fields.textEngine === "ppocr") {
    errors.languages = "Only Tesseract has a choice of languages: choose it, or leave this empty.";
  }
  return { options, errors };
}

function readSampling(fields: OptionFields, options: JobOptions, errors: FieldErrors): void {
  if (fields.sampling === "rate") {
    const rate = numberIn(fields.rate, 0, 1000);
    if (!rate) errors.rate = "Write a number above 0 and up to 1000, for example 2 or 0.5.";
    else options.frames_per_second = rate;
  }
  if (fields.sampling === "stride") {
    const stride = numberIn(fields.stride, 1, 1_000_000);
    if (stride === null || !Number.isInteger(stride)) errors.stride = "Write a whole number from 1 on.";
    else options.frame_stride = stride;
  }
  if (fields.maxFrames.trim()) {
    const most = numberIn(fields.maxFrames, 1, 100_000_000);
    if (most === null || !Number.isInteger(most)) errors.maxFrames = "Write a whole number from 1 on.";
    else options.max_frames = most;
  }
}

function readTimes(fields: OptionFields, options: JobOptions, errors: FieldErrors): void {
  for (const [field, option] of [
    ["start", "start_ms"],
    ["end", "end_ms"],
  ] as const) {
    if (!fields[field].trim()) continue;
    const time = parseTime(fields[field]);
    if (time === null) errors[field] = "Write seconds, or minutes and seconds such as 1:30.";
    else options[option] = time;
  }
  if (options.end_ms !== undefined && options.end_ms <= (options.start_ms ?? 0)) {
    errors.end = "The end must be after the start.";
  }
}

function readRegion(fields: OptionFields, options: JobOptions, errors: FieldErrors): void {
  const [left, top, right, bottom] = (["left", "top", "right", "bottom"] as const).map((edge) => {
    const percent = numberIn(fields[edge], 0, 100);
    if (percent === null) errors[edge] = "Write a number from 0 to 100.";
    return (percent ?? 0) / 100;
  }) as [number, number, number, number];
  if (errors.left || errors.top || errors.right || errors.bottom) return;
  if (right <= left) errors.right = "The right edge must be right of the left one.";
  if (bottom <= top) errors.bottom = "The bottom edge must be below the top one.";
  const isWhole = left === 0 && top === 0 && right === 1 && bottom === 1;
  if (!isWhole) options.region = [left, top, right, bottom];
}

function numberIn(text: string, least: number, most: number): number | null {
  const value = Number(text.trim().replace(",", "."));
  return text.trim() !== "" && value >= least && value <= most ? value : null;
}

function words(text: string): string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);
}
