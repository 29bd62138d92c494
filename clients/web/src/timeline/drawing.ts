import { formatTime } from "../format";
import { colourOf } from "../player/colours";
import { type Lane, type Span, ticks, type View, xOf } from "./layout";

export const ROW_PX = 24;
const BAR_PX = 16;
const LEAST_PX = 3;
const LABEL_GAP_PX = 12;

export interface PlacedLane {
  lane: Lane;
  topPx: number;
  heightPx: number;
}

/** Where each lane is, from the top. */
export function placedLanes(lanes: readonly Lane[]): { placed: PlacedLane[]; heightPx: number } {
  let topPx = 0;
  const placed = lanes.map((lane) => {
    const heightPx = lane.rows * ROW_PX + (lane.kind === "texts" ? 4 : 0);
    topPx += heightPx;
    return { lane, topPx: topPx - heightPx, heightPx };
  });
  return { placed, heightPx: topPx };
}

/** The colours of the page, as its style sheet has them at the moment. */
export interface Inks {
  text: string;
  muted: string;
  line: string;
  surface: string;
}

export function inksOf(element: Element): Inks {
  const style = getComputedStyle(element);
  const ink = (name: string) => style.getPropertyValue(name).trim();
  return { text: ink("--text"), muted: ink("--muted"), line: ink("--line"), surface: ink("--surface") };
}

/** Make the canvas as large as it is shown; returns its size in CSS pixels. */
export function fitted(
  canvas: HTMLCanvasElement,
): { context: CanvasRenderingContext2D; width: number; height: number } | null {
  const context = canvas.getContext("2d");
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!context || width === 0) return null;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

export function drawScale(canvas: HTMLCanvasElement, view: View, inks: Inks): void {
  const surface = fitted(canvas);
  if (!surface) return;
  const { context, width, height } = surface;
  const times = ticks(view, width);
  const isFine = (times[1] ?? 1000) - (times[0] ?? 0) < 1000;
  let takenPx = 0;
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (const timeMs of times) {
    const x = Math.round(xOf(view, width, timeMs)) + 0.5;
    context.strokeStyle = inks.muted;
    context.beginPath();
    context.moveTo(x, height - 7);
    context.lineTo(x, height);
    context.stroke();
    const label = formatTime(timeMs, isFine);
    const length = context.measureText(label).width;
    const left = Math.max(0, Math.min(width - length, x - length / 2));
    if (left < takenPx) continue;
    takenPx = left + length + LABEL_GAP_PX;
    context.fillStyle = inks.muted;
    context.fillText(label, left, height / 2 - 3);
  }
}

/** Draw the lanes that are between two heights. */
export function drawLanes(
  canvas: HTMLCanvasElement,
  placed: readonly PlacedLane[],
  scrollPx: number,
  view: View,
  inks: Inks,
  isChosen: (lane: Lane) => boolean,
): void {
  const surface = fitted(canvas);
  if (!surface) return;
  const { context, width, height } = surface;
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.strokeStyle = inks.line;
  for (const timeMs of ticks(view, width)) {
    const x = Math.round(xOf(view, width, timeMs)) + 0.5;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.stroke();
  }
  for (const { lane, topPx, heightPx } of placed) {
    const top = topPx - scrollPx;
    if (top + heightPx < 0 || top > height) continue;
    for (const span of lane.spans) drawSpan(context, lane, span, top, view, width, inks, isChosen(lane));
  }
}

function drawSpan(
  context: CanvasRenderingContext2D,
  lane: Lane,
  span: Span,
  top: number,
  view: View,
  width: number,
  inks: Inks,
  isChosen: boolean,
): void {
  const from = Math.max(-2, xOf(view, width, span.startMs));
  const to = Math.min(width + 2, xOf(view, width, span.endMs));
  if (to < -1 || from > width + 1) return;
  const length = Math.max(LEAST_PX, to - from);
  const y = top + span.row * ROW_PX + (ROW_PX - BAR_PX) / 2;
  const isText = lane.classId === null;
  context.fillStyle = isText ? inks.surface : colourOf(lane.classId ?? 0);
  context.strokeStyle = isText || isChosen ? inks.text : "rgb(0 0 0 / 35%)";
  context.lineWidth = isChosen ? 2 : 1;
  context.beginPath();
  context.roundRect(from + 0.5, y + 0.5, Math.max(1, length - 1), BAR_PX - 1, Math.min(3, length / 2));
  context.fill();
  context.stroke();
  context.lineWidth = 1;
  if (!span.label || length < 24) return;
  context.save();
  context.beginPath();
  context.rect(from + 3, y, length - 6, BAR_PX);
  context.clip();
  context.fillStyle = isText ? inks.text : "#000000";
  context.fillText(span.label, Math.max(from, 0) + 5, y + BAR_PX / 2 + 0.5);
  context.restore();
}
