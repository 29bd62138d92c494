import { useRef, useState } from "preact/hooks";
import { useApi } from "../api/context";
import { isAborted, sentenceOf } from "../api/errors";
import type { Session } from "../player/session";
import { curlCommands } from "./curl";
import { FILE_KINDS, type FileKind, fileName, made } from "./files";
import { WithCurl } from "./with_curl";
import "./take_away.css";

/** Everything that can be downloaded of a job, and the commands that fetch it. */
export function TakeAway({ session }: { session: Session }) {
  const api = useApi();
  const [progress, setProgress] = useState<{ name: string; share: number } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const stop = useRef<AbortController | null>(null);
  const job = session.job.value;
  if (!job) return null;
  const isComplete = job.status === "completed";
  const summary = session.isPartial.value ? null : session.summary.value;
  const origin = api.baseUrl || location.origin;

  const run = async (name: string, task: (signal: AbortSignal) => Promise<void>) => {
    stop.current = new AbortController();
    setProblem(null);
    setProgress({ name, share: 0 });
    try {
      await task(stop.current.signal);
    } catch (error) {
      if (!isAborted(error)) setProblem(sentenceOf(error));
    } finally {
      setProgress(null);
    }
  };
  const make = (kind: FileKind) =>
    run(kind.name, async (signal) => {
      const onProgress = (share: number) => setProgress({ name: kind.name, share });
      const blob = await made(api, job, summary, kind, onProgress, signal);
      const url = URL.createObjectURL(blob);
      download(url, fileName(job, kind.ending));
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    });
  const results = () =>
    run("JSON", async (signal) => {
      const { body } = await api.results(job.job_id, { limit: 1 }, signal);
      if (body.results_url) download(body.results_url, fileName(job, "json"));
    });

  return (
    <section class="card take-away" aria-labelledby="take-away-title">
      <h2 id="take-away-title">Take away</h2>
      {!isComplete && <p class="muted">Files can be made when the job is completed.</p>}
      {isComplete && (
        <ul class="files">
          <li>
            <button type="button" disabled={progress !== null} onClick={results}>
              JSON of all
            </button>
          </li>
          {FILE_KINDS.map((kind) => (
            <li key={kind.ending}>
              <button
                type="button"
                disabled={progress !== null || (kind.needsSummary === true && !summary)}
                onClick={() => make(kind)}
              >
                {kind.name}
              </button>
            </li>
          ))}
        </ul>
      )}
      {progress && (
        <div class="row making" role="status">
          <label>
            {progress.name} <progress value={progress.share} max={1} />
          </label>
          <button
            type="button"
            onClick={() => stop.current?.abort(new DOMException("Cancelled", "AbortError"))}
          >
            Cancel
          </button>
        </div>
      )}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <WithCurl commands={curlCommands(origin, job, api.tokens.current() !== null)} />
    </section>
  );
}

function download(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.rel = "noopener";
  link.target = "_blank";
  document.body.append(link);
  link.click();
  link.remove();
}
