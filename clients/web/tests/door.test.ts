import { expect, it } from "vitest";
import { refusalOf } from "../src/upload/door";
import cases from "./door_cases.json";

it("says of each file what the service says", () => {
  expect(cases.length).toBeGreaterThan(200);
  const told = cases.map(({ head }) => ({ head, refusal: refusalOf(bytesOf(head)) }));
  expect(told).toEqual(cases);
});

function bytesOf(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
