/** Numbers as Python writes them. */

/** `round(value, decimals)`: halves that binary fractions can express go to the even neighbour. */
export function rounded(value: number, decimals = 3): number {
  const isHalf = Math.abs((value * 2 ** (decimals + 1)) % 2) === 1;
  const result = isHalf
    ? halfToEven(value * 10 ** decimals) / 10 ** decimals
    : Number(value.toFixed(decimals));
  return result + 0; // no negative zero
}

/** `round(value)`. */
export function wholeNumber(value: number): number {
  return halfToEven(value) + 0;
}

/** Without an exponent, and without zeros at the end. */
export function plain(value: number, decimals = 3): string {
  const text = rounded(value, decimals).toFixed(decimals);
  return text.replace(/0+$/, "").replace(/\.$/, "");
}

/** `repr` of a float: the shortest digits, with an exponent below 1e-4 and from 1e16 on. */
export function floatText(value: number): string {
  const [digits = "", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    const sign = exponent < 0 ? "-" : "+";
    return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  const text = Object.is(value, -0) ? "-0" : String(value);
  return text.includes(".") ? text : `${text}.0`;
}

function halfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
