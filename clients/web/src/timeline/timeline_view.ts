import { signal } from "@preact/signals";
import { moved, showing, type View, zoomed } from "./layout";

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
