import { useComputed } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { formatTime } from "../format";
import type { ViewState } from "../player/view_state";
import { MOST_MOMENTS } from "./search";

/** Search for words and classes, and go through the moments where they were in view. */
export function SearchPanel({ state }: { state: ViewState }) {
  const found = state.found.value;
  const { query } = state;
  const current = useComputed(() => {
    const timeMs = (state.playhead.presentedMs.value ?? -1) + 0.5;
    return state.found.value.findLastIndex(({ startMs, endMs }) => startMs <= timeMs && timeMs < endMs);
  });
  return (
    <section class="card search" aria-labelledby="search-title">
      <h2 id="search-title">Search</h2>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          state.goToMoment(1);
        }}
      >
        <label class="search-field">
          <span class="hidden-text">A word, a class, or an object such as car #3</span>
          <input
            type="search"
            placeholder="A word, a class, or car #3"
            value={query.value}
            onInput={(event) => {
              query.value = event.currentTarget.value;
            }}
          />
        </label>
        <button
          type="button"
          disabled={found.length === 0}
          aria-label="Previous moment"
          onClick={() => state.goToMoment(-1)}
        >
          ▴
        </button>
        <button type="submit" disabled={found.length === 0} aria-label="Next moment">
          ▾
        </button>
      </form>
      <p class="muted" role="status">
        {statusOf(query.value, found.length)}
      </p>
      {found.length > 0 && <Moments state={state} current={current.value} />}
    </section>
  );
}

function statusOf(query: string, count: number): string {
  if (query.trim() === "") return "";
  if (count > MOST_MOMENTS) return `${count} moments; the first ${MOST_MOMENTS} are listed`;
  return count === 1 ? "1 moment" : `${count} moments`;
}

function Moments({ state, current }: { state: ViewState; current: number }) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const item = list.current?.children[current];
    // scrolls the list alone, and not the page
    if (item instanceof HTMLElement && list.current) {
      const { offsetTop, offsetHeight } = item;
      const { scrollTop, clientHeight } = list.current;
      if (offsetTop < scrollTop) list.current.scrollTop = offsetTop;
      if (offsetTop + offsetHeight > scrollTop + clientHeight) {
        list.current.scrollTop = offsetTop + offsetHeight - clientHeight;
      }
    }
  }, [current]);
  return (
    <ol class="moments" ref={list}>
      {state.found.value.slice(0, MOST_MOMENTS).map(({ name, kind, startMs, endMs }, place) => (
        <li key={place}>
          <button
            type="button"
            aria-current={place === current ? "true" : undefined}
            onClick={() => state.playhead.seek(startMs)}
          >
            <span class="moment-name">{kind === "text" ? `“${name}”` : name}</span>
            <span class="muted">
              {formatTime(startMs, true)}–{formatTime(endMs, true)}
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}
