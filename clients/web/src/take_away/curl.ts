import type { Job } from "../api/types";

/** Commands that fetch what the page shows. */
export function curlCommands(
  origin: string,
  job: Job,
  needsToken: boolean,
): { name: string; command: string }[] {
  const header = needsToken ? '-H "Authorization: Bearer $VIDEO_JOBS_TOKEN" ' : "";
  const get = (path: string) => `curl ${header}'${origin}${path}'`;
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
