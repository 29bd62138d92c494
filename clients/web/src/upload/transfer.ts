/** Sends to signed URLs. XMLHttpRequest tells how much was sent; fetch does not. */

export interface Sent {
  /** 0 if no answer came. */
  status: number;
}

export type Send = (
  method: "PUT" | "POST",
  url: string,
  body: Blob | FormData,
  onProgress: (sentBytes: number) => void,
  signal: AbortSignal,
) => Promise<Sent>;

const SILENCE_MS = 60_000;

/** Gives up after a minute in which nothing was sent or answered. */
export const sendByXhr: Send = (method, url, body, onProgress, signal) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    let silence = 0;
    const heard = () => {
      clearTimeout(silence);
      silence = window.setTimeout(() => request.abort(), SILENCE_MS);
    };
    const stop = () => request.abort();
    const end = (status: number) => {
      clearTimeout(silence);
      signal.removeEventListener("abort", stop);
      if (signal.aborted) reject(signal.reason);
      else resolve({ status });
    };
    request.upload.onprogress = ({ loaded }) => {
      heard();
      onProgress(loaded);
    };
    request.onload = () => end(request.status);
    request.onerror = () => end(0);
    request.onabort = () => end(0);
    signal.addEventListener("abort", stop, { once: true });
    request.open(method, url);
    heard();
    request.send(body);
  });
