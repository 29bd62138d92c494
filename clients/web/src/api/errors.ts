/** An answer of the API that is an error, or no answer at all (`status` 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    /** The fixed word of the service (docs/errors.md), or `unreachable`, `http_STATUS`. */
    readonly code: string,
    /** A sentence for people. */
    readonly detail: string,
    readonly retryAfterS: number | null = null,
  ) {
    super(detail);
    this.name = "ApiError";
  }
}

/** Whether the same call may succeed later. */
export function isTemporary(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** The sentence to show for an error of any kind. */
export function sentenceOf(error: unknown): string {
  if (isUnreachable(error)) return "No answer came; is the network there?";
  return error instanceof Error ? error.message : String(error);
}

/** Whether `fetch` got no answer: each browser says so in its own words. */
function isUnreachable(error: unknown): boolean {
  const isTimeout = error instanceof DOMException && error.name === "TimeoutError";
  return isTimeout || (error instanceof TypeError && /fetch|network|load failed/i.test(error.message));
}

const OF_THE_GATEWAY: Record<number, string> = {
  401: "Your login has ended; log in again.",
  403: "This account may not use the service; ask its operator.",
  413: "The service does not take a request of this size.",
  429: "There were too many requests; try it again in a minute.",
  503: "The service is busy; try it again in a minute.",
};

export async function errorOf(answer: Response): Promise<ApiError> {
  const retryAfterS = retryAfterOf(answer.headers, Date.now());
  const body: unknown = await answer.json().catch(() => null);
  const { detail, code } = (body ?? {}) as { detail?: unknown; code?: unknown };
  return new ApiError(
    answer.status,
    typeof code === "string" ? code : `http_${answer.status}`,
    typeof detail === "string"
      ? detail
      : (OF_THE_GATEWAY[answer.status] ?? `The service answered with status ${answer.status}; try it later.`),
    retryAfterS,
  );
}

/** `Retry-After` in seconds (RFC 9110, 10.2.3: a number or a date); null if there is none. */
export function retryAfterOf(headers: Headers, nowMs: number): number | null {
  const text = headers.get("retry-after")?.trim();
  if (!text) return null;
  if (/^\d+$/.test(text)) return Number(text);
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, (at - nowMs) / 1000);
}
