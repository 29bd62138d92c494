import { type ReadonlySignal, signal } from "@preact/signals";
import { moved, showing, type View, zoomed } from "./layout";

/** The view of the timeline, shared with the keys of the page. */
export class TimelineView {
  readonly shown = signal<View | null>(null);

  constructor(readonly durationMs: ReadonlySignal<number>) {}

  get view(): View {
    return this.shown.value ?? { fromMs: 0, toMs: Math.max(1, this.durationMs.value) };
  }

  /** What is at a time stays at its place; if that is not in view, what is in the middle. */
  zoom(factor: number, aroundMs: number): void {
    const { fromMs, toMs } = this.view;
    const isInView = fromMs <= aroundMs && aroundMs <= toMs;
    const fixedMs = isInView ? aroundMs : (fromMs + toMs) / 2;
    this.shown.value = zoomed(this.view, factor, fixedMs, this.#lengthMs);
  }

  move(byMs: number): void {
    this.shown.value = moved(this.view, byMs, this.#lengthMs);
  }

  /** Show a time; the caller does not come to depend on the view, which may be changed to look elsewhere. */
  follow(timeMs: number): void {
    const view = this.shown.peek();
    if (view) this.shown.value = showing(view, timeMs, this.#lengthMs);
  }

  get #lengthMs(): number {
    return Math.max(1, this.durationMs.peek());
  }
}
