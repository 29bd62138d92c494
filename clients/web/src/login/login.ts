import type { ReadonlySignal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Tokens } from "../api/client";

export type LoginState =
  | { kind: "in"; who: string }
  /** Not yet or not any more logged in; `reason` is a sentence, or empty. */
  | { kind: "out"; reason: string }
  /** It has ended while a page was open, which stays as it is; `reason` says why a new one failed, or is empty. */
  | { kind: "ended"; reason: string };

/** The login of the user; the page that is open comes back after it. */
export interface Login {
  readonly tokens: Tokens;
  readonly state: ReadonlySignal<LoginState>;
  logIn(): Promise<void>;
  logOut(): Promise<void>;
}

export const LoginContext = createContext<Login | null>(null);

/** Null if the service asks for no login. */
export function useLogin(): Login | null {
  return useContext(LoginContext);
}
