import { type ReadonlySignal, signal } from "@preact/signals";

/** The pages, as the part of the address behind `#` names them: a link to one can be sent to others. */
export type Route = { page: "jobs" } | { page: "upload" } | JobRoute;

export interface JobRoute {
  page: "job";
  jobId: string;
  /** In milliseconds from the first picture of the video; null for its start. */
  moment: number | null;
}

export function parseRoute(hash: string): Route {
  const parameters = new URLSearchParams(hash.replace(/^#/, ""));
  const jobId = parameters.get("job");
  if (jobId) {
    const moment = Number.parseFloat(parameters.get("t") ?? "");
    return { page: "job", jobId, moment: Number.isFinite(moment) && moment >= 0 ? moment : null };
  }
  return parameters.has("upload") ? { page: "upload" } : { page: "jobs" };
}

export function hashOf(route: Route): string {
  if (route.page !== "job") return `#${route.page}`;
  const moment = route.moment === null ? "" : `&t=${route.moment}`;
  return `#job=${encodeURIComponent(route.jobId)}${moment}`;
}

const current = signal<Route>(parseRoute(""));

/** The page that the address names. */
export const route: ReadonlySignal<Route> = current;

export function followAddress(): void {
  const read = () => {
    current.value = parseRoute(location.hash);
  };
  window.addEventListener("hashchange", read);
  read();
}

export function goTo(next: Route): void {
  location.hash = hashOf(next);
}

/** Change the moment in the address of the page that is open, without an entry in the history. */
export function replaceMoment(jobId: string, moment: number | null): void {
  history.replaceState(null, "", hashOf({ page: "job", jobId, moment }));
}
