import { signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { TargetedPointerEvent } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatTime } from "../format";
import { Chip } from "../player/frame_panel";
import type { ViewState } from "../player/view_state";
import { drawLanes, drawScale, inksOf, type PlacedLane, placedLanes, ROW_PX } from "./drawing";
import { type Lane, lanesOf, moved, showing, spanAt, timeOfX, type View, xOf, zoomed } from "./layout";
import "./timeline.css";

const NEAR_PX = 4;

/** The view of the timeline, shared with the keys of the page. */
export class TimelineView {
  readonly shown = signal<View | null>(null);

  constructor(readonly durationMs: { readonly value: number }) {}

  get view(): View {
    return this.shown.value ?? { fromMs: 0, toMs: Math.max(1, this.durationMs.value) };
  }

  zoom(factor: number, aroundMs: number): void {
    this.shown.value = zoomed(this.view, factor, aroundMs, Math.max(1, this.durationMs.value));
  }

  move(byMs: number): void {
    this.shown.value = moved(this.view, byMs, Math.max(1, this.durationMs.value));
  }

  follow(timeMs: number): void {
    if (this.shown.value) {
      this.shown.value = showing(this.shown.value, timeMs, Math.max(1, this.durationMs.value));
    }
  }
}

export function Timeline({ state, timeline }: { state: ViewState; timeline: TimelineView }) {
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
  const scale = useRef<HTMLCanvasElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const marks = useRef<HTMLDivElement>(null);
  const [scrollPx, setScrollPx] = useState(0);
  const [hint, setHint] = useState("");
  const sizes = useSignal(0);

  useEffect(() => {
    const observer = new ResizeObserver(() => {
      // the scale ends where the lanes end, beside their scroll bar
      const bar = (scroller.current?.offsetWidth ?? 0) - (scroller.current?.clientWidth ?? 0);
      scroller.current?.parentElement?.style.setProperty("--bar", `${bar}px`);
      sizes.value += 1;
    });
    if (canvas.current) observer.observe(canvas.current);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const onScheme = () => {
      sizes.value += 1;
    };
    scheme.addEventListener("change", onScheme);
    return () => {
      observer.disconnect();
      scheme.removeEventListener("change", onScheme);
    };
  }, [sizes]);

  const scrolled = useSignal(0);
  useSignalEffect(() => {
    void sizes.value;
    const inks = canvas.current && inksOf(canvas.current);
    const chosen = state.pointedTrack.value ?? state.chosenTrack.value;
    if (!inks || !canvas.current || !scale.current) return;
    drawScale(scale.current, timeline.view, inks);
    drawLanes(
      canvas.current,
      lanes.value.placed,
      scrolled.value,
      timeline.view,
      inks,
      ({ trackId }) => trackId !== null && trackId === chosen,
    );
  });
  useSignalEffect(() => {
    void sizes.value;
    const timeMs = playhead.presentedMs.value ?? 0;
    timeline.follow(timeMs);
    const width = canvas.current?.clientWidth ?? 0;
    const x = xOf(timeline.view, width, timeMs);
    marks.current?.style.setProperty("transform", `translateX(${Math.max(-2, Math.min(width, x))}px)`);
  });

  const timeAt = (event: { clientX: number }) => {
    const place = canvas.current?.getBoundingClientRect();
    return place ? timeOfX(timeline.view, place.width, event.clientX - place.left) : 0;
  };
  const laneAt = (event: { clientY: number }) => {
    const top = canvas.current?.getBoundingClientRect().top ?? 0;
    const y = event.clientY - top + scrollPx;
    const found = lanes.value.placed.find((one) => one.topPx <= y && y < one.topPx + one.heightPx);
    return found ? { lane: found.lane, row: Math.floor((y - found.topPx) / ROW_PX) } : null;
  };
  const hitOf = (event: { clientX: number; clientY: number }) => {
    const found = laneAt(event);
    const { fromMs, toMs } = timeline.view;
    const nearMs = (NEAR_PX * (toMs - fromMs)) / Math.max(1, canvas.current?.clientWidth ?? 1);
    const span = found && spanAt(found.lane, timeAt(event), found.row, nearMs);
    return span && found ? { span, lane: found.lane } : null;
  };

  const isDragging = useRef(false);
  const onDown = (event: TargetedPointerEvent<HTMLElement>) => {
    isDragging.current = true;
    event.currentTarget.setPointerCapture(event.pointerId);
    const hit = hitOf(event);
    const timeMs = Math.max(0, timeAt(event));
    // a thin span is hit beside its time
    const isBeside = hit && (timeMs < hit.span.startMs || timeMs >= hit.span.endMs);
    void playhead.seek(isBeside ? hit.span.startMs : timeMs);
  };
  const onMove = (event: TargetedPointerEvent<HTMLElement>) => {
    if (isDragging.current) {
      void playhead.seek(Math.max(0, Math.min(timeline.durationMs.value, timeAt(event))));
      return;
    }
    const hit = hitOf(event);
    setHint(hit ? hintOf(hit.lane, hit.span) : "");
    state.pointedTrack.value = hit?.lane.trackId ?? null;
  };
  const onUp = () => {
    isDragging.current = false;
  };
  const onLeave = () => {
    setHint("");
    state.pointedTrack.value = null;
  };

  const onWheel = (event: WheelEvent) => {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      timeline.zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(event));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      const { fromMs, toMs } = timeline.view;
      timeline.move((event.deltaX / Math.max(1, canvas.current?.clientWidth ?? 1)) * (toMs - fromMs));
    }
  };

  const { placed, heightPx } = lanes.value;
  const shownLanes = useMemo(() => {
    const height = scroller.current?.clientHeight ?? 400;
    return placed.filter(
      (one) => one.topPx + one.heightPx >= scrollPx - 200 && one.topPx <= scrollPx + height + 200,
    );
  }, [placed, scrollPx]);
  const pointing = {
    onPointerDown: onDown,
    onPointerMove: onMove,
    onPointerUp: onUp,
    onPointerLeave: onLeave,
  };

  return (
    <section class="card timeline" aria-labelledby="timeline-title">
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
      <div class="timeline-grid">
        <Position state={state} timeline={timeline} pointing={pointing} scale={scale} />
        <div
          class="lanes"
          ref={scroller}
          onScroll={(event) => {
            setScrollPx(event.currentTarget.scrollTop);
            scrolled.value = event.currentTarget.scrollTop;
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
                onToggle={() => {
                  const open = new Set(openClasses.value);
                  if (!open.delete(one.lane.name)) open.add(one.lane.name);
                  openClasses.value = open;
                }}
              />
            ))}
          </div>
          <canvas
            ref={canvas}
            class="lanes-canvas"
            style={{ height: `${Math.max(ROW_PX, Math.min(heightPx, 360))}px` }}
            role="img"
            aria-label="When each class, object and text was in view; the search below lists them"
            {...pointing}
          />
        </div>
        <div class="playhead-area" aria-hidden="true">
          <div class="playhead" ref={marks} />
        </div>
      </div>
      <p class="muted hint">{hint || emptyHint(state, placed)}</p>
    </section>
  );
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
