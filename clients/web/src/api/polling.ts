import { sleep } from "./client";
import { ApiError, isTemporary, sentenceOf } from "./errors";

/** `Retry-After` may be 0, or a date that is past by this clock. */
const LEAST_PAUSE_S = 1;
const LONGEST_PAUSE_S = 300;
const LONGEST_PAUSE_AFTER_FAILURES_S = 60;

/** Resolves when the page is looked at; at once if it is. */
function visible(signal: AbortSignal): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const onChange = () => {
      if (document.hidden) return;
      clean();
      resolve();
    };
    const onAbort = () => {
      clean();
      reject(signal.reason);
    };
    const clean = () => {
      document.removeEventListener("visibilitychange", onChange);
      signal.removeEventListener("abort", onAbort);
    };
    document.addEventListener("visibilitychange", onChange);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/**
 * Ask again and again until `ask` answers null or the signal says so; throws an `AbortError` then.
 *
 * `ask` answers in how many seconds to ask again: 1 to 300, whatever it says. Nothing is asked while the page is hidden.
 */
export async function poll(
  ask: (signal: AbortSignal) => Promise<number | null>,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await visible(signal);
    const pauseS = await ask(signal);
    if (pauseS === null) return;
    await sleep(Math.min(LONGEST_PAUSE_S, Math.max(LEAST_PAUSE_S, pauseS)), signal);
  }
}

/**
 * Like `poll`, but a failure does not end it if it may pass: it is told, and after a growing pause asked again.
 *
 * `tell` gets the sentence of a failure, and null after a success. Other errors are thrown.
 */
export async function pollPatiently(
  ask: (signal: AbortSignal) => Promise<number | null>,
  signal: AbortSignal,
  tell: (problem: string | null) => void,
  mayPass: (error: unknown) => boolean = isTemporary,
): Promise<void> {
  let failures = 0;
  await poll(async () => {
    try {
      const pauseS = await ask(signal);
      failures = 0;
      tell(null);
      return pauseS;
    } catch (error) {
      signal.throwIfAborted();
      if (!mayPass(error)) throw error;
      tell(sentenceOf(error));
      failures += 1;
      return Math.max(toldPauseS(error), Math.min(LONGEST_PAUSE_AFTER_FAILURES_S, 2 ** failures));
    }
  }, signal);
}

function toldPauseS(error: unknown): number {
  return (error instanceof ApiError ? error.retryAfterS : null) ?? 0;
}
