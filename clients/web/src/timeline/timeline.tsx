import { type ReadonlySignal, type Signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { RefObject, TargetedPointerEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { formatTime } from "../format";
import { Chip } from "../player/frame_panel";
import type { Playhead } from "../player/playhead";
import type { ViewState } from "../player/view_state";
import { drawLanes, drawScale, inksOf, type PlacedLane, placedLanes, ROW_PX } from "./drawing";
import { type Lane, lanesOf, spanAt, timeOfX, xOf } from "./layout";
import type { TimelineView } from "./timeline_view";
import "./timeline.css";

const NEAR_PX = 4;
const MOST_HEIGHT_PX = 360;
/** So far beyond what is seen, names of lanes are kept for those who go by Tab. */
const SPARE_PX = 200;

interface TimelineProps {
  state: ViewState;
  timeline: TimelineView;
}

interface Surfaces {
  scale: RefObject<HTMLCanvasElement | null>;
  canvas: RefObject<HTMLCanvasElement | null>;
  scroller: RefObject<HTMLDivElement | null>;
  mark: RefObject<HTMLDivElement | null>;
}

/** The lanes with their places. */
type Placed = ReadonlySignal<ReturnType<typeof placedLanes>>;

export function Timeline({ state, timeline }: TimelineProps) {
  const { session, playhead } = state;
  const openClasses = useSignal<ReadonlySet<string>>(new Set());
  const lanes = useComputed(() => {
    const summary = session.summary.value;
    const choice = {
      hiddenClasses: state.hiddenClasses.value,
      showsTexts: state.showsTexts.value,
      openClasses: openClasses.value,
    };
    return placedLanes(summary ? lanesOf(summary, choice) : []);
  });
  const surfaces: Surfaces = {
    scale: useRef<HTMLCanvasElement>(null),
    canvas: useRef<HTMLCanvasElement>(null),
    scroller: useRef<HTMLDivElement>(null),
    mark: useRef<HTMLDivElement>(null),
  };
  const scrollPx = useSignal(0);
  const [hint, setHint] = useState("");
  useDrawing({ state, timeline }, surfaces, lanes, scrollPx);
  const { onWheel, ...pointing } = usePointing({ state, timeline }, surfaces, lanes, scrollPx, setHint);

  const { placed, heightPx } = lanes.value;
  const heightShownPx = surfaces.scroller.current?.clientHeight ?? 400;
  const shownLanes = placed.filter(
    (one) =>
      one.topPx + one.heightPx >= scrollPx.value - SPARE_PX &&
      one.topPx <= scrollPx.value + heightShownPx + SPARE_PX,
  );
  const toggle = (name: string) => {
    const open = new Set(openClasses.value);
    if (!open.delete(name)) open.add(name);
    openClasses.value = open;
  };
  return (
    <section class="card timeline" aria-labelledby="timeline-title">
      <Zoom timeline={timeline} playhead={playhead} />
      <div class="timeline-grid">
        <Position state={state} timeline={timeline} pointing={pointing} scale={surfaces.scale} />
        <div
          class="lanes"
          ref={surfaces.scroller}
          onScroll={(event) => {
            scrollPx.value = event.currentTarget.scrollTop;
          }}
          onWheel={onWheel}
        >
          <div class="lane-names" style={{ height: `${heightPx}px` }}>
            {shownLanes.map((one) => (
              <LaneName
                key={one.lane.key}
                placed={one}
                state={state}
                isOpen={openClasses.value.has(one.lane.name)}
                onToggle={() => toggle(one.lane.name)}
              />
            ))}
          </div>
          <canvas
            ref={surfaces.canvas}
            class="lanes-canvas"
            style={{ height: `${Math.max(ROW_PX, Math.min(heightPx, MOST_HEIGHT_PX))}px` }}
            role="img"
            aria-label="When each class, object and text was in view; the search lists them"
            {...pointing}
          />
        </div>
        <div class="playhead-area" aria-hidden="true">
          <div class="playhead" ref={surfaces.mark} />
        </div>
      </div>
      <p class="muted hint">{hint || emptyHint(state, placed)}</p>
    </section>
  );
}

function Zoom({ timeline, playhead }: { timeline: TimelineView; playhead: Playhead }) {
  return (
    <div class="row">
      <h2 id="timeline-title">Timeline</h2>
      <span class="spring" />
      <button type="button" aria-label="Zoom in" onClick={() => timeline.zoom(0.5, playhead.timeMs)}>
        +
      </button>
      <button type="button" aria-label="Zoom out" onClick={() => timeline.zoom(2, playhead.timeMs)}>
        −
      </button>
      <button
        type="button"
        aria-label="All of the video"
        onClick={() => {
          timeline.shown.value = null;
        }}
      >
        All
      </button>
    </div>
  );
}

/** Draw when something changes; while the video plays, only the mark of the playhead moves. */
function useDrawing(
  { state, timeline }: TimelineProps,
  { scale, canvas, scroller, mark }: Surfaces,
  lanes: Placed,
  scrollPx: Signal<number>,
): void {
  const sizes = useSignal(0);
  useEffect(() => {
    const redraw = () => {
      // the scale ends where the lanes end, beside their scroll bar
      const bar = (scroller.current?.offsetWidth ?? 0) - (scroller.current?.clientWidth ?? 0);
      scroller.current?.parentElement?.style.setProperty("--bar", `${bar}px`);
      sizes.value += 1;
    };
    const observer = new ResizeObserver(redraw);
    if (canvas.current) observer.observe(canvas.current);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", redraw);
    return () => {
      observer.disconnect();
      scheme.removeEventListener("change", redraw);
    };
  }, [sizes, canvas, scroller]);
  useSignalEffect(() => {
    void sizes.value;
    const inks = canvas.current && inksOf(canvas.current);
    const chosen = state.pointedTrack.value ?? state.chosenTrack.value;
    const isChosen = ({ trackId }: Lane) => trackId !== null && trackId === chosen;
    if (!inks || !canvas.current || !scale.current) return;
    drawScale(scale.current, timeline.view, inks);
    drawLanes(canvas.current, lanes.value.placed, scrollPx.value, timeline.view, inks, isChosen);
  });
  useSignalEffect(() => {
    const timeMs = state.playhead.presentedMs.value;
    if (timeMs !== null) timeline.follow(timeMs);
  });
  useSignalEffect(() => {
    void sizes.value;
    const timeMs = state.playhead.presentedMs.value ?? 0;
    const width = canvas.current?.clientWidth ?? 0;
    const x = Math.max(-2, Math.min(width, xOf(timeline.view, width, timeMs)));
    mark.current?.style.setProperty("transform", `translateX(${x}px)`);
  });
}

/** What the pointer does on the scale and on the lanes. */
function usePointing(
  { state, timeline }: TimelineProps,
  { canvas }: Surfaces,
  lanes: Placed,
  scrollPx: Signal<number>,
  setHint: (hint: string) => void,
) {
  const { playhead } = state;
  const isDragging = useRef(false);
  const widthPx = () => Math.max(1, canvas.current?.clientWidth ?? 1);
  const msPerPx = () => (timeline.view.toMs - timeline.view.fromMs) / widthPx();
  const timeAt = (event: { clientX: number }) =>
    timeOfX(timeline.view, widthPx(), event.clientX - (canvas.current?.getBoundingClientRect().left ?? 0));
  const hitOf = (event: { clientX: number; clientY: number }) => {
    const top = canvas.current?.getBoundingClientRect().top ?? 0;
    const y = event.clientY - top + scrollPx.value;
    const found = lanes.value.placed.find((one) => one.topPx <= y && y < one.topPx + one.heightPx);
    if (!found || event.clientY < top) return null;
    const row = Math.floor((y - found.topPx) / ROW_PX);
    const span = spanAt(found.lane, timeAt(event), row, NEAR_PX * msPerPx());
    return span && { span, lane: found.lane };
  };
  return {
    onPointerDown: (event: TargetedPointerEvent<HTMLElement>) => {
      isDragging.current = true;
      event.currentTarget.setPointerCapture(event.pointerId);
      const hit = hitOf(event);
      const timeMs = Math.max(0, timeAt(event));
      // a thin span is hit beside its time
      const isBeside = hit && (timeMs < hit.span.startMs || timeMs >= hit.span.endMs);
      void playhead.seek(isBeside ? hit.span.startMs : timeMs);
    },
    onPointerMove: (event: TargetedPointerEvent<HTMLElement>) => {
      if (isDragging.current) {
        void playhead.seek(Math.max(0, Math.min(timeline.durationMs.value, timeAt(event))));
        return;
      }
      const hit = hitOf(event);
      setHint(hit ? hintOf(hit.lane, hit.span) : "");
      state.pointedTrack.value = hit?.lane.trackId ?? null;
    },
    onPointerUp: () => {
      isDragging.current = false;
    },
    onPointerCancel: () => {
      isDragging.current = false;
    },
    onPointerLeave: () => {
      setHint("");
      state.pointedTrack.value = null;
    },
    onWheel: (event: WheelEvent) => {
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        timeline.zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(event));
      } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        timeline.move(event.deltaX * msPerPx());
      }
    },
  };
}

function emptyHint(state: ViewState, placed: readonly PlacedLane[]): string {
  const { session } = state;
  if (session.withoutSummary.value) return session.withoutSummary.value;
  if (session.isPartial.value) return "The job is running: objects get their tracks when it has ended.";
  if (session.summary.value && placed.length === 0) return "Nothing to show.";
  return "Click to go there; Ctrl and the wheel zoom.";
}

function hintOf(
  lane: Lane,
  { label, startMs, endMs }: { label: string; startMs: number; endMs: number },
): string {
  const what = lane.kind === "texts" ? `“${label}”` : label ? `${lane.name}, ${label}` : lane.name;
  return `${what}: ${formatTime(startMs, true)} to ${formatTime(endMs, true)}`;
}

interface PositionProps {
  state: ViewState;
  timeline: TimelineView;
  pointing: object;
  scale: { current: HTMLCanvasElement | null };
}

/** The scale, which is also the slider for those who have no pointer; the keys of the page move it. */
function Position({ state, timeline, pointing, scale }: PositionProps) {
  const slider = useRef<HTMLDivElement>(null);
  useSignalEffect(() => {
    const timeMs = Math.round(state.playhead.presentedMs.value ?? 0);
    slider.current?.setAttribute("aria-valuenow", String(timeMs));
    slider.current?.setAttribute("aria-valuetext", formatTime(timeMs, true));
  });
  return (
    <div
      class="scale"
      ref={slider}
      role="slider"
      tabIndex={0}
      aria-label="Position in the video"
      aria-valuemin={0}
      aria-valuemax={Math.round(timeline.durationMs.value)}
      aria-valuenow={0}
      {...pointing}
    >
      <canvas ref={scale} />
    </div>
  );
}

interface LaneNameProps {
  placed: PlacedLane;
  state: ViewState;
  isOpen: boolean;
  onToggle: () => void;
}

function LaneName({ placed: { lane, topPx, heightPx }, state, isOpen, onToggle }: LaneNameProps) {
  const style = { top: `${topPx}px`, height: `${heightPx}px` };
  if (lane.kind === "texts") {
    return (
      <span class="lane-name" style={style}>
        {lane.name}
      </span>
    );
  }
  if (lane.kind === "track") {
    const { trackId } = lane;
    return (
      <button
        type="button"
        class="lane-name lane-track"
        style={style}
        aria-pressed={state.chosenTrack.value === trackId}
        onClick={() => {
          if (trackId !== null) state.chosenTrack.value = trackId;
          void state.playhead.seek(lane.spans[0]?.startMs ?? 0);
        }}
      >
        {lane.name}
      </button>
    );
  }
  const hasTracks = state.session.summary.value?.tracks.some((one) => one.class_id === lane.classId);
  return (
    <button
      type="button"
      class="lane-name"
      style={style}
      disabled={!hasTracks}
      aria-expanded={hasTracks ? isOpen : undefined}
      onClick={onToggle}
    >
      {hasTracks && <span aria-hidden="true">{isOpen ? "▾" : "▸"}</span>}
      <Chip classId={lane.classId ?? 0} />
      {lane.name}
    </button>
  );
}
