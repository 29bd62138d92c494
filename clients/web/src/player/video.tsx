import { useEffect, useRef, useState } from "preact/hooks";
import type { Api } from "../api/client";
import { isAborted, sentenceOf } from "../api/errors";
import type { SignedVideo, Video } from "../api/types";
import { isUnplayable } from "./playback_support";
import type { Playhead } from "./playhead";

/** So long before its end, a signed URL is no longer given to the player. */
const MARGIN_MS = 20_000;

const BETWEEN_RENEWALS_MS = 10_000;

export interface VideoProps {
  api: Api;
  jobId: string;
  about: Video | null;
  playhead: Playhead;
  /** Where to begin, in milliseconds from the first picture. */
  startMs: number;
  element: { current: HTMLVideoElement | null };
  onUnplayable: () => void;
  onProblem: (sentence: string | null) => void;
}

/** The pictures; when their signed URL has expired, another one is fetched and playing goes on. */
export function JobVideo(props: VideoProps) {
  const { api, jobId, about, playhead, startMs, element, onUnplayable, onProblem } = props;
  const [url, setUrl] = useState<string | null>(null);
  const signed = useRef<SignedVideo | null>(null);
  const resume = useRef({ seconds: null as number | null, isPlaying: false });
  const isRenewing = useRef(false);
  const renewedAt = useRef(0);
  const hasStarted = useRef(false);
  const stop = useRef(new AbortController());

  const fetchUrl = async () => {
    try {
      const { body } = await api.video(jobId, stop.current.signal);
      signed.current = body;
      setUrl(body.video_url);
      onProblem(null);
    } catch (error) {
      if (!isAborted(error)) onProblem(sentenceOf(error));
    } finally {
      isRenewing.current = false;
    }
  };

  useEffect(() => {
    stop.current = new AbortController();
    void fetchUrl();
    return () => stop.current.abort();
  }, [jobId]);

  useEffect(() => {
    playhead.about = about;
    const canPlayType = (type: string) => element.current?.canPlayType(type) ?? "";
    if (about && isUnplayable(about.codec, canPlayType)) onUnplayable();
  }, [about, playhead, element, onUnplayable]);

  const hasUrl = url !== null;
  useEffect(() => {
    const video = element.current;
    return video && hasUrl ? playhead.attach(video) : undefined;
  }, [hasUrl, playhead, element]);

  const isExpired = () =>
    signed.current !== null && Date.parse(signed.current.expires_at) - MARGIN_MS < Date.now();

  const renew = () => {
    const video = element.current;
    if (!video || isRenewing.current) return;
    isRenewing.current = true;
    renewedAt.current = Date.now();
    resume.current = { seconds: video.currentTime, isPlaying: !video.paused };
    void fetchUrl();
  };

  const onError = () => {
    const video = element.current;
    const code = video?.error?.code;
    // a URL that is no longer valid gives 403, which a player reports as a network error or an unknown format
    if (isExpired()) renew();
    else if (code === MediaError.MEDIA_ERR_DECODE && hasStarted.current) void playhead.recover();
    else if (code !== MediaError.MEDIA_ERR_NETWORK && !hasStarted.current) onUnplayable();
    else if (Date.now() - renewedAt.current > BETWEEN_RENEWALS_MS) renew();
    else onProblem("The video stopped loading: reload the page.");
  };

  const onMetadata = () => {
    const video = element.current;
    if (!video) return;
    // some browsers play the sound of a video whose pictures they cannot decode
    if (video.videoWidth === 0) {
      onUnplayable();
      return;
    }
    const { seconds, isPlaying } = resume.current;
    resume.current = { seconds: null, isPlaying: false };
    if (seconds !== null) video.currentTime = seconds;
    else if (!hasStarted.current) void playhead.seek(startMs);
    hasStarted.current = true;
    if (isPlaying) void video.play().catch(() => {});
  };

  const renewIfExpired = () => {
    if (isExpired()) renew();
  };

  return (
    <video
      ref={element}
      {...(url ? { src: url } : {})}
      class="stage-video"
      preload="auto"
      playsInline
      tabIndex={-1}
      aria-label="The video of the job"
      onError={onError}
      onLoadedMetadata={onMetadata}
      onPlay={renewIfExpired}
      onSeeking={renewIfExpired}
    />
  );
}
