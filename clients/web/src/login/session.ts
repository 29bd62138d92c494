import { type ReadonlySignal, signal } from "@preact/signals";
import {
  ErrorResponse,
  InMemoryWebStorage,
  type User,
  UserManager,
  WebStorageStateStore,
} from "oidc-client-ts";
import type { Tokens } from "../api/client";
import { ApiError, sentenceOf } from "../api/errors";
import type { Login as LoginConfig } from "../config";
import type { Login, LoginState } from "./login";

const LOGGED_OUT = "video-jobs-logged-out";
const ANSWER_MS = 10_000;
const NOT_RENEWED = "Your login could not be renewed, because no answer came; is the network there?";

/** What comes back after the login. */
interface Kept {
  hash: string;
}

/**
 * A login by OpenID Connect: authorization code with PKCE.
 *
 * Tokens are kept in memory only, so after a reload one logs in again. The part of the address behind `#` travels
 * in the state of the login, and comes back with it.
 */
class Session implements Login {
  readonly tokens: Tokens = {
    current: () => this.#user?.access_token ?? null,
    renew: () => this.#renew(),
  };
  readonly #state = signal<LoginState>({ kind: "out", reason: "" });
  readonly #manager: UserManager;
  readonly #page = new URL("./", location.href).href;
  #user: User | null = null;
  #renewing: Promise<boolean> | null = null;

  constructor(private readonly config: LoginConfig) {
    this.#manager = new UserManager({
      authority: config.authority,
      client_id: config.client_id,
      scope: config.scope,
      redirect_uri: this.#page,
      post_logout_redirect_uri: this.#page,
      userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
      stateStore: new WebStorageStateStore({ store: sessionStorage }),
      requestTimeoutInSeconds: ANSWER_MS / 1000,
      automaticSilentRenew: false, // done here, and only by a refresh token: the page allows no frames
    });
    const renew = () => void this.#renew().catch(() => {}); // the next event or call tries it again
    this.#manager.events.addAccessTokenExpiring(renew);
    this.#manager.events.addAccessTokenExpired(renew);
  }

  get state(): ReadonlySignal<LoginState> {
    return this.#state;
  }

  /** Take the answer of the login page, if there is one; otherwise go there. */
  async open(): Promise<void> {
    const parameters = new URLSearchParams(location.search);
    if (parameters.has("state")) return this.#takeAnswer();
    if (sessionStorage.getItem(LOGGED_OUT)) {
      sessionStorage.removeItem(LOGGED_OUT);
      this.#state.value = { kind: "out", reason: "You are logged out." };
      return;
    }
    await this.logIn();
  }

  async logIn(): Promise<void> {
    const { kind } = this.#state.peek();
    try {
      if (kind === "ended") await this.#askIssuer();
      await this.#manager.signinRedirect({ state: { hash: location.hash } satisfies Kept });
    } catch (error) {
      const reason = `The login page cannot be opened. ${sentenceOf(error)}`;
      if (kind !== "in") this.#state.value = { kind, reason };
    }
  }

  /** The page that is open would be lost if the browser went to an address that does not answer. */
  async #askIssuer(): Promise<void> {
    const url = `${this.config.authority.replace(/\/$/, "")}/.well-known/openid-configuration`;
    await fetch(url, { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(ANSWER_MS) });
  }

  async logOut(): Promise<void> {
    // not every issuer can; Cognito refuses access tokens, and the first refusal would end it
    await this.#manager.revokeTokens(["refresh_token"]).catch(() => {});
    this.#user = null;
    this.#state.value = { kind: "out", reason: "You are logged out." };
    sessionStorage.setItem(LOGGED_OUT, "yes");
    const { logout_url: logoutUrl, client_id: clientId } = this.config;
    if (logoutUrl) {
      await this.#manager.removeUser();
      location.assign(`${logoutUrl}?${new URLSearchParams({ client_id: clientId, logout_uri: this.#page })}`);
      return;
    }
    const ended = this.#manager.signoutRedirect();
    await ended.catch(() => sessionStorage.removeItem(LOGGED_OUT)); // the issuer has no such page
  }

  async #takeAnswer(): Promise<void> {
    let kept: unknown;
    try {
      const user = await this.#manager.signinRedirectCallback();
      kept = user.state;
      this.#isIn(user);
    } catch (error) {
      kept = error instanceof ErrorResponse ? error.state : null;
      this.#state.value = { kind: "out", reason: reasonOf(error) };
    }
    const hash = (kept as Kept | null)?.hash ?? "";
    history.replaceState(null, "", location.pathname + hash); // a reload must not send the code again
  }

  #isIn(user: User): void {
    this.#user = user;
    const { name, email, sub } = user.profile ?? {};
    this.#state.value = { kind: "in", who: name ?? email ?? sub ?? "" };
  }

  #renew(): Promise<boolean> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #renewOnce(): Promise<boolean> {
    try {
      // the user may log out while it runs
      const user = this.#user?.refresh_token ? await this.#manager.signinSilent() : null;
      if (user && this.#user) {
        this.#isIn(user);
        return true;
      }
    } catch (error) {
      if (!(error instanceof ErrorResponse)) throw new ApiError(0, "unreachable", NOT_RENEWED);
    }
    if (this.#state.value.kind === "in") this.#state.value = { kind: "ended", reason: "" };
    return false;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof ErrorResponse && error.error === "access_denied") {
    return "The login was refused.";
  }
  return `The login did not succeed; try it again. (${sentenceOf(error)})`;
}

export async function openSession(config: LoginConfig): Promise<Login> {
  const session = new Session(config);
  await session.open();
  return session;
}
