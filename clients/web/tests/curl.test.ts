import { expect, test } from "vitest";
import { listCommand } from "../src/take_away/curl";

const ORIGIN = "https://api.example.com";

test("the command of the list asks for what is chosen", () => {
  const all = listCommand(ORIGIN, { status: "", pipelineId: "" }, false);
  expect(all.command).toBe("curl 'https://api.example.com/video/jobs'");
  const chosen = listCommand(ORIGIN, { status: "failed", pipelineId: "yolo only" }, true);
  expect(chosen.command).toBe(
    'curl -H "Authorization: Bearer $VIDEO_JOBS_TOKEN" ' +
      "'https://api.example.com/video/jobs?status=failed&pipeline_id=yolo+only'",
  );
});
