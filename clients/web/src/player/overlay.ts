import type { PathPoint, Xyxy } from "../api/types";
import { colourOf, TEXT_COLOUR } from "./colours";
import { type ShownFrame, type ShownObject, textLines } from "./shown_frame";

export interface Choice {
  hiddenClasses: ReadonlySet<string>;
  showsTexts: boolean;
  showsLabels: boolean;
}

/** The object whose track is shown. */
export interface Highlight {
  trackId: number;
  path: readonly PathPoint[];
}

const LINE_PX = 2;
const LABEL_PX = 13;
/** On a picture that is shown smaller than this, labels are smaller as well. */
const SMALL_PICTURE_PX = 480;
const SMALL_LABEL_PX = 10;
const PAD_PX = 4;

/**
 * Draw what was found on a frame.
 *
 * `scale` is the size of a pixel of the video in CSS pixels, `ratio` how many pixels of the canvas each of them has.
 */
export function drawFrame(
  context: CanvasRenderingContext2D,
  frame: ShownFrame | null | undefined,
  {
    scale,
    ratio,
    choice,
    highlight,
  }: { scale: number; ratio: number; choice: Choice; highlight: Highlight | null },
): void {
  const { canvas } = context;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!frame) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const width = canvas.width / ratio;
  const labelPx = width < SMALL_PICTURE_PX ? SMALL_LABEL_PX : LABEL_PX;
  context.font = `600 ${labelPx}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  if (highlight) drawPath(context, highlight, scale);
  for (const one of shownObjects(frame, choice)) {
    const isFaint = highlight !== null && one.trackId !== highlight.trackId;
    context.globalAlpha = isFaint ? 0.45 : 1;
    drawBox(context, one.xyxy, scale, colourOf(one.classId));
    if (choice.showsLabels)
      drawLabel(context, labelOf(one), one.xyxy, { scale, width, labelPx }, colourOf(one.classId));
  }
  context.globalAlpha = 1;
  if (choice.showsTexts) drawTexts(context, frame, { scale, width, labelPx }, choice.showsLabels);
}

export function shownObjects(frame: ShownFrame, choice: Choice): ShownObject[] {
  return frame.objects.filter(({ className }) => !choice.hiddenClasses.has(className));
}

export function labelOf({ className, trackId }: ShownObject): string {
  return trackId === null ? className : `${className} #${trackId}`;
}

/** The smallest object at a point of the video. */
export function objectAt(frame: ShownFrame, choice: Choice, x: number, y: number): ShownObject | null {
  const area = ({ xyxy: [left, top, right, bottom] }: ShownObject) => (right - left) * (bottom - top);
  const hit = shownObjects(frame, choice).filter(
    ({ xyxy: [left, top, right, bottom] }) => left <= x && x <= right && top <= y && y <= bottom,
  );
  return hit.sort((one, other) => area(one) - area(other))[0] ?? null;
}

function drawBox(context: CanvasRenderingContext2D, box: Xyxy, scale: number, colour: string): void {
  const [left, top, right, bottom] = box.map((edge) => edge * scale) as Xyxy;
  context.strokeStyle = colour;
  context.lineWidth = LINE_PX;
  context.strokeRect(left, top, right - left, bottom - top);
}

interface Shape {
  scale: number;
  /** Of the canvas, in CSS pixels. */
  width: number;
  labelPx: number;
}

/** Above the box, or inside it where there is no room; never beyond the sides of the picture. */
function drawLabel(
  context: CanvasRenderingContext2D,
  text: string,
  [left, top]: Xyxy,
  { scale, width, labelPx }: Shape,
  colour: string,
): void {
  const height = labelPx + PAD_PX;
  const length = context.measureText(text).width + 2 * PAD_PX;
  const x = Math.max(0, Math.min(left * scale - LINE_PX / 2, width - length));
  const above = top * scale - LINE_PX / 2 - height;
  const y = above >= 0 ? above : top * scale + LINE_PX / 2;
  context.fillStyle = colour;
  context.fillRect(x, y, length, height);
  context.fillStyle = "#000000";
  context.fillText(text, x + PAD_PX, y + height / 2 + 0.5);
}

function drawTexts(
  context: CanvasRenderingContext2D,
  frame: ShownFrame,
  shape: Shape,
  showsLabels: boolean,
): void {
  context.setLineDash([5, 3]);
  for (const { xyxy } of frame.words) {
    drawBox(context, xyxy, shape.scale, "#000000");
    context.lineDashOffset = 4;
    drawBox(context, xyxy, shape.scale, TEXT_COLOUR);
    context.lineDashOffset = 0;
  }
  context.setLineDash([]);
  if (!showsLabels) return;
  for (const { text, xyxy } of textLines(frame)) drawLabel(context, text, xyxy, shape, TEXT_COLOUR);
}

function drawPath(context: CanvasRenderingContext2D, { path }: Highlight, scale: number): void {
  context.beginPath();
  for (const { xyxy } of path) {
    context.lineTo(((xyxy[0] + xyxy[2]) / 2) * scale, ((xyxy[1] + xyxy[3]) / 2) * scale);
  }
  for (const [colour, width] of [
    ["#000000", 5],
    ["#ffffff", 2.5],
  ] as const) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
}
