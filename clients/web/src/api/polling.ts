import { sleep } from "./client";

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
 * `ask` answers in how many seconds to ask again. Nothing is asked while the page is hidden.
 */
export async function poll(
  ask: (signal: AbortSignal) => Promise<number | null>,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await visible(signal);
    const pauseS = await ask(signal);
    if (pauseS === null) return;
    await sleep(pauseS, signal);
  }
}
