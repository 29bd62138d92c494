import type { Job } from "../api/types";
import { formatBytes, formatDuration, formatTime, formatWhen } from "../format";
import { hashOf } from "../routes";
import { isOpen, nameOf } from "./job_list";
import { reasonOf, remedyOf } from "./reasons";

export type Action = "cancel" | "retry" | "delete";

interface Props {
  job: Job;
  onAction: (action: Action) => void;
}

export const LABELS: Record<Job["status"], string> = {
  pending: "Waiting",
  running: "Running",
  completed: "Completed",
  failed: "Failed",
};

export function JobRow({ job, onAction }: Props) {
  return (
    <li class="card job" data-job={job.job_id} data-status={job.status}>
      <div class="job-name">
        <a href={hashOf({ page: "job", jobId: job.job_id, moment: null })}>{nameOf(job)}</a>
        <p class="muted">{factsOf(job).join(" · ")}</p>
      </div>
      <div class="job-state">
        <span class={`badge ${job.status}`}>{LABELS[job.status]}</span>
        <Progress job={job} />
      </div>
      <Actions job={job} onAction={onAction} />
      {job.status === "failed" && (
        <p class="job-reason">
          {reasonOf(job.error)} <span class="muted">{remedyOf(job.error).advice}</span>
        </p>
      )}
      {job.warnings.length > 0 && (
        <details class="job-reason">
          <summary>{job.warnings.length === 1 ? "1 warning" : `${job.warnings.length} warnings`}</summary>
          <ul>
            {job.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

function factsOf(job: Job): string[] {
  const { video, usage } = job;
  return [
    formatWhen(job.created_at),
    job.pipeline_id,
    video && `${video.width}\u00a0×\u00a0${video.height}`,
    video?.duration_ms && formatTime(video.duration_ms),
    job.size_bytes && formatBytes(job.size_bytes),
    usage && `computed in ${formatDuration(usage.compute_seconds)}`,
    usage?.cost_usd && `$${usage.cost_usd.toFixed(usage.cost_usd < 0.1 ? 4 : 2)}`,
  ].filter((fact): fact is string => Boolean(fact));
}

function Progress({ job }: { job: Job }) {
  if (job.status === "pending") return <span class="muted">for its video or a worker</span>;
  if (job.status === "failed") return null;
  if (job.status === "completed") return <span class="muted">{frames(job.frames_done)}</span>;
  const total = job.frames_total === null ? "" : ` of ${job.frames_total}`;
  const helped = job.helpers ? `, ${job.helpers + 1} workers` : "";
  return (
    <>
      <progress
        aria-label={`Analysis of ${nameOf(job)}`}
        {...(job.percent === null ? {} : { max: 100, value: job.percent })}
      />
      <span class="muted">
        {job.percent === null ? "" : `${job.percent} %, `}
        {job.frames_done}
        {total} pictures{helped}
      </span>
    </>
  );
}

function frames(count: number): string {
  return count === 1 ? "1 picture" : `${count} pictures`;
}

function Actions({ job, onAction }: Props) {
  const of = <span class="hidden-text"> {nameOf(job)}</span>;
  // without a size, its video never arrived
  const canRetry = job.status === "failed" && job.size_bytes !== null && remedyOf(job.error).canRetry;
  return (
    <div class="job-actions">
      {isOpen(job) && (
        <button type="button" onClick={() => onAction("cancel")}>
          Cancel{of}
        </button>
      )}
      {canRetry && (
        <button type="button" onClick={() => onAction("retry")}>
          Run again{of}
        </button>
      )}
      {!isOpen(job) && (
        <button type="button" onClick={() => onAction("delete")}>
          Delete{of}
        </button>
      )}
    </div>
  );
}
