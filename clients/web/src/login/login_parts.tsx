import { type Login, useLogin } from "./login";

/** Who is logged in, and the way out. */
export function LoginCorner() {
  const login = useLogin();
  const state = login?.state.value;
  if (!login || state?.kind !== "in") return null;
  return (
    <div class="row login">
      <span class="muted">{state.who}</span>
      <button type="button" onClick={() => void login.logOut()}>
        Log out
      </button>
    </div>
  );
}

/** Says that the login has ended; what is on the page stays. */
export function LoginEnded() {
  const login = useLogin();
  const state = login?.state.value;
  if (!login || state?.kind !== "ended") return null;
  return (
    <div class="problem row between ended" role="alert">
      <span>Your login has ended. {state.reason || "After a new one, you come back to this page."}</span>
      <LogInButton login={login} />
    </div>
  );
}

export function LoginPage({ login, reason }: { login: Login; reason: string }) {
  return (
    <main id="main" tabIndex={-1} class="login-page">
      <div class="card">
        <h1>Video Jobs</h1>
        <p role="status">{reason || "Going to the login page …"}</p>
        <LogInButton login={login} />
      </div>
    </main>
  );
}

function LogInButton({ login }: { login: Login }) {
  return (
    <button type="button" class="primary" onClick={() => void login.logIn()}>
      Log in
    </button>
  );
}
