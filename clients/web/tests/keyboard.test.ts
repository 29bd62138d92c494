import { describe, expect, it } from "vitest";
import { actionOf } from "../src/player/keyboard";
import { annotateCommand, isUnplayable, unplayableSentence } from "../src/player/playback_support";

const pressed = (key: string, changed: object = {}) => ({
  key,
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  ...changed,
});

describe("keys", () => {
  it("step, play, skip and go through moments", () => {
    expect(actionOf(pressed(","), "BODY")).toEqual({ kind: "step", direction: -1 });
    expect(actionOf(pressed("."), "BUTTON")).toEqual({ kind: "step", direction: 1 });
    expect(actionOf(pressed(" "), "BODY")).toEqual({ kind: "toggle" });
    expect(actionOf(pressed("ArrowLeft", { shiftKey: true }), "DIV")).toEqual({ kind: "skip", seconds: -10 });
    expect(actionOf(pressed("n"), "BODY")).toEqual({ kind: "moment", direction: 1 });
    expect(actionOf(pressed("x"), "BODY")).toBeNull();
  });

  it("belong to fields, pressed buttons and the browser", () => {
    expect(actionOf(pressed("."), "INPUT")).toBeNull();
    expect(actionOf(pressed("."), "INPUT", true)).toEqual({ kind: "step", direction: 1 });
    expect(actionOf(pressed(" "), "BUTTON")).toBeNull();
    expect(actionOf(pressed(" "), "INPUT", true)).toBeNull();
    expect(actionOf(pressed("ArrowLeft", { altKey: true }), "BODY")).toBeNull();
  });
});

describe("what cannot be played", () => {
  it("is known by the codec, and what the browser says of it", () => {
    const plays = (name: string) => (type: string) => (type.includes(name) ? "probably" : "");
    expect(isUnplayable("h264", plays("avc1"))).toBe(false);
    expect(isUnplayable("hevc", plays("avc1"))).toBe(true);
    expect(isUnplayable("hevc", plays("hvc1"))).toBe(false);
    expect(isUnplayable("prores", () => "probably")).toBe(true);
  });

  it("is told with what helps", () => {
    expect(unplayableSentence("hevc")).toContain("cannot play HEVC (H.265) video");
    expect(annotateCommand("7f")).toBe("video-jobs annotate 7f -o annotated.mp4");
  });
});
