import { useSignalEffect } from "@preact/signals";
import type { RefObject } from "preact";
import { useRef, useState } from "preact/hooks";
import { formatTime } from "../format";
import { KEYS } from "./keyboard";
import type { ViewState } from "./view_state";

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2, 4];

interface ControlsProps {
  view: ViewState;
  video: RefObject<HTMLVideoElement | null>;
  durationMs: number;
  isPlayable: boolean;
}

export function Controls({ view, video, durationMs, isPlayable }: ControlsProps) {
  const { playhead } = view;
  const [isMuted, setMuted] = useState(false);
  const [speed, setSpeed] = useState(1);
  const isPlaying = playhead.isPlaying.value;
  const mute = () => {
    if (video.current) video.current.muted = !isMuted;
    setMuted(!isMuted);
  };
  const chooseSpeed = (rate: number) => {
    // a video that is loaded anew, as with another URL, plays at the default rate
    if (video.current) Object.assign(video.current, { defaultPlaybackRate: rate, playbackRate: rate });
    setSpeed(rate);
  };
  return (
    <div class="controls row">
      <button
        type="button"
        class="primary play"
        disabled={!isPlayable}
        onClick={() => playhead.toggle()}
        aria-keyshortcuts="Space"
      >
        {isPlaying ? "Pause" : "Play"}
      </button>
      <button
        type="button"
        aria-label="One frame back"
        aria-keyshortcuts=","
        onClick={() => playhead.step(-1)}
      >
        ◂ Frame
      </button>
      <button type="button" aria-label="One frame on" aria-keyshortcuts="." onClick={() => playhead.step(1)}>
        Frame ▸
      </button>
      <Clock view={view} durationMs={durationMs} />
      <span class="spring" />
      {isPlayable && (
        <>
          <label class="row tight">
            Speed
            <select
              value={String(speed)}
              onChange={(event) => chooseSpeed(Number(event.currentTarget.value))}
            >
              {SPEEDS.map((one) => (
                <option key={one} value={String(one)}>
                  {one}×
                </option>
              ))}
            </select>
          </label>
          <button type="button" aria-pressed={isMuted} onClick={mute}>
            Mute
          </button>
        </>
      )}
    </div>
  );
}

/** The time and the frame that are shown, written without rendering the page for each picture. */
function Clock({ view, durationMs }: { view: ViewState; durationMs: number }) {
  const time = useRef<HTMLSpanElement>(null);
  const number = useRef<HTMLSpanElement>(null);
  useSignalEffect(() => {
    const timeMs = view.playhead.presentedMs.value;
    const frame = view.playhead.frame.value;
    if (time.current) time.current.textContent = formatTime(timeMs ?? 0, true);
    if (number.current)
      number.current.textContent =
        timeMs === null ? "" : frameText(view, frame === null ? null : frame?.index);
  });
  return (
    <span class="clock">
      <span ref={time} class="time">
        0:00.000
      </span>
      <span class="muted"> / {formatTime(durationMs, true)}</span>{" "}
      <span ref={number} class="muted frame-number" />
    </span>
  );
}

function frameText(view: ViewState, index: number | null | undefined): string {
  if (index === null) return "not analysed";
  if (index !== undefined) return `frame ${index}`;
  if (view.playhead.isPlaying.value) return "";
  return view.session.isPartial.value ? "not analysed yet" : "loading…";
}

export function KeyboardHelp({ view }: { view: ViewState }) {
  return (
    <details class="keys">
      <summary>Keyboard</summary>
      <label class="row tight">
        <input
          type="checkbox"
          checked={view.hasKeys.value}
          onChange={() => {
            view.hasKeys.value = !view.hasKeys.value;
          }}
        />
        Use these keys
      </label>
      <dl>
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
