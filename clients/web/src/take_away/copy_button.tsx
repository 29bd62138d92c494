import { useState } from "preact/hooks";

/** Puts a text on the clipboard, and says whether that worked. */
export function CopyButton({
  text,
  label,
  children,
}: {
  text: string | (() => string);
  label?: string;
  children?: string;
}) {
  const [said, setSaid] = useState<string | null>(null);
  const copy = async () => {
    const copied = typeof text === "string" ? text : text();
    try {
      await navigator.clipboard.writeText(copied);
      setSaid("Copied");
      setTimeout(() => setSaid(null), 2000);
    } catch {
      // without HTTPS, or if the browser forbids it
      window.prompt("Copy this:", copied);
    }
  };
  return (
    <>
      <button type="button" class="copy" onClick={copy} aria-label={said ? undefined : label}>
        {said ?? children ?? "Copy"}
      </button>
      <span class="hidden-text" role="status">
        {said}
      </span>
    </>
  );
}
