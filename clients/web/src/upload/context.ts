import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Uploads } from "./uploads";

export const UploadsContext = createContext<Uploads | null>(null);

export function useUploads(): Uploads {
  const uploads = useContext(UploadsContext);
  if (!uploads) throw new Error("useUploads outside of UploadsContext");
  return uploads;
}
