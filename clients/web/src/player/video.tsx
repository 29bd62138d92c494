import { useEffect, useRef, useState } from "preact/hooks";
import type { Api } from "../api/client";
import { ApiError, isAborted, sentenceOf } from "../api/errors";
import { pollPatiently } from "../api/polling";
import type { Job } from "../api/types";
import { isOpen } from "../jobs/job_list";
import { isUnplayable } from "./playback_support";
import type { Playhead } from "./playhead";
import { SignedUrl } from "./signed_url";

const BETWEEN_RENEWALS_MS = 10_000;

/** What a player tells of a video. */
export interface Loaded {
  width: number;
  height: number;
  durationMs: number | null;
}

export interface VideoProps {
  api: Api;
  jobId: string;
  /** Another object each time that the service was asked; null before that. */
  job: Job | null;
  playhead: Playhead;
  /** Where to begin, in milliseconds from the first picture. */
  startMs: number;
  element: { current: HTMLVideoElement | null };
  onLoaded: (loaded: Loaded) => void;
  onUnplayable: () => void;
  onProblem: (sentence: string | null) => void;
}

/** The pictures; when their signed URL has expired, another one is fetched and playing goes on. */
export function JobVideo(props: VideoProps) {
  const { api, jobId, job, playhead, startMs, element, onLoaded, onUnplayable, onProblem } = props;
  const [signed, setSigned] = useState<SignedUrl | null>(null);
  const latest = useRef(job);
  latest.current = job;
  const resume = useRef({ seconds: null as number | null, isPlaying: false });
  const isFetching = useRef(false);
  const renewedAt = useRef(Number.NEGATIVE_INFINITY);
  const hasStarted = useRef(false);
  const stop = useRef(new AbortController());
  const about = job?.video ?? null;

  const fetchUrl = async () => {
    if (isFetching.current) return;
    isFetching.current = true;
    const { signal } = stop.current;
    const ask = async () => {
      const { body } = await api.video(jobId, signal);
      setSigned(new SignedUrl(body, Date.now()));
      return null;
    };
    try {
      await pollPatiently(ask, signal, onProblem);
    } catch (error) {
      // the video of an open job may still be on its way
      if (!isAborted(error) && !(isMissing(error) && (!latest.current || isOpen(latest.current))))
        onProblem(sentenceOf(error));
    } finally {
      isFetching.current = false;
    }
  };

  useEffect(() => {
    stop.current = new AbortController();
    return () => stop.current.abort();
  }, [jobId]);

  useEffect(() => {
    if (!signed) void fetchUrl();
  }, [jobId, job, signed]);

  useEffect(() => {
    const canPlayType = (type: string) => element.current?.canPlayType(type) ?? "";
    if (about && isUnplayable(about.codec, canPlayType)) onUnplayable();
  }, [about, element, onUnplayable]);

  const hasUrl = signed !== null;
  useEffect(() => {
    const video = element.current;
    return video && hasUrl ? playhead.attach(video) : undefined;
  }, [hasUrl, playhead, element]);

  const isExpired = () => signed?.isOver(Date.now()) ?? false;
  const hasJustRenewed = () => Date.now() - renewedAt.current < BETWEEN_RENEWALS_MS;

  const renew = (isToPlay = false) => {
    const video = element.current;
    if (!video || isFetching.current) return;
    renewedAt.current = Date.now();
    const { seconds, isPlaying } = resume.current;
    // a URL that could not be loaded has put the player back to the start
    resume.current = {
      seconds: seconds ?? video.currentTime,
      isPlaying: isToPlay || (seconds === null ? !video.paused : isPlaying),
    };
    void fetchUrl();
  };
  playhead.onRefused = () => renew(true);

  const onError = () => {
    const video = element.current;
    const code = video?.error?.code;
    // a URL that is no longer valid gives 403, which a player reports as a network error or an unknown format
    if (isExpired()) renew();
    else if (code === MediaError.MEDIA_ERR_DECODE && hasStarted.current) void playhead.recover();
    else if (code !== MediaError.MEDIA_ERR_NETWORK && !hasStarted.current) onUnplayable();
    else if (!hasJustRenewed()) renew();
    else onProblem("The video stopped loading. Press play to try it again.");
  };

  const onMetadata = () => {
    const video = element.current;
    if (!video) return;
    // some browsers play the sound of a video whose pictures they cannot decode
    if (video.videoWidth === 0) {
      onUnplayable();
      return;
    }
    const { duration, videoWidth: width, videoHeight: height } = video;
    onLoaded({ width, height, durationMs: Number.isFinite(duration) ? duration * 1000 : null });
    const { seconds, isPlaying } = resume.current;
    resume.current = { seconds: null, isPlaying: false };
    if (seconds !== null) void playhead.resume(seconds, isPlaying);
    else if (!hasStarted.current) void playhead.begin(startMs);
    hasStarted.current = true;
  };

  const renewIfExpired = () => {
    if (isExpired() && !hasJustRenewed()) renew();
  };
  const onPlay = () => {
    if (element.current?.error) renew(true);
    else renewIfExpired();
  };

  return (
    <video
      ref={element}
      {...(signed ? { src: signed.url } : {})}
      class="stage-video"
      preload="auto"
      playsInline
      tabIndex={-1}
      aria-label="The video of the job"
      onError={onError}
      onLoadedMetadata={onMetadata}
      onPlay={onPlay}
      onSeeking={renewIfExpired}
    />
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof ApiError && error.code === "video_missing";
}
