import tables from "./door_tables.json";

/**
 * Whether the service will take a file, by its first bytes: the rules of
 * `layers/common/python/video_jobs/domain/mp4.py`, with its tables (`make docs` writes them).
 * A test compares the answers.
 */

export const HEAD_BYTES = tables.headBytes;

const FILE_TYPE_BOXES = new Set(tables.fileTypeBoxes.map(fromHex));
const MEDIA_BOXES = new Set(tables.mediaBoxes.map(fromHex));
const OTHER_BOXES = new Set(tables.otherBoxes.map(fromHex));
const KNOWN_BOXES = new Set([
  ...FILE_TYPE_BOXES,
  ...MEDIA_BOXES,
  ...OTHER_BOXES,
  ...tables.paddingBoxes.map(fromHex),
]);
const FOREIGN_BRANDS = byText(tables.brands);
const RIFF = byText(tables.riff);
const TEXT_STARTS = byText(tables.textStarts);
const STARTS = Object.entries(tables.starts).map(([name, starts]) => [name, starts.map(fromHex)] as const);
const START_LIKE_WORDS = new Set(tables.startLikeWords);

const SIZE_TO_THE_END = 0n;
const SIZE_FOLLOWS = 1n;
const LARGEST_FILE_TYPE = 1n << 20n;
const LARGEST_UNKNOWN = 1n << 24n;
const LARGEST = 1n << 63n;
const NO_BOXES = "it does not start with the boxes of an MP4 or MOV";
const TEXT_CONTROLS = new Set([9, 10, 11, 12, 13, 0x1b]);
const TS_PACKET_BYTES = [188, 192, 204];

interface Box {
  kind: string;
  start: number;
  header: number;
  /** Null if it goes on to the end of the file. */
  size: bigint | null;
}

/** Why the service would refuse the file, as a sentence; null if it will take it. */
export function refusalOf(bytes: Uint8Array): string | null {
  const reason = whyNotMp4(textOf(bytes.subarray(0, HEAD_BYTES)));
  return reason === null ? null : `Invalid MP4 file: ${reason}; ${tables.remedy}`;
}

/** One character for each byte, so that text can be compared with text. */
function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function fromHex(digits: string): string {
  return (digits.match(/../g) ?? []).map((pair) => String.fromCharCode(Number.parseInt(pair, 16))).join("");
}

function byText(byHex: Record<string, string>): Map<string, string> {
  return new Map(Object.entries(byHex).map(([digits, name]) => [fromHex(digits), name]));
}

function whyNotMp4(head: string): string | null {
  if (head === "") return "it is empty";
  if (!KNOWN_BOXES.has(head.slice(4, 8)) || isPlainText(head)) {
    const foreign = nameOfForeignFile(head);
    if (foreign !== null) return `it is ${foreign}`;
  }
  return whyNotBoxes(head);
}

function whyNotBoxes(head: string): string | null {
  let at = 0;
  let hasMedia = false;
  for (let box = boxAt(head, at); box !== null; box = boxAt(head, at)) {
    const broken = whyBroken(box);
    if (broken !== null) return hasMedia ? null : broken;
    if (FILE_TYPE_BOXES.has(box.kind)) return whyNotFileType(box, head);
    hasMedia ||= MEDIA_BOXES.has(box.kind);
    const end = box.size === null ? head.length + 1 : BigInt(at) + box.size;
    at = end > head.length ? head.length + 1 : Number(end);
  }
  if (hasMedia || at > head.length || head.length >= HEAD_BYTES) return null;
  return at ? "it ends before any video begins" : NO_BOXES;
}

function boxAt(head: string, at: number): Box | null {
  const first = number(head.slice(at, at + 4));
  const header = first === SIZE_FOLLOWS ? 16 : 8;
  if (at + header > head.length) return null;
  const size = first === SIZE_FOLLOWS ? number(head.slice(at + 8, at + 16)) : first;
  return {
    kind: head.slice(at + 4, at + 8),
    start: at,
    header,
    size: first === SIZE_TO_THE_END ? null : size,
  };
}

function number(bytes: string): bigint {
  let value = 0n;
  for (let at = 0; at < bytes.length; at += 1) value = value * 256n + BigInt(bytes.charCodeAt(at));
  return value;
}

function whyBroken(box: Box): string | null {
  if (!/^[\x20-\x7e]{4}$/.test(box.kind)) {
    return box.start ? "its first boxes are followed by something else" : NO_BOXES;
  }
  if (box.size !== null && (box.size < box.header || box.size >= LARGEST)) return brokenSize(box, box.size);
  if (MEDIA_BOXES.has(box.kind) || OTHER_BOXES.has(box.kind)) return null;
  if (box.size === null) return `its ${nameOf(box)} has no size, so no video can follow it`;
  return !KNOWN_BOXES.has(box.kind) && box.size > LARGEST_UNKNOWN ? NO_BOXES : null;
}

function whyNotFileType(box: Box, head: string): string | null {
  const size = box.size ?? 0n;
  const inside = size - BigInt(box.header);
  if (inside < 8n || inside >= LARGEST_FILE_TYPE) return brokenSize(box, size);
  const end = box.start + Number(size);
  if (end > head.length && head.length < HEAD_BYTES) return `it is cut off inside its ${nameOf(box)}`;
  const content = head.slice(box.start + box.header, end);
  const compatible = new Set<string>();
  for (let at = 8; at < content.length - 3; at += 4) compatible.add(content.slice(at, at + 4));
  compatible.delete("\0\0\0\0");
  return whyNotBrands(content.slice(0, 4), [...compatible].sort());
}

/** The major brand tells, unless all compatible ones are those of something else. */
function whyNotBrands(major: string, compatible: string[]): string | null {
  const allForeign = compatible.length > 0 && compatible.every((brand) => FOREIGN_BRANDS.has(brand));
  if (!FOREIGN_BRANDS.has(major) && !allForeign) return null;
  const brand = [major, ...compatible].find((one) => FOREIGN_BRANDS.has(one)) ?? major;
  return `it is ${FOREIGN_BRANDS.get(brand)} (brand '${brand}')`;
}

function nameOf(box: Box): string {
  return `'${box.kind}' box`;
}

function brokenSize(box: Box, size: bigint): string {
  return `its ${nameOf(box)} is broken: it cannot have ${size} bytes`;
}

function nameOfForeignFile(head: string): string | null {
  if (["RIFF", "RIFX", "RF64", "BW64"].includes(head.slice(0, 4))) {
    return RIFF.get(head.slice(8, 12)) ?? "a RIFF file";
  }
  const isPlain = isPlainText(head);
  for (const [name, starts] of STARTS) {
    const isIt = starts.some((start) => head.startsWith(start));
    if (isIt && !(isPlain && START_LIKE_WORDS.has(name))) return name;
  }
  if (head.startsWith("--") && head.slice(0, 1024).toLowerCase().includes("content-disposition")) {
    return "a form that was sent as a video";
  }
  if (isText(head)) return nameOfText(head);
  if (isTransportStream(head)) return "an MPEG transport stream (TS or M2TS)";
  return head.slice(257, 262) === "ustar" ? "a TAR archive" : null;
}

/** No byte is one of the control characters that no text has. */
function isText(head: string): boolean {
  return everyCode(head, (code) => code >= 0x20 || TEXT_CONTROLS.has(code));
}

function isPlainText(head: string): boolean {
  return isText(head) && everyCode(head, (code) => code < 0x80);
}

function everyCode(head: string, is: (code: number) => boolean): boolean {
  for (let at = 0; at < head.length; at += 1) if (!is(head.charCodeAt(at))) return false;
  return true;
}

function nameOfText(head: string): string {
  let start = head
    .replace(/^\xef\xbb\xbf/, "")
    .replace(/^[\t-\r ]+/, "")
    .toLowerCase();
  if (start.startsWith("<?xml")) {
    const end = start.indexOf("?>");
    const after = end < 0 ? "" : start.slice(end + 2).replace(/^[\t-\r ]+/, "");
    start = after || start;
  }
  for (const [mark, name] of TEXT_STARTS) if (start.startsWith(mark)) return name;
  return "a text";
}

/** Whether every packet begins with the sync byte; the first packet may be cut off. */
function isTransportStream(head: string): boolean {
  return TS_PACKET_BYTES.some((size) => {
    if (head.length < 2 * size) return false;
    for (let start = 0; start < size; start += 1) {
      let at = start;
      while (at < head.length && head[at] === "G") at += size;
      if (at >= head.length) return true;
    }
    return false;
  });
}
