import { expect, test } from "vitest";
import { CARD, coloursOf, PALETTE } from "../src/model/colours";
import { settlePreset, settleShown, settleSides, settleTag, tagsOf } from "../src/model/runs";
import { preset, run } from "./examples";

const none = { a: null, b: null };

test("the first two runs that can be heard are compared", () => {
  const runs = [run("1", false), run("2"), run("3", false), run("4")];
  expect(settleSides(runs, none)).toEqual({ a: "2", b: "4" });
});

test("those that differ most come first, as the server says", () => {
  const runs = [run("1"), { ...run("2"), compared: "b" }, { ...run("3"), compared: "a" }] as const;
  expect(settleSides(runs, none)).toEqual({ a: "3", b: "2" });
  expect(settleSides(runs, { a: "1", b: null })).toEqual({ a: "1", b: "3" });
  expect(settleSides(runs, { a: null, b: "3" })).toEqual({ a: "2", b: "3" });
});

test("runs without norms are drawn where there are no others", () => {
  expect(settleSides([run("1", false), run("2", false)], none)).toEqual({ a: "1", b: "2" });
  expect(settleSides([run("1")], none)).toEqual({ a: "1", b: null });
  expect(settleSides([], none)).toEqual(none);
});

test("a choice stays when runs come, and is replaced only where its run is gone", () => {
  const chosen = { a: "b", b: "c" };
  expect(settleSides([run("a"), run("b"), run("c")], chosen)).toEqual(chosen);
  expect(settleSides([run("a"), run("c")], chosen)).toEqual({ a: "a", b: "c" });
  expect(settleSides([run("b")], { a: "a", b: "b" })).toEqual({ a: "b", b: null });
  expect(settleSides([run("b")], { a: "b", b: "b" })).toEqual({ a: "b", b: null });
  expect(settleSides([run("a"), run("b")], { a: "b", b: "b" })).toEqual({ a: "b", b: "a" });
});

test("the tag that was chosen holds where a run has it, else the suggestion of the first", () => {
  const signals = [
    { scalars: ["acc", "loss"], loss: "loss", pairs: [] },
    { scalars: ["lr", "loss"], loss: "loss", pairs: [] },
  ];
  expect(tagsOf(signals)).toEqual(["acc", "loss", "lr"]);
  expect(settleTag(signals, "lr")).toBe("lr");
  expect(settleTag(signals, "gone")).toBe("loss");
  expect(settleTag([{ scalars: [], loss: null, pairs: [] }], "lr")).toBeNull();
});

test("of many runs five are drawn, and A and B are always among them", () => {
  const many = Array.from({ length: 50 }, (_, index) => `run ${index}`);
  const sides = { a: "run 30", b: "run 49" };
  expect(settleShown(many, sides, null)).toEqual(["run 0", "run 1", "run 2", "run 30", "run 49"]);
  expect(settleShown(many, sides, new Set())).toEqual(["run 30", "run 49"]);
  expect(settleShown(many, sides, new Set(many))).toEqual(many);
  expect(settleShown(many, sides, new Set(["run 7", "gone"]))).toHaveLength(3);
  expect(settleShown(["x"], { a: "x", b: null }, null)).toEqual(["x"]);
});

test("the first preset is the default", () => {
  const presets = [preset(), preset({ name: "classic" })];
  expect(settlePreset(presets, null)?.name).toBe("smooth");
  expect(settlePreset(presets, "classic")?.name).toBe("classic");
  expect(settlePreset(presets, "gone")?.name).toBe("smooth");
  expect(settlePreset([], null)).toBeNull();
});

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

test.each(PALETTE)("$light and $dark stand out 3:1 from their cards", ({ light, dark }) => {
  expect(contrast(light, CARD.light)).toBeGreaterThanOrEqual(3);
  expect(contrast(dark, CARD.dark)).toBeGreaterThanOrEqual(3);
});

test("runs get their colours in the order in which they were started", () => {
  const colours = coloursOf([run("late", true, 20), run("early", true, 10), run("unknown")]);
  expect(["early", "late", "unknown"].map((name) => colours.get(name))).toEqual(
    PALETTE.slice(0, 3),
  );
});
