import { expect, test } from "vitest";
import { arrayOf, decodeBlock } from "../src/server/block";
import golden from "./golden/block.json";

const bytes = (base64: string): ArrayBuffer =>
  Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer;

const asNumber = (value: number | string): number =>
  typeof value === "number" ? value : Number(value.replace("Inf", "Infinity"));

test("a block that Python wrote reads the same here", () => {
  const block = decodeBlock(bytes(golden.base64));
  expect(block.header).toMatchObject(golden.header);
  for (const [name, values] of Object.entries(golden.arrays)) {
    expect([...arrayOf(block, name)], name).toEqual(values.map(asNumber));
  }
});

test("bytes that are not a block are refused", () => {
  expect(() => decodeBlock(new ArrayBuffer(64))).toThrow('a block starts with "TBSN"');
  expect(() => decodeBlock(new ArrayBuffer(0))).toThrow('a block starts with "TBSN"');
});

test("a block that is cut short is refused", () => {
  const whole = bytes(golden.base64);
  expect(() => decodeBlock(whole.slice(0, whole.byteLength - 40))).toThrow(/needs \d+ bytes/);
  expect(() => decodeBlock(whole.slice(0, 20))).toThrow(/the header of a block ends at byte/);
});

test("a block of another version is refused, with what to do", () => {
  const text = atob(golden.base64).replace('"version":2', '"version":3');
  expect(() => decodeBlock(bytes(btoa(text)))).toThrow(/version 2, got 3; reload the page/);
});

test("an array that is not there is named", () => {
  expect(() => arrayOf(decodeBlock(bytes(golden.base64)), "median")).toThrow('no array "median"');
});
