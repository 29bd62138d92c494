export interface JobPageProps {
  jobId: string;
  /** Where to begin, in milliseconds from the first picture. */
  moment: number | null;
}

export function JobPage({ jobId }: JobPageProps) {
  return <h1>Job {jobId}</h1>;
}
