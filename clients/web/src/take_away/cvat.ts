/** CVAT for video 1.1, as of https://docs.cvat.ai/docs/manual/advanced/xml_format/. */
import { type About, checkTracks, type FoundFrame, type FoundObject, objectsOf, videoOf } from "./frames";
import { plain } from "./numbers";
import { compareTexts, escaped, escapedValue } from "./texts";
import type { FrameWriter } from "./writer";

interface TrackOfBoxes {
  head: string;
  boxes: string[];
}

/** A track ends by a box that is outside on the first analysed frame without it. */
export class Cvat implements FrameWriter {
  readonly #about: About;
  readonly #tracks = new Map<number, TrackOfBoxes>();
  readonly #seenNames = new Set<string>();
  #shown = new Map<number, FoundObject>();
  #frameCount = 0;

  constructor(about: About) {
    videoOf(about);
    this.#about = about;
  }

  start(): string {
    return "";
  }

  frame(frame: FoundFrame): string {
    checkTracks(frame, "CVAT");
    const shown = new Map<number, FoundObject>();
    for (const one of objectsOf(frame)) if (one.trackId !== null) shown.set(one.trackId, one);
    for (const [trackId, one] of this.#shown) {
      if (!shown.has(trackId)) this.#put(trackId, frame.index, one, true);
    }
    for (const [trackId, one] of shown) {
      this.#put(trackId, frame.index, one, false);
      this.#seenNames.add(one.className);
    }
    this.#frameCount = frame.index + 1;
    this.#shown = shown;
    return "";
  }

  end(): string[] {
    const video = videoOf(this.#about);
    const frameCount = Math.max(video.frame_count ?? 0, this.#frameCount);
    if (this.#frameCount < frameCount) {
      for (const [trackId, one] of this.#shown) this.#put(trackId, this.#frameCount, one, true);
    }
    const known = this.#about.classNames;
    const names = [
      ...known,
      ...[...this.#seenNames].filter((name) => !known.includes(name)).sort(compareTexts),
    ];
    const tracks = [...this.#tracks].sort(([one], [other]) => one - other).map(([, track]) => track);
    return [
      head(names, frameCount, video.width, video.height),
      ...tracks.map(({ head, boxes }) => `  ${head}\n    ${boxes.join("\n    ")}\n  </track>\n`),
      "</annotations>\n",
    ];
  }

  #put(trackId: number, index: number, one: FoundObject, isOutside: boolean): void {
    const [left, top, right, bottom] = one.xyxy.map((edge) => plain(edge, 2));
    const corners = `xtl="${left}" ytl="${top}" xbr="${right}" ybr="${bottom}"`;
    const flags = `keyframe="1" outside="${isOutside ? 1 : 0}" occluded="0"`;
    const box = `<box frame="${index}" ${flags} ${corners} z_order="0"/>`;
    const track = this.#tracks.get(trackId);
    if (track) track.boxes.push(box);
    else {
      const head = `<track id="${trackId}" label="${escapedValue(one.className)}" source="auto">`;
      this.#tracks.set(trackId, { head, boxes: [box] });
    }
  }
}

function head(names: string[], frameCount: number, width: number, height: number): string {
  const labels = names.map(
    (name) => `        <label><name>${escaped(name)}</name><attributes></attributes></label>`,
  );
  const lines = [
    '<?xml version="1.0" encoding="utf-8"?>',
    "<annotations>",
    "  <version>1.1</version>",
    "  <meta>",
    "    <task>",
    `      <size>${frameCount}</size>`,
    "      <mode>interpolation</mode>",
    `      <start_frame>0</start_frame><stop_frame>${Math.max(0, frameCount - 1)}</stop_frame>`,
    "      <labels>",
    ...labels,
    "      </labels>",
    `      <original_size><width>${width}</width><height>${height}</height></original_size>`,
    "    </task>",
    "  </meta>",
  ];
  return `${lines.join("\n")}\n`;
}
