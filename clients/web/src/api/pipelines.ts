import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useApi } from "./context";
import { sentenceOf } from "./errors";
import { pauseAfterFailures, poll } from "./polling";
import type { Pipelines } from "./types";

const NOTHING: Pipelines = { pipelines: [], text_engines: [] };

/** What the service offers; it is asked for until it answers, and `problem` says why it has not. */
export function useOffered(): { offered: Pipelines; problem: string } {
  const api = useApi();
  const offered = useSignal(NOTHING);
  const problem = useSignal("");
  useEffect(() => {
    const stop = new AbortController();
    let failures = 0;
    const ask = async (signal: AbortSignal) => {
      try {
        offered.value = (await api.pipelines(signal)).body;
        problem.value = "";
        return null;
      } catch (error) {
        signal.throwIfAborted();
        problem.value = sentenceOf(error);
        failures += 1;
        return pauseAfterFailures(failures, error);
      }
    };
    poll(ask, stop.signal).catch(() => {}); // ended by the signal
    return () => stop.abort();
  }, [api, offered, problem]);
  return { offered: offered.value, problem: problem.value };
}
