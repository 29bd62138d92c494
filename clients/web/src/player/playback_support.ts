/** What a browser is asked whether it can play; of other codecs it is known that none can. */
const TYPES: Record<string, string> = {
  h264: 'video/mp4; codecs="avc1.640028"',
  hevc: 'video/mp4; codecs="hvc1.1.6.L120.90"',
  av1: 'video/mp4; codecs="av01.0.08M.08"',
  vp9: 'video/mp4; codecs="vp09.00.40.08"',
  vp8: 'video/mp4; codecs="vp8"',
  mpeg4: 'video/mp4; codecs="mp4v.20.9"',
};
const NAMES: Record<string, string> = {
  h264: "H.264",
  hevc: "HEVC (H.265)",
  av1: "AV1",
  vp9: "VP9",
  mpeg4: "MPEG-4 Part 2",
  mpeg2video: "MPEG-2",
  prores: "ProRes",
  mjpeg: "Motion JPEG",
  dnxhd: "DNxHD",
  vvc: "VVC (H.266)",
};

export function codecName(codec: string): string {
  return NAMES[codec] ?? codec;
}

/** Whether it is certain that a browser cannot play a codec. */
export function isUnplayable(codec: string, canPlayType: (type: string) => string): boolean {
  const type = TYPES[codec];
  return type === undefined || canPlayType(type) === "";
}

/** What to say instead of playing. */
export function unplayableSentence(codec: string | null): string {
  const what = codec === null ? "this video" : `${codecName(codec)} video`;
  return (
    `This browser cannot play ${what}. What was found is drawn on an empty picture; step through it, or seek ` +
    "on the timeline. For the pictures, download the video, or draw the results on it with the command line:"
  );
}

/** What makes the annotated video. */
export function annotateCommand(jobId: string): string {
  return `video-jobs annotate ${jobId} -o annotated.mp4`;
}
