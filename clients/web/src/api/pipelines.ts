import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useApi } from "./context";
import { pollPatiently } from "./polling";
import type { Pipelines } from "./types";

const NOTHING: Pipelines = { pipelines: [], text_engines: [] };

/** What the service offers; it is asked for until it answers, and `problem` says why it has not. */
export function useOffered(): { offered: Pipelines; problem: string } {
  const api = useApi();
  const offered = useSignal(NOTHING);
  const problem = useSignal("");
  useEffect(() => {
    const stop = new AbortController();
    const ask = async (signal: AbortSignal) => {
      offered.value = (await api.pipelines(signal)).body;
      return null;
    };
    const tell = (sentence: string | null) => {
      problem.value = sentence ?? "";
    };
    pollPatiently(ask, stop.signal, tell, () => true).catch(() => {}); // ended by the signal
    return () => stop.abort();
  }, [api, offered, problem]);
  return { offered: offered.value, problem: problem.value };
}
