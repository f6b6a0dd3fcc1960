import { expect, test } from "vitest";
import { PLAIN } from "../src/model/answers";
import { layerNorms, normWords } from "../src/model/norms";
import { formatNorm, nextQuantity, settleQuantity, titleOf } from "../src/model/quantity";
import { tableUrl, viewQuery } from "../src/server/api";
import { run } from "./examples";

const all = { ...run("all"), quantities: ["gradient", "update", "ratio", "weight"] as const };
const plain = run("plain");
const scalars = run("scalars", false);

test("what was chosen is heard where a run has it, else the first that one has", () => {
  expect(settleQuantity([plain, all], "ratio")).toBe("ratio");
  expect(settleQuantity([plain, scalars], "ratio")).toBe("gradient");
  expect(settleQuantity([{ ...plain, quantities: ["update"] }], "gradient")).toBe("update");
  expect(settleQuantity([], "update")).toBe("gradient");
});

test("one key goes through the quantities that a run has, and round again", () => {
  expect(nextQuantity([plain, all], "gradient")).toBe("update");
  expect(nextQuantity([all], "update")).toBe("ratio");
  expect(nextQuantity([all], "weight")).toBe("gradient");
  expect(nextQuantity([plain], "gradient")).toBeNull();
  expect(nextQuantity([scalars], "gradient")).toBeNull();
});

test("small ratios have a power of ten, all other values are as elsewhere", () => {
  const ratios = [0.0012, 0.001234, 0.05, 0.1234, 2, 0, Number.NaN, Number.POSITIVE_INFINITY];
  expect(ratios.map((value) => formatNorm(value, "ratio"))).toEqual([
    "1.2e−3",
    "1.23e−3",
    "5e−2",
    "0.1234",
    "2",
    "0",
    "NaN",
    "Inf",
  ]);
  expect(formatNorm(0.0012, "update")).toBe("0.0012");
});

test("a ratio of 0.001 is in the middle of its scale, as a norm of 1 is of its own", () => {
  const table = { firstNote: 0, notes: 1, layers: ["fc", "frozen"], nan: [0, 0], inf: [0, 0] };
  const at = (value: number) => ({ ...table, median: [value, -1], max: [value, -1] });
  const [ratio, none] = layerNorms(at(1e-3), 0, "ratio");
  expect(ratio?.level).toBeCloseTo(0.5);
  expect(ratio?.text).toBe("1e−3");
  expect(none?.text).toBe("no ratio");
  expect(layerNorms(at(1), 0, "weight")[0]?.level).toBeCloseTo(0.5);
  expect(layerNorms(at(1e-12), 0, "ratio")[0]?.level).toBe(0);
  expect(normWords(-1, "update")).toBe("no update");
});

test("gradients are asked for as ever, other quantities by name, a scalar by its tag", () => {
  const view = { run: "a", scalar: null, along: null, rows: null, together: 1, speed: PLAIN.speed };
  const scalar = { tag: "loss", beside: null, scale: { kind: "log", low: 1, high: 2 } } as const;
  expect(viewQuery({ ...view, quantity: "gradient" })).toBe("run=a");
  expect(viewQuery({ ...view, quantity: "ratio" })).toBe("run=a&quantity=ratio");
  expect(viewQuery({ ...view, quantity: "ratio", scalar })).not.toContain("quantity");
  expect(tableUrl("a", "update", "loss", 0, 9)).toBe(
    "./table?run=a&quantity=update&tag=loss&from=0&to=9",
  );
});

test("titles name what is measured", () => {
  expect(titleOf("ratio")).toBe("Update / weight ratios");
  expect(titleOf("gradient")).toBe("Gradient norms");
});
