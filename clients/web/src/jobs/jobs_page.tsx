import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { useApi } from "../api/context";
import { sentenceOf } from "../api/errors";
import { useOffered } from "../api/pipelines";
import type { Job, Status } from "../api/types";
import { type Question, QuestionDialog } from "../question";
import { listCommand } from "../take_away/curl";
import { WithCurl } from "../take_away/with_curl";
import { JobList, nameOf } from "./job_list";
import { type Action, JobRow } from "./job_row";
import "./jobs.css";

const STATUSES: { value: Status | ""; label: string }[] = [
  { value: "", label: "all" },
  { value: "pending", label: "waiting" },
  { value: "running", label: "running" },
  { value: "completed", label: "completed" },
  { value: "failed", label: "failed" },
];

export function JobsPage() {
  const api = useApi();
  const list = useMemo(() => new JobList(api), [api]);
  const question = useSignal<Question | null>(null);
  const problem = useSignal("");
  useEffect(() => list.watch(), [list]);
  const act = async (action: Action, job: Job) => {
    problem.value = "";
    if (action !== "retry") {
      question.value = questionOf(action, job, list);
      return;
    }
    await list.change("retry", job.job_id).catch((error: unknown) => {
      problem.value = `${nameOf(job)} cannot be run again: ${sentenceOf(error)}`;
    });
  };
  const shown = problem.value || (list.problem.value && `The list may be out of date. ${list.problem.value}`);
  return (
    <>
      <div class="row between">
        <h1>Jobs</h1>
        <a class="button primary" href="#upload">
          Upload videos
        </a>
      </div>
      <Filters list={list} />
      <p role="alert" class={shown ? "problem" : "hidden-text"}>
        {shown}
      </p>
      <p role="status" class="hidden-text">
        {list.news.value}
      </p>
      <Rows list={list} onAction={(action, job) => void act(action, job)} />
      <QuestionDialog question={question} />
    </>
  );
}

function questionOf(action: "cancel" | "delete", job: Job, list: JobList): Question {
  const act = () => list.change(action, job.job_id);
  return action === "cancel"
    ? {
        title: `Cancel ${nameOf(job)}?`,
        text: "What was computed is not kept. The job can be run again later.",
        yes: "Cancel the job",
        act,
      }
    : {
        title: `Delete ${nameOf(job)}?`,
        text: "The job is deleted with its video, results and summary. This cannot be undone.",
        yes: "Delete the job",
        act,
      };
}

function Filters({ list }: { list: JobList }) {
  const { offered } = useOffered(); // if the service is away, the list says so
  const { status, pipelineId } = list.filter.value;
  return (
    <div class="row filters">
      <label>
        State{" "}
        <select
          value={status}
          onChange={(event) => list.choose({ status: event.currentTarget.value as Status | "" })}
        >
          {STATUSES.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label>
        Analysis{" "}
        <select
          value={pipelineId}
          onChange={(event) => list.choose({ pipelineId: event.currentTarget.value })}
        >
          <option value="">all</option>
          {offered.pipelines.map(({ pipeline_id: id }) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

interface RowsProps {
  list: JobList;
  onAction: (action: Action, job: Job) => void;
}

function Rows({ list, onAction }: RowsProps) {
  const api = useApi();
  const jobs = list.jobs.value;
  if (jobs === null) return list.problem.value ? null : <p class="muted">Loading …</p>;
  return (
    <>
      {jobs.length === 0 ? (
        <Nothing list={list} />
      ) : (
        <ul class="plain" aria-label="Jobs, newest first">
          {jobs.map((job) => (
            <JobRow key={job.job_id} job={job} onAction={(action) => onAction(action, job)} />
          ))}
        </ul>
      )}
      <WithCurl
        commands={[
          listCommand(api.baseUrl || location.origin, list.filter.value, api.tokens.current() !== null),
        ]}
      />
      {(list.hasNewer || list.hasOlder) && (
        <nav class="row pages" aria-label="Pages of the list">
          <button type="button" disabled={!list.hasNewer} onClick={() => list.newer()}>
            Newer
          </button>
          <button type="button" disabled={!list.hasOlder} onClick={() => list.older()}>
            Older
          </button>
        </nav>
      )}
    </>
  );
}

function Nothing({ list }: { list: JobList }) {
  const { status, pipelineId } = list.filter.value;
  if (list.hasOlder || list.hasNewer)
    return <p class="card">No such job on this page; look at the others.</p>;
  if (status || pipelineId) return <p class="card">There is no such job.</p>;
  return (
    <p class="card">
      There are no jobs yet. <a href="#upload">Upload a video</a> to begin.
    </p>
  );
}
