import { describe, expect, it } from "vitest";
import { hashOf, parseRoute } from "../src/routes";

describe("routes", () => {
  it.each([
    ["", { page: "jobs" }],
    ["#jobs", { page: "jobs" }],
    ["#upload", { page: "upload" }],
    ["#job=7f&t=1500.25", { page: "job", jobId: "7f", moment: 1500.25 }],
    ["#job=7f", { page: "job", jobId: "7f", moment: null }],
    ["#job=7f&t=soon", { page: "job", jobId: "7f", moment: null }],
    ["#nonsense", { page: "jobs" }],
  ])("%s is a page", (hash, route) => {
    expect(parseRoute(hash)).toEqual(route);
  });

  it("writes what it reads", () => {
    for (const hash of ["#jobs", "#upload", "#job=7f", "#job=7f&t=1500.25"]) {
      expect(hashOf(parseRoute(hash))).toBe(hash);
    }
  });
});
