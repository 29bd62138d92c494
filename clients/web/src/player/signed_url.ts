import type { SignedVideo } from "../api/types";

/** So long before its end, a signed URL is no longer given to the player. */
const MARGIN_MS = 20_000;

/**
 * A URL of the video that is valid for some time.
 *
 * The time counts from when the URL came, because the clock of this machine may differ from the service's. If the
 * clock is so far ahead that the URL seems to be over already, nothing is known of its end: the storage tells it.
 */
export class SignedUrl {
  readonly url: string;
  readonly #endMs: number;

  constructor({ video_url, expires_at }: SignedVideo, receivedMs: number) {
    const lastsMs = Date.parse(expires_at) - receivedMs - MARGIN_MS;
    this.url = video_url;
    this.#endMs = lastsMs > 0 ? receivedMs + lastsMs : Number.POSITIVE_INFINITY;
  }

  isOver(nowMs: number): boolean {
    return nowMs > this.#endMs;
  }
}
