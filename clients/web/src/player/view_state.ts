import { computed, signal } from "@preact/signals";
import type { Moment } from "../timeline/search";
import { moments, placeOfNext } from "../timeline/search";
import type { Choice, Highlight } from "./overlay";
import type { Playhead } from "./playhead";
import type { Session } from "./session";

/** What the user has chosen to see of a job. */
export class ViewState {
  readonly hiddenClasses = signal<ReadonlySet<string>>(new Set());
  readonly showsTexts = signal(true);
  readonly showsLabels = signal(true);
  readonly hasKeys = signal(true);
  readonly query = signal("");
  /** The object that was pressed, and the one under the pointer. */
  readonly chosenTrack = signal<number | null>(null);
  readonly pointedTrack = signal<number | null>(null);

  readonly choice = computed<Choice>(() => ({
    hiddenClasses: this.hiddenClasses.value,
    showsTexts: this.showsTexts.value,
    showsLabels: this.showsLabels.value,
  }));
  readonly highlight;
  readonly found;

  constructor(
    readonly session: Session,
    readonly playhead: Playhead,
  ) {
    this.highlight = computed<Highlight | null>(() => {
      const trackId = this.pointedTrack.value ?? this.chosenTrack.value;
      const track = session.summary.value?.tracks.find((one) => one.track_id === trackId);
      return track ? { trackId: track.track_id, path: track.path } : null;
    });
    this.found = computed<Moment[]>(() => {
      const { query } = this;
      const summary = session.summary.value;
      return summary && query.value.trim() !== "" ? moments(summary, query.value) : [];
    });
  }

  toggleClass(name: string): void {
    const hidden = new Set(this.hiddenClasses.value);
    if (!hidden.delete(name)) hidden.add(name);
    this.hiddenClasses.value = hidden;
  }

  toggleTrack(trackId: number): void {
    this.chosenTrack.value = this.chosenTrack.value === trackId ? null : trackId;
  }

  goToMoment(direction: 1 | -1): void {
    const place = placeOfNext(this.found.value, this.playhead.timeMs, direction);
    const moment = place === null ? undefined : this.found.value[place];
    if (moment) void this.playhead.seek(moment.startMs);
  }
}
