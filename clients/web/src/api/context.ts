import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Api } from "./client";

export const ApiContext = createContext<Api | null>(null);

/** The API that the page was opened with. */
export function useApi(): Api {
  const api = useContext(ApiContext);
  if (!api) throw new Error("useApi outside of ApiContext");
  return api;
}
