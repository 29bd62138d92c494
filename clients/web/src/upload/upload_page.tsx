import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { sentenceOf } from "../api/errors";
import type { JobOptions } from "../api/types";
import { formatBytes } from "../format";
import { useUploads } from "./context";
import { NO_OPTIONS, readOptions } from "./options";
import { OptionsForm } from "./options_form";
import { whyNotUrl } from "./source_url";
import "./upload.css";
import { UploadRow } from "./upload_row";

export function UploadPage() {
  const uploads = useUploads();
  const fields = useSignal(NO_OPTIONS);
  const problem = useSignal("");
  const { options, errors } = readOptions(fields.value);
  const isWrong = Object.keys(errors).length > 0;
  const submit = (begin: (options: JobOptions) => void) => {
    problem.value = isWrong ? "Mend the options first: one of them cannot be read." : "";
    if (!isWrong) begin(options);
  };
  return (
    <>
      <h1>Upload</h1>
      <div class="upload-page">
        <div class="upload-sources">
          <FileChooser onFiles={(files) => submit((chosen) => uploads.addFiles(files, chosen))} />
          <UrlForm onUrl={(url) => submit((chosen) => uploads.addUrl(url, chosen))} />
          <p role="alert" class={problem.value ? "problem" : ""}>
            {problem.value}
          </p>
        </div>
        <details class="card" open={window.matchMedia("(min-width: 900px)").matches}>
          <summary>
            <h2>Options</h2>
          </summary>
          <p class="muted">They hold for the files and addresses that you add from now on.</p>
          <OptionsForm fields={fields} errors={errors} />
        </details>
        <div class="upload-list">
          <Unfinished />
          <UploadList />
        </div>
      </div>
    </>
  );
}

function FileChooser({ onFiles }: { onFiles: (files: File[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const isOver = useSignal(false);
  useEffect(keepMissedDrops, []);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    isOver.value = false;
    onFiles(Array.from(event.dataTransfer?.files ?? []));
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is one more way; the button does the same
    <div
      class={isOver.value ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        isOver.value = true;
      }}
      onDragLeave={() => {
        isOver.value = false;
      }}
      onDrop={drop}
    >
      <p>Drop videos here, or</p>
      <button type="button" class="primary" onClick={() => input.current?.click()}>
        Choose videos
      </button>
      <input
        ref={input}
        id="files"
        class="hidden-text"
        type="file"
        multiple
        tabIndex={-1}
        aria-label="Videos"
        accept="video/mp4,video/quicktime,.mp4,.mov,.m4v,.3gp,.3g2"
        onChange={(event) => {
          onFiles(Array.from(event.currentTarget.files ?? []));
          event.currentTarget.value = ""; // so that the same file can be chosen again
        }}
      />
      <p class="muted">MP4, MOV and their relatives, up to 20 GB each</p>
    </div>
  );
}

/** A file that is dropped beside the field must not open in place of the page. */
function keepMissedDrops(): () => void {
  const keep = (event: DragEvent) => event.preventDefault();
  window.addEventListener("dragover", keep);
  window.addEventListener("drop", keep);
  return () => {
    window.removeEventListener("dragover", keep);
    window.removeEventListener("drop", keep);
  };
}

function UrlForm({ onUrl }: { onUrl: (url: string) => void }) {
  const url = useSignal("");
  const problem = useSignal("");
  const send = (event: Event) => {
    event.preventDefault();
    problem.value = whyNotUrl(url.value);
    if (problem.value) return;
    onUrl(url.value.trim());
    url.value = "";
  };
  return (
    <form class="field" onSubmit={send} noValidate>
      <label for="source-url">Or the address of a video</label>
      <div class="row address">
        <input
          id="source-url"
          type="url"
          placeholder="https://"
          value={url.value}
          aria-describedby="source-url-hint"
          onInput={(event) => {
            url.value = event.currentTarget.value;
          }}
        />
        <button type="submit">Submit</button>
      </div>
      <p id="source-url-hint" class={problem.value ? "hint wrong" : "hint"} role="status">
        {problem.value || "The service fetches it by itself; a signed link works, too."}
      </p>
    </form>
  );
}

function Unfinished() {
  const uploads = useUploads();
  const problem = useSignal("");
  const found = uploads.unfinished.value;
  const giveUp = (jobId: string) => {
    problem.value = "";
    uploads.giveUp(jobId).catch((error: unknown) => {
      problem.value = `The upload could not be given up: ${sentenceOf(error)}`;
    });
  };
  if (found.length === 0) return null;
  return (
    <section class="card" aria-labelledby="unfinished">
      <h2 id="unfinished">Interrupted uploads</h2>
      <p class="muted">
        Choose the same file again: the upload goes on where it ended, with its options. If you choose other
        options first, it becomes a job of its own.
      </p>
      <ul class="plain">
        {found.map(({ jobId, name, size }) => (
          <li key={jobId} class="row between">
            <span>
              {name} <span class="muted">({formatBytes(size)})</span>
            </span>
            <button type="button" onClick={() => giveUp(jobId)}>
              Give up<span class="hidden-text"> {name}</span>
            </button>
          </li>
        ))}
      </ul>
      <p role="alert" class={problem.value ? "problem" : ""}>
        {problem.value}
      </p>
    </section>
  );
}

function UploadList() {
  const uploads = useUploads();
  const items = uploads.items.value;
  if (items.length === 0) return null;
  return (
    <section aria-labelledby="uploads">
      <div class="row between">
        <h2 id="uploads">Uploads</h2>
        <button type="button" onClick={() => uploads.forgetEnded()}>
          Clear the list
        </button>
      </div>
      <ul class="plain">
        {items.map((item) => (
          <UploadRow key={item.number} item={item} />
        ))}
      </ul>
    </section>
  );
}
