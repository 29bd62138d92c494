import type { SignedVideo } from "../api/types";

/** So long before its end, a signed URL is no longer given to the player. */
const MARGIN_MS = 20_000;

/**
 * A URL of the video that is valid for some time.
 *
 * The URL itself says for how long, which counts from when it came: the clock of this machine may be wrong. Where
 * it does not say so, `expires_at` is compared with that clock.
 */
export class SignedUrl {
  readonly url: string;
  readonly #endMs: number;

  constructor({ video_url, expires_at }: SignedVideo, receivedMs: number) {
    const lastsS = Number(new URL(video_url).searchParams.get("X-Amz-Expires"));
    this.url = video_url;
    this.#endMs = (lastsS > 0 ? receivedMs + lastsS * 1000 : Date.parse(expires_at)) - MARGIN_MS;
  }

  isOver(nowMs: number): boolean {
    return nowMs > this.#endMs;
  }
}
