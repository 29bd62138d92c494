import { formatBytes } from "../format";
import { hashOf } from "../routes";
import { networkIsThere } from "./network";
import type { Item, UploadState } from "./uploads";

export function UploadRow({ item }: { item: Item }) {
  const state = shownState(item.state.value);
  const jobId = item.jobId.value;
  const isOpen = state.kind === "waiting" || state.kind === "sending";
  return (
    <li class="card upload" data-state={state.kind}>
      <div class="row between">
        <strong>{item.name}</strong>
        {isOpen && (
          <button type="button" onClick={() => item.cancel()}>
            Cancel<span class="hidden-text"> the upload of {item.name}</span>
          </button>
        )}
        {state.kind === "failed" && (
          <button type="button" onClick={() => item.start()}>
            Try again
          </button>
        )}
        {state.kind === "sent" && jobId && (
          <a class="button" href={hashOf({ page: "job", jobId, moment: null })}>
            Look at the job<span class="hidden-text"> of {item.name}</span>
          </a>
        )}
      </div>
      {state.kind === "sending" && item.sizeBytes !== null && (
        <progress max={item.sizeBytes} value={state.sentBytes} aria-label={`Upload of ${item.name}`} />
      )}
      <p class={isBad(state) ? "wrong" : "muted"}>{sentence(state, item.sizeBytes)}</p>
      {item.note.value && <p class="muted">{item.note.value}</p>}
      <p class="hidden-text" role="status">
        {state.kind === "sending" && state.isOnline
          ? ""
          : `${item.name}: ${sentence(state, item.sizeBytes)} `}
        {item.note.value}
      </p>
    </li>
  );
}

/** A transfer that is under way may not have noticed yet that the network is away. */
function shownState(state: UploadState): UploadState {
  return state.kind === "sending" && !networkIsThere.value ? { ...state, isOnline: false } : state;
}

function isBad({ kind }: UploadState): boolean {
  return kind === "refused" || kind === "failed";
}

function sentence(state: UploadState, sizeBytes: number | null): string {
  switch (state.kind) {
    case "waiting":
      return "Waits for the uploads before it.";
    case "sending":
      return sentenceOfSending(state, sizeBytes);
    case "sent":
      return sizeBytes === null
        ? "Submitted; the service fetches the video."
        : "Uploaded; the analysis begins by itself.";
    case "refused":
      return `Not sent. ${state.reason}`;
    case "failed":
      return state.reason;
    case "cancelled":
      return "Cancelled.";
  }
}

function sentenceOfSending(
  state: Extract<UploadState, { kind: "sending" }>,
  sizeBytes: number | null,
): string {
  if (sizeBytes === null) return "Submitting …";
  if (!state.isOnline) return "The network is away. The upload goes on by itself when it is back.";
  const resumed = state.resumedBytes ? `, ${formatBytes(state.resumedBytes)} of it earlier` : "";
  const percent = Math.floor((100 * state.sentBytes) / Math.max(1, sizeBytes));
  return `${percent} % of ${formatBytes(sizeBytes)}${resumed}`;
}
