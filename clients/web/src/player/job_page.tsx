import { computed, effect, type Signal, signal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useApi } from "../api/context";
import type { Job } from "../api/types";
import { nameOf } from "../jobs/job_list";
import { LABELS } from "../jobs/job_row";
import { reasonOf, remedyOf } from "../jobs/reasons";
import { hashOf, type JobRoute, replaceMoment } from "../routes";
import { CopyButton } from "../take_away/copy_button";
import { TakeAway } from "../take_away/take_away";
import { SearchPanel } from "../timeline/search_panel";
import { Timeline } from "../timeline/timeline";
import { TimelineView } from "../timeline/timeline_view";
import { lastMsOf } from "./analysed_span";
import { Controls, KeyboardHelp } from "./controls";
import { FramePanel, Switches } from "./frame_panel";
import { actionOf } from "./keyboard";
import { annotateCommand, unplayableSentence } from "./playback_support";
import { Playhead } from "./playhead";
import { Session } from "./session";
import { Stage } from "./stage";
import { JobVideo, type Loaded } from "./video";
import { ViewState } from "./view_state";
import "./player.css";

export interface JobPageProps {
  /** Another object for each link that was followed, even if it leads where the one before did. */
  link: JobRoute;
}

interface Opened {
  session: Session;
  playhead: Playhead;
  view: ViewState;
  timeline: TimelineView;
  /** What the browser told of the video; the service tells nothing of one that no worker has opened. */
  loaded: Signal<Loaded | null>;
}

function opened(api: ReturnType<typeof useApi>, jobId: string): Opened {
  const session = new Session(api, jobId);
  const playhead = new Playhead(session.windows, session.changes);
  const loaded = signal<Loaded | null>(null);
  const durationMs = computed(() => {
    const { job, summary } = session;
    const told = job.value?.video?.duration_ms ?? summary.value?.video.duration_ms;
    return told ?? loaded.value?.durationMs ?? lastMsOf(summary.value);
  });
  const timeline = new TimelineView(durationMs);
  return { session, playhead, view: new ViewState(session, playhead), timeline, loaded };
}

/** The page of one job: its video with what was found, its timeline, and its files. */
export function JobPage({ link }: JobPageProps) {
  const { jobId, moment } = link;
  const api = useApi();
  const page = useMemo(() => opened(api, jobId), [api, jobId]);
  const { session, playhead, view, timeline, loaded } = page;
  const video = useRef<HTMLVideoElement>(null);
  const startMs = useRef(moment ?? 0).current;
  const [isPlayable, setPlayable] = useState(true);
  const [videoProblem, setVideoProblem] = useState<string | null>(null);

  useEffect(() => {
    void session.run();
    const dispose = effect(() => {
      void session.changes.value;
      session.windows.want(playhead.presentedMs.value ?? startMs);
    });
    return () => {
      dispose();
      session.close();
    };
  }, [session, playhead, startMs]);
  useKeys(page);
  useMomentInAddress(session, playhead);
  const onUnplayable = useMemo(
    () => () => {
      setPlayable(false);
      playhead.detach();
      void playhead.begin(startMs);
    },
    [playhead, startMs],
  );
  const hasStarted = useRef(false);
  // a link to another moment of the job that is open
  useEffect(() => {
    if (hasStarted.current) void playhead.seek(moment ?? 0);
    hasStarted.current = true;
  }, [link, playhead]);

  const job = session.job.value;
  const about = job?.video ?? null;
  useEffect(() => {
    playhead.about = about;
  }, [about, playhead]);
  return (
    <div class="job-page">
      <JobHeading jobId={jobId} job={job} isPartial={session.isPartial.value} />
      {session.problem.value && (
        <p class="problem" role="alert">
          {session.problem.value}
        </p>
      )}
      <div class="watch">
        <div class="watch-main">
          {!isPlayable && (
            <div class="problem" role="alert">
              <p>{unplayableSentence(about?.codec ?? null)}</p>
              <div class="row">
                <code>{annotateCommand(jobId)}</code>
                <CopyButton text={annotateCommand(jobId)} label="Copy the command" />
              </div>
            </div>
          )}
          {playhead.isStuck.value && (
            <p class="problem" role="alert">
              The browser cannot go to this place of the video: it would have to begin at a picture that needs
              earlier ones. Play up to it, or convert the video with closed GOPs.
            </p>
          )}
          {videoProblem && (
            <p class="problem" role="alert">
              {videoProblem}
            </p>
          )}
          <Stage view={view} size={about ?? loaded.value}>
            {isPlayable && (
              <JobVideo
                api={api}
                jobId={jobId}
                job={job}
                playhead={playhead}
                startMs={startMs}
                element={video}
                onLoaded={(told) => {
                  loaded.value = told;
                }}
                onUnplayable={onUnplayable}
                onProblem={setVideoProblem}
              />
            )}
          </Stage>
          <Controls
            view={view}
            video={video}
            durationMs={timeline.durationMs.value}
            isPlayable={isPlayable}
          />
          <div class="row below">
            <Switches view={view} />
            <CopyButton text={() => linkTo(jobId, playhead.timeMs)}>Copy link to this moment</CopyButton>
          </div>
        </div>
        <div class="watch-side">
          <FramePanel view={view} />
          <SearchPanel state={view} />
        </div>
      </div>
      <Timeline state={view} timeline={timeline} />
      <div class="job-foot">
        <TakeAway session={session} />
        <section class="card">
          <Facts job={job} />
          <KeyboardHelp view={view} />
        </section>
      </div>
    </div>
  );
}

function JobHeading({ jobId, job, isPartial }: { jobId: string; job: Job | null; isPartial: boolean }) {
  return (
    <div class="job-heading">
      <h1>{job ? nameOf(job) : `Job ${jobId.slice(0, 8)}`}</h1>
      <p class="row" role="status">
        {job && <span class={`badge ${job.status}`}>{LABELS[job.status]}</span>}
        {job?.status === "running" && (
          <span class="muted">
            {job.frames_done}
            {job.frames_total === null ? "" : ` of ${job.frames_total}`} frames
            {isPartial ? "; the first results are shown" : ""}
          </span>
        )}
        {job?.status === "pending" && <span class="muted">waiting for a worker</span>}
      </p>
      {job?.status === "failed" && (
        <p class="problem">
          {reasonOf(job.error)} <span class="muted">{remedyOf(job.error).advice}</span>
        </p>
      )}
      {job?.warnings.map((warning) => (
        <p key={warning} class="warning">
          {warning}
        </p>
      ))}
    </div>
  );
}

function Facts({ job }: { job: Job | null }) {
  if (!job) return null;
  const { video } = job;
  const facts: [string, string | null][] = [
    ["Pipeline", job.pipeline_id],
    [
      "Frames",
      job.frames_total === null ? String(job.frames_done) : `${job.frames_done} of ${job.frames_total}`,
    ],
    ["Picture", video && `${video.width} × ${video.height}`],
    ["Codec", video && `${video.codec} in ${video.container}`],
    [
      "Rate",
      video?.average_frame_rate
        ? `${video.average_frame_rate} a second${video.variable_frame_rate ? ", varies" : ""}`
        : null,
    ],
    ["Submitted", new Date(job.created_at).toLocaleString()],
    ["Cost", job.usage?.cost_usd == null ? null : `$${job.usage.cost_usd}`],
    ["Job", job.job_id],
  ];
  return (
    <>
      <h2>About the job</h2>
      <dl class="facts">
        {facts
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </>
  );
}

function linkTo(jobId: string, timeMs: number): string {
  return new URL(hashOf({ page: "job", jobId, moment: inAddress(timeMs) }), location.href).href;
}

function inAddress(timeMs: number): number {
  return Math.round(timeMs * 1000) / 1000;
}

/** While the player rests, the address leads to the moment that is shown. */
function useMomentInAddress(session: Session, playhead: Playhead): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const dispose = effect(() => {
      const timeMs = playhead.presentedMs.value;
      clearTimeout(timer);
      // before it is known when the first picture comes, its time is not known either
      const isTimed = session.job.value?.video || session.job.value?.status === "completed";
      if (timeMs === null || playhead.isPlaying.value || !isTimed) return;
      const moment = timeMs === 0 ? null : inAddress(timeMs);
      timer = setTimeout(() => replaceMoment(session.jobId, moment), 300);
    });
    return () => {
      clearTimeout(timer);
      dispose();
    };
  }, [session, playhead]);
}

function useKeys({ playhead, view, timeline }: Opened): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target instanceof HTMLElement ? event.target : document.body;
      const isCheckbox = target instanceof HTMLInputElement && target.type === "checkbox";
      const hasKeys = view.hasKeys.value || target.role === "slider";
      const action = hasKeys ? actionOf(event, target.tagName, isCheckbox) : null;
      if (!action) return;
      event.preventDefault();
      switch (action.kind) {
        case "toggle":
          return playhead.toggle();
        case "step":
          return void playhead.step(action.direction);
        case "skip":
          return void playhead.skip(action.seconds * 1000, timeline.durationMs.value);
        case "edge":
          return void playhead.seek(action.end ? timeline.durationMs.value : 0);
        case "moment":
          return view.goToMoment(action.direction);
        case "zoom":
          return timeline.zoom(action.factor, playhead.timeMs);
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [playhead, view, timeline]);
}
