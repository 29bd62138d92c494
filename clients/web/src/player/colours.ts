/** Colours of classes: far from each other, and clear on most pictures and on both grounds of the page. */
const COLOURS = [
  "#ff8c1a",
  "#2fb4ff",
  "#ff5fa2",
  "#3ddc84",
  "#ffd21f",
  "#b98cff",
  "#ff6b5e",
  "#25d9d0",
  "#c8e02e",
  "#f58fe8",
  "#8ab4ff",
  "#e0a060",
] as const;

export const TEXT_COLOUR = "#ffffff";

/** Black is readable on each of them. */
export function colourOf(classId: number): string {
  return COLOURS[classId % COLOURS.length] ?? COLOURS[0];
}
