import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api, ApiError, queryOf, type Tokens } from "../src/api/client";
import { retryAfterOf, sentenceOf } from "../src/api/errors";
import { poll, pollPatiently } from "../src/api/polling";

type Step = Response | Error;

/** An API whose server gives these answers one after the other; `pauses` are the seconds waited. */
function apiOf(steps: Step[], tokens?: Tokens) {
  const requests: Request[] = [];
  const pauses: number[] = [];
  const api = new Api("https://api.example.com", tokens, {
    fetch: async (url, init) => {
      requests.push(new Request(url as string, { ...init, signal: null } as RequestInit));
      const step = steps[requests.length - 1] ?? new Response("{}");
      if (step instanceof Error) throw step;
      return step;
    },
    sleep: async (seconds) => {
      pauses.push(seconds);
    },
    random: () => 0.5,
  });
  return { api, requests, pauses };
}

function problem(status: number, code?: string, headers?: Record<string, string>): Response {
  const body = code ? { detail: `It is ${code}.`, code } : { message: "Forbidden" };
  return new Response(JSON.stringify(body), { status, headers: headers ?? {} });
}

async function errorOf(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    () => null,
    (found: unknown) => found,
  );
  if (!(error instanceof ApiError)) throw new Error(`no ApiError, but ${error}`);
  return error;
}

describe("the client of the API", () => {
  it("asks a read again while the failure is temporary, with growing pauses", async () => {
    const { api, requests, pauses } = apiOf([new TypeError("no network"), problem(503), problem(500)]);
    await api.job("7f");
    expect(requests).toHaveLength(4);
    expect(pauses).toEqual([0.5, 1, 2]);
  });

  it("waits as long as the service says", async () => {
    const { api, pauses } = apiOf([problem(429, "quota_exceeded", { "retry-after": "7" })]);
    await api.job("7f");
    expect(pauses).toEqual([7]);
  });

  it("does not wait for minutes without a word", async () => {
    const { api } = apiOf([problem(429, "quota_exceeded", { "retry-after": "60" })]);
    expect((await errorOf(api.job("7f"))).retryAfterS).toBe(60);
  });

  it("gives up in the end", async () => {
    const { api, requests } = apiOf(Array.from({ length: 9 }, () => new TypeError("no network")));
    expect((await errorOf(api.job("7f"))).code).toBe("unreachable");
    expect(requests).toHaveLength(5);
  });

  it("does nothing twice that would count twice", async () => {
    const { api, requests } = apiOf([problem(503)]);
    expect((await errorOf(api.retry("7f"))).status).toBe(503);
    expect(requests).toHaveLength(1);
  });

  it("repeats a submission, whose key keeps it one", async () => {
    const { api, requests } = apiOf([new TypeError("no network")]);
    await api.submit({ source_url: "https://example.com/a.mp4" }, "key");
    expect(requests.map(({ headers }) => headers.get("idempotency-key"))).toEqual(["key", "key"]);
  });

  it("tells the sentence and the code of a problem", async () => {
    const { api } = apiOf([problem(404, "job_not_found")]);
    expect(await errorOf(api.job("7f"))).toMatchObject({
      status: 404,
      code: "job_not_found",
      detail: "It is job_not_found.",
    });
  });

  it("has a sentence of its own for what the gateway refuses", async () => {
    const { api } = apiOf([problem(403)]);
    expect(await errorOf(api.job("7f"))).toMatchObject({
      code: "http_403",
      detail: expect.stringContaining("may not use"),
    });
  });

  it("says so if something else answers", async () => {
    const { api } = apiOf([new Response("<html>")]);
    expect((await errorOf(api.job("7f"))).code).toBe("no_json");
  });

  it("renews the token once and sends the new one", async () => {
    let token = "old";
    const tokens = {
      current: () => token,
      renew: async () => {
        token = "new";
        return true;
      },
    };
    const { api, requests } = apiOf([problem(401), new Response("{}")], tokens);
    await api.job("7f");
    expect(requests.map(({ headers }) => headers.get("authorization"))).toEqual(["Bearer old", "Bearer new"]);
    const again = apiOf([problem(401), problem(401)], tokens);
    expect((await errorOf(again.api.job("7f"))).status).toBe(401);
    expect(again.requests).toHaveLength(2);
  });

  it("asks again if the line is lost in the middle of an answer", async () => {
    const cut = new Response(
      new ReadableStream({ pull: (body) => body.error(new TypeError("network error")) }),
    );
    const { api, requests } = apiOf([cut]);
    await api.job("7f");
    expect(requests).toHaveLength(2);
  });

  it("stops when it is told to", async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(apiOf([new TypeError("no network")]).api.job("7f", stop.signal)).rejects.toThrow(/abort/i);
  });
});

it.each([
  ["7", 7],
  ["Sun, 06 Nov 1994 08:49:47 GMT", 10],
  ["Sun, 06 Nov 1994 08:00:00 GMT", 0],
  ["soon", null],
])("Retry-After: %s", (text, seconds) => {
  const now = Date.parse("Sun, 06 Nov 1994 08:49:37 GMT");
  expect(retryAfterOf(new Headers({ "retry-after": text }), now)).toBe(seconds);
});

it.each([
  new TypeError("Failed to fetch"),
  new TypeError("NetworkError when attempting to fetch resource."),
  new TypeError("Load failed"),
  new DOMException("signal timed out", "TimeoutError"),
])("says in its own words that no answer came: %s", (error) => {
  expect(sentenceOf(error)).toBe("No answer came; is the network there?");
});

describe("polling", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("document", { hidden: false });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it.each([
    [0, 10],
    [-900, 10],
    [1e9, 0],
    [2, 5],
  ])("with Retry-After %i asks %i times more in 10 s", async (told, times) => {
    let asked = 0;
    const ask = async () => {
      asked += 1;
      if (asked > 100) throw new Error("a loop without a pause");
      return told;
    };
    void poll(ask, new AbortController().signal);
    await vi.advanceTimersByTimeAsync(10_050);
    expect(asked - 1).toBe(times);
  });

  it("waits longer after each failure, and as long as the service says", async () => {
    const lost = new ApiError(0, "unreachable", "Lost.");
    const answers = [
      lost,
      lost,
      null,
      lost,
      new ApiError(429, "quota_exceeded", "Wait.", 90),
      ...Array(9).fill(lost),
    ];
    const [askedAt, told] = [[] as number[], [] as (string | null)[]];
    const ask = async () => {
      askedAt.push(Date.now() / 1000);
      const error = answers[askedAt.length - 1];
      if (error) throw error;
      return 1;
    };
    void pollPatiently(ask, new AbortController().signal, (problem) => told.push(problem));
    await vi.advanceTimersByTimeAsync(360_000);
    const pauses = askedAt.slice(1, 12).map((at, place) => at - (askedAt[place] ?? 0));
    expect(pauses).toEqual([2, 4, 1, 2, 90, 8, 16, 32, 60, 60, 60]);
    expect(told.slice(0, 5)).toEqual(["Lost.", "Lost.", null, "Lost.", "Wait."]);
  });

  it("ends with an error that does not pass", async () => {
    const refused = new ApiError(404, "job_not_found", "Job not found");
    const ask = () => Promise.reject(refused);
    await expect(pollPatiently(ask, new AbortController().signal, () => {})).rejects.toBe(refused);
  });
});

it("leaves out of a query what is undefined", () => {
  expect(queryOf({ status: undefined, limit: 5, cursor: "a+b" })).toBe("?limit=5&cursor=a%2Bb");
  expect(queryOf({})).toBe("");
});
