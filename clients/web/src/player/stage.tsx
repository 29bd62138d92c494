import { effect } from "@preact/signals";
import type { ComponentChildren, TargetedPointerEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { formatTime } from "../format";
import { drawFrame, labelOf, objectAt } from "./overlay";
import type { ViewState } from "./view_state";

/** Before anything is known of the video. */
const USUAL_SIZE = { width: 16, height: 9 };

interface StageProps {
  view: ViewState;
  /** Of the picture, in pixels, or null. */
  size: { width: number; height: number } | null;
  children: ComponentChildren;
}

/** The picture, and over it a canvas of the same size with what was found on it. */
export function Stage({ view, size, children }: StageProps) {
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [tip, setTip] = useState<{ x: number; y: number; text: string } | null>(null);
  const { width, height } = size ?? USUAL_SIZE;

  useEffect(() => {
    const [box, surface] = [stage.current, canvas.current];
    if (!box || !surface) return;
    box.style.setProperty("--aspect", `${width} / ${height}`);
    box.style.setProperty("--shape", `${width / height}`);
    const draw = () => draws(surface, view, width);
    const observer = new ResizeObserver(() => {
      const ratio = window.devicePixelRatio || 1;
      surface.width = Math.max(1, Math.round(surface.clientWidth * ratio));
      surface.height = Math.max(1, Math.round(surface.clientHeight * ratio));
      draw();
    });
    observer.observe(surface);
    // runs within the callback of the presented picture, before the next one can come
    const dispose = effect(draw);
    return () => {
      observer.disconnect();
      dispose();
    };
  }, [view, width, height]);

  const onPointerMove = (event: TargetedPointerEvent<HTMLDivElement>) => {
    const surface = canvas.current;
    const frame = view.playhead.frame.value;
    if (!surface) return;
    const place = surface.getBoundingClientRect();
    const [x, y] = [event.clientX - place.left, event.clientY - place.top];
    const scale = width / place.width;
    const hit = frame ? objectAt(frame, view.choice.value, x * scale, y * scale) : null;
    view.pointedTrack.value = hit?.trackId ?? null;
    setTip(hit ? { x, y, text: tipOf(view, labelOf(hit), hit.confidence, hit.trackId) } : null);
  };
  const onPointerLeave = () => {
    view.pointedTrack.value = null;
    setTip(null);
  };
  const onClick = () => {
    const trackId = view.pointedTrack.value;
    if (trackId === null) view.playhead.toggle();
    else view.toggleTrack(trackId);
  };

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Space plays, and the list beside it has the objects
    // biome-ignore lint/a11y/noStaticElementInteractions: the same
    <div
      class="stage"
      ref={stage}
      onPointerMove={onPointerMove}
      onPointerLeave={onPointerLeave}
      onClick={onClick}
    >
      {children}
      <canvas
        ref={canvas}
        class="stage-overlay"
        role="img"
        aria-label="What was found, listed as “On this frame”"
      />
      {tip && (
        <div class="tip" style={{ left: `${tip.x}px`, top: `${tip.y}px` }}>
          {tip.text}
        </div>
      )}
    </div>
  );
}

function draws(surface: HTMLCanvasElement, view: ViewState, width: number): void {
  const context = surface.getContext("2d");
  const ratio = window.devicePixelRatio || 1;
  const frame = view.playhead.frame.value;
  const choice = view.choice.value;
  const highlight = view.highlight.value;
  if (!context || surface.clientWidth === 0) return;
  const scale = surface.clientWidth / width;
  drawFrame(context, frame, { scale, ratio, choice, highlight });
  // for those who look at the page from outside: which frame the canvas shows
  surface.dataset.frame = frame ? String(frame.index) : "";
}

function tipOf(view: ViewState, label: string, confidence: number, trackId: number | null): string {
  const track = view.session.summary.value?.tracks.find((one) => one.track_id === trackId);
  const times = track ? `, ${formatTime(track.start_ms, true)} to ${formatTime(track.end_ms, true)}` : "";
  return `${label}, ${Math.round(confidence * 100)} %${times}`;
}
