/** Text as Python takes it apart and writes it. */
import { Decimal, type Json } from "./lossless_json";
import { floatText } from "./numbers";

// biome-ignore lint/suspicious/noControlCharactersInRegex: str.splitlines splits at these
const LINE_ENDS = /\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: str.split does
const SPACES = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** The lines of a text that are not empty, each with single spaces. */
export function linesOf(text: string): string[] {
  return text
    .split(LINE_ENDS)
    .map((line) => line.split(SPACES).filter(Boolean).join(" "))
    .filter(Boolean);
}

/** By code points; JavaScript's own order is by UTF-16 units, where "😀" comes before "～". */
export function compareTexts(one: string, other: string): number {
  const [first, second] = [[...one], [...other]];
  for (let place = 0; place < Math.min(first.length, second.length); place += 1) {
    const difference = (first[place]?.codePointAt(0) ?? 0) - (second[place]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return first.length - second.length;
}

/** One line of JSON with sorted keys. */
export function jsonOf(value: Json): string {
  if (value instanceof Decimal) return floatText(value.value);
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const names = Object.keys(value).sort(compareTexts);
  return `{${names.map((name) => `${JSON.stringify(name)}:${jsonOf(value[name] ?? null)}`).join(",")}}`;
}

/** For the text of an element. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** For the value of an attribute. */
export function escapedValue(text: string): string {
  return escaped(text).replaceAll('"', "&quot;").replaceAll("'", "&#x27;");
}
