import { useEffect, useRef } from "preact/hooks";
import { JobsPage } from "./jobs/jobs_page";
import { useLogin } from "./login/login";
import { LoginCorner, LoginEnded, LoginPage } from "./login/login_parts";
import "./login/login.css";
import { JobPage } from "./player/job_page";
import { hashOf, type Route, route } from "./routes";
import { UploadPage } from "./upload/upload_page";

const PAGES: { name: string; to: Route }[] = [
  { name: "Jobs", to: { page: "jobs" } },
  { name: "Upload", to: { page: "upload" } },
];

const TITLES = { jobs: "Jobs", upload: "Upload", job: "Job" };

export function App() {
  const open = route.value;
  usePageChange(open);
  const login = useLogin();
  const state = login?.state.value;
  if (login && state?.kind === "out") return <LoginPage login={login} reason={state.reason} />;
  return (
    <>
      <button type="button" class="skip" onClick={skipToMain}>
        Skip to the content
      </button>
      <header class="bar">
        <a class="brand" href="#jobs">
          Video Jobs
        </a>
        <nav aria-label="Pages">
          {PAGES.map(({ name, to }) => (
            <a key={name} href={hashOf(to)} aria-current={to.page === open.page ? "page" : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <LoginCorner />
      </header>
      <LoginEnded />
      <main id="main" tabIndex={-1}>
        <Page open={open} />
      </main>
    </>
  );
}

function Page({ open }: { open: Route }) {
  switch (open.page) {
    case "job":
      return <JobPage key={open.jobId} link={open} />;
    case "upload":
      return <UploadPage />;
    default:
      return <JobsPage />;
  }
}

/** Names the page in the title, and lets screen readers and the Tab key begin at its content. */
function usePageChange(open: Route): void {
  const isFirst = useRef(true);
  const shown = open.page === "job" ? open.jobId : open.page;
  useEffect(() => {
    document.title = `${TITLES[open.page]} – Video Jobs`;
    if (!isFirst.current) document.getElementById("main")?.focus();
    isFirst.current = false;
  }, [shown]);
}

function skipToMain() {
  document.getElementById("main")?.focus();
}
