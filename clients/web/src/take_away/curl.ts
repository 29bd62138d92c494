import type { Job } from "../api/types";

export interface Command {
  name: string;
  command: string;
}

/** The command that fetches the newest jobs of the list. */
export function listCommand(
  origin: string,
  filter: { status: string; pipelineId: string },
  needsToken: boolean,
): Command {
  const query = new URLSearchParams({
    ...(filter.status && { status: filter.status }),
    ...(filter.pipelineId && { pipeline_id: filter.pipelineId }),
  });
  const path = query.size > 0 ? `/video/jobs?${query}` : "/video/jobs";
  return { name: "The jobs", command: getting(origin, needsToken)(path) };
}

/** Commands that fetch what the page of a job shows. */
export function curlCommands(origin: string, job: Job, needsToken: boolean): Command[] {
  const get = getting(origin, needsToken);
  const id = job.job_id;
  const isComplete = job.status === "completed";
  const isOpen = job.status === "pending" || job.status === "running";
  return [
    { name: "The job", command: get(`/video/jobs/${id}`) },
    ...(isComplete
      ? [
          { name: "The results", command: get(`/video/results/${id}?include=tracks`) },
          { name: "The summary", command: get(`/video/summary/${id}`) },
        ]
      : []),
    ...(isOpen ? [{ name: "The results so far", command: get(`/video/results/${id}?partial=true`) }] : []),
    { name: "A link to the video", command: get(`/video/jobs/${id}/video`) },
  ];
}

function getting(origin: string, needsToken: boolean): (path: string) => string {
  const header = needsToken ? '-H "Authorization: Bearer $VIDEO_JOBS_TOKEN" ' : "";
  return (path) => `curl ${header}'${origin}${path}'`;
}
