import { signal } from "@preact/signals";

/** Whether the browser believes to have a network. */
export const networkIsThere = signal(navigator.onLine);

for (const name of ["online", "offline"]) {
  window.addEventListener(name, () => {
    networkIsThere.value = navigator.onLine;
  });
}
