export type Action =
  | { kind: "toggle" }
  | { kind: "step"; direction: 1 | -1 }
  | { kind: "skip"; seconds: number }
  | { kind: "moment"; direction: 1 | -1 }
  | { kind: "edge"; end: boolean }
  | { kind: "zoom"; factor: number };

export interface Key {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/** What the keys do, for the help. */
export const KEYS: [string, string][] = [
  [", and .", "one analysed frame back or on"],
  ["Space", "play or pause"],
  ["← and →", "one second back or on; with Shift, ten"],
  ["Home and End", "the start or the end"],
  ["n and p", "the next or previous moment that was found"],
  ["+ and -", "zoom the timeline"],
];

const FIELDS = new Set(["INPUT", "SELECT", "TEXTAREA"]);
const PRESSED_BY_SPACE = new Set(["BUTTON", "A", "SUMMARY"]);

/** What a key means; null where it belongs to the element that has the focus. */
export function actionOf(pressed: Key, tagName: string, isCheckbox = false): Action | null {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey) return null;
  if (FIELDS.has(tagName) && !isCheckbox) return null;
  if (pressed.key === " ") {
    return PRESSED_BY_SPACE.has(tagName) || isCheckbox ? null : { kind: "toggle" };
  }
  return ofKey(pressed);
}

function ofKey({ key, shiftKey }: Key): Action | null {
  const seconds = shiftKey ? 10 : 1;
  switch (key) {
    case ",":
    case "<":
      return { kind: "step", direction: -1 };
    case ".":
    case ">":
      return { kind: "step", direction: 1 };
    case "ArrowLeft":
      return { kind: "skip", seconds: -seconds };
    case "ArrowRight":
      return { kind: "skip", seconds };
    case "Home":
      return { kind: "edge", end: false };
    case "End":
      return { kind: "edge", end: true };
    case "n":
      return { kind: "moment", direction: 1 };
    case "p":
      return { kind: "moment", direction: -1 };
    case "+":
    case "=":
      return { kind: "zoom", factor: 0.5 };
    case "-":
      return { kind: "zoom", factor: 2 };
    default:
      return null;
  }
}
