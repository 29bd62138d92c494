/** COCO object detection, as of https://cocodataset.org/#format-data. */
import { type About, type FoundFrame, type FoundObject, nameOf, objectsOf, videoOf } from "./frames";
import { Decimal, type Json } from "./lossless_json";
import { rounded } from "./numbers";
import { jsonOf } from "./texts";
import type { FrameWriter } from "./writer";

const INFO = { description: "Results of ForgeSyte Video Jobs", version: "1.0" };

export class Coco implements FrameWriter {
  readonly #size: { width: number; height: number };
  readonly #names: Map<number, string>;
  readonly #annotations: string[] = [];
  #hasImages = false;

  constructor(about: About) {
    const { width, height } = videoOf(about);
    this.#size = { width, height };
    this.#names = new Map(about.classNames.entries());
  }

  start(): string {
    return `{"info":${jsonOf(INFO)},\n"licenses":[],\n"images":[`;
  }

  frame(frame: FoundFrame): string {
    for (const one of objectsOf(frame)) {
      if (!this.#names.has(one.classId)) this.#names.set(one.classId, one.className);
      this.#annotations.push(annotation(this.#annotations.length + 1, frame, one));
    }
    const image = jsonOf({
      id: frame.index,
      file_name: `${nameOf(frame)}.jpg`,
      ...this.#size,
      frame_index: frame.index,
      timestamp_ms: frame.timestampMs,
    });
    const separator = this.#hasImages ? "," : "";
    this.#hasImages = true;
    return `${separator}\n${image}`;
  }

  end(): string[] {
    const categories = [...this.#names]
      .sort(([one], [other]) => one - other)
      .map(([classId, name]) => jsonOf({ id: classId + 1, name, supercategory: "" }));
    return [
      '],\n"annotations":[',
      ...items(this.#annotations),
      '],\n"categories":[',
      ...items(categories),
      "]}\n",
    ];
  }
}

function annotation(number: number, frame: FoundFrame, one: FoundObject): string {
  const [left, top, right, bottom] = one.xyxy;
  const [width, height] = [right - left, bottom - top];
  const told: { [name: string]: Json } = {
    id: number,
    image_id: frame.index,
    category_id: one.classId + 1,
    bbox: [left, top, width, height].map((edge) => new Decimal(rounded(edge))),
    area: new Decimal(rounded(width * height)),
    segmentation: [],
    iscrowd: 0,
    score: one.confidence,
  };
  if (one.trackId !== null) told.track_id = one.trackId;
  return jsonOf(told);
}

function items(lines: string[]): string[] {
  return lines.map((line, place) => `${place === 0 ? "" : ","}\n${line}`);
}
