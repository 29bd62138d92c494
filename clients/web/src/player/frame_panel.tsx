import { colourOf } from "./colours";
import { labelOf, shownObjects } from "./overlay";
import { textLines } from "./shown_frame";
import type { ViewState } from "./view_state";

/** Which classes and texts are drawn. */
export function Switches({ view }: { view: ViewState }) {
  const classes = view.session.summary.value?.classes ?? [];
  const hasTexts = (view.session.summary.value?.texts.length ?? 0) > 0;
  return (
    <fieldset class="switches">
      <legend>Show</legend>
      {classes.map(({ class_id, class_name, tracks }) => (
        <label key={class_name} class="row tight">
          <input
            type="checkbox"
            checked={!view.hiddenClasses.value.has(class_name)}
            onChange={() => view.toggleClass(class_name)}
          />
          <Chip classId={class_id} />
          {class_name}
          {tracks > 0 && <span class="muted">{tracks}</span>}
        </label>
      ))}
      {hasTexts && (
        <label class="row tight">
          <input
            type="checkbox"
            checked={view.showsTexts.value}
            onChange={() => {
              view.showsTexts.value = !view.showsTexts.value;
            }}
          />
          Texts
        </label>
      )}
      <label class="row tight">
        <input
          type="checkbox"
          checked={view.showsLabels.value}
          onChange={() => {
            view.showsLabels.value = !view.showsLabels.value;
          }}
        />
        Labels
      </label>
    </fieldset>
  );
}

export function Chip({ classId }: { classId: number }) {
  return <span class="chip" style={{ background: colourOf(classId) }} />;
}

/** What was found on the picture that is shown, as a list; it does not change while the video plays. */
export function FramePanel({ view }: { view: ViewState }) {
  return (
    <section class="card frame-panel" aria-labelledby="on-this-frame">
      <h2 id="on-this-frame">On this frame</h2>
      {view.playhead.isPlaying.value ? (
        <p class="muted">Pause to see the list.</p>
      ) : (
        <FrameList view={view} />
      )}
    </section>
  );
}

function FrameList({ view }: { view: ViewState }) {
  const frame = view.playhead.frame.value;
  if (frame === undefined) {
    return <p class="muted">{view.session.isPartial.value ? "Not analysed yet." : "Loading…"}</p>;
  }
  if (frame === null) return <p class="muted">This frame was not analysed.</p>;
  const objects = shownObjects(frame, view.choice.value);
  const lines = view.showsTexts.value ? textLines(frame) : [];
  if (objects.length + lines.length === 0) return <p class="muted">Nothing was found.</p>;
  return (
    <ul class="found">
      {objects.map((one, place) => (
        <li key={place}>
          <button
            type="button"
            class="found-object"
            disabled={one.trackId === null}
            aria-pressed={one.trackId !== null && view.chosenTrack.value === one.trackId}
            onClick={() => one.trackId !== null && view.toggleTrack(one.trackId)}
            onPointerEnter={() => {
              view.pointedTrack.value = one.trackId;
            }}
            onPointerLeave={() => {
              view.pointedTrack.value = null;
            }}
          >
            <Chip classId={one.classId} />
            <span class="found-name">{labelOf(one)}</span>
            <span class="muted">{Math.round(one.confidence * 100)} %</span>
          </button>
        </li>
      ))}
      {lines.map(({ text }, place) => (
        <li key={`text ${place}`} class="found-text">
          “{text}”
        </li>
      ))}
    </ul>
  );
}
