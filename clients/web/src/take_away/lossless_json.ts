/**
 * JSON that remembers which numbers were written with a point.
 *
 * The exports are byte for byte those of the Python package, which writes 1.0 as "1.0" and 1 as "1";
 * `JSON.parse` makes the same number of both.
 */

/** A number that was written with a point or an exponent. */
export class Decimal {
  constructor(readonly value: number) {}
}

export type Json = null | boolean | string | number | Decimal | Json[] | { [name: string]: Json };

const NUMBER = /-?\d+(\.\d+)?([eE][-+]?\d+)?/y;
const SPACE = /[ \t\r\n]*/y;
const PLAIN_TEXT = /"[^"\\]*"/y;
const ANY_TEXT = /"(?:[^"\\]|\\.)*"/y;

/** Throws a `SyntaxError` if it is no JSON. */
export function parseLossless(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value();
  if (reader.next() !== "") throw new SyntaxError("There is more than one value");
  return value;
}

class Reader {
  #at = 0;

  constructor(readonly text: string) {}

  /** The next character that is no space; it is not taken. */
  next(): string {
    this.#match(SPACE);
    return this.text.charAt(this.#at);
  }

  value(): Json {
    switch (this.next()) {
      case "{":
        return this.#object();
      case "[":
        return this.#list();
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(): Json {
    const object: { [name: string]: Json } = {};
    for (const _ of this.#items("{", "}")) {
      const name = this.next() === '"' ? this.#string() : this.#fail();
      this.#take(":");
      object[name] = this.value();
    }
    return object;
  }

  #list(): Json {
    const list: Json[] = [];
    for (const _ of this.#items("[", "]")) list.push(this.value());
    return list;
  }

  *#items(start: string, end: string): Generator<void> {
    this.#take(start);
    if (this.next() === end) {
      this.#take(end);
      return;
    }
    for (;;) {
      yield;
      if (this.next() === end) break;
      this.#take(",");
    }
    this.#take(end);
  }

  #string(): string {
    const plain = this.#match(PLAIN_TEXT);
    if (plain) return plain.slice(1, -1);
    const quoted = this.#match(ANY_TEXT) ?? this.#fail();
    return JSON.parse(quoted) as string;
  }

  #number(): number | Decimal {
    const written = this.#match(NUMBER) ?? this.#fail();
    const value = Number(written);
    return /[.eE]/.test(written) ? new Decimal(value) : value;
  }

  #word<T extends Json>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.#at)) this.#fail();
    this.#at += word.length;
    return value;
  }

  #take(sign: string): void {
    if (this.next() !== sign) this.#fail();
    this.#at += 1;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0] ?? null;
    if (found !== null) this.#at += found.length;
    return found;
  }

  #fail(): never {
    throw new SyntaxError(`This is no JSON at character ${this.#at}`);
  }
}
