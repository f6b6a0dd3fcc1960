import { expect, test } from "vitest";
import TABLE from "../src/actions/commands.ts?raw"; // itself, it needs a browser
import {
  bind as bindIn,
  boundBy as boundOf,
  capsOf,
  chordOf,
  isCharacter,
  type KeyChoice,
  type KeyPress,
  keymapOf,
  MAP_TITLES,
  type MapName,
  PLAIN_KEYS,
  readKeyChoice,
  refusal,
  SHORTCUT_SETS,
  unbind,
} from "../src/model/keys";

const ENTRY = /^ {2}(\w+): command\(\s*"\w+",\s*"[^"]+",\s*\[((?:\s*"[^"]+",?)*)\s*\]/gm;
const PLAIN_BOUND = Object.fromEntries(
  [...TABLE.matchAll(ENTRY)].map(([, name = "", keys = ""]) => [
    name,
    [...keys.matchAll(/"([^"]+)"/g)].map(([, key = ""]) => key),
  ]),
);
const COMMAND_NAMES = Object.keys(PLAIN_BOUND);

const MAPS = Object.keys(MAP_TITLES) as MapName[];

const press = (key: string, held: Partial<KeyPress> = {}, altGraph = false): KeyPress => ({
  key,
  code: "",
  ctrlKey: false,
  altKey: false,
  shiftKey: false,
  metaKey: false,
  getModifierState: (name) => altGraph && name === "AltGraph",
  ...held,
});

const boundBy = (choice: KeyChoice) => boundOf(PLAIN_BOUND, choice);
const bind = (choice: KeyChoice, name: string, chord: string) =>
  bindIn(PLAIN_BOUND, choice, name, chord);
const commandOf = (choice: KeyChoice, chord: string) => keymapOf(boundBy(choice)).get(chord);

test("the table is read", () => {
  expect(COMMAND_NAMES.length).toBe(TABLE.match(/: command\(/g)?.length);
});

test("no two commands have one key", () => {
  for (const map of MAPS) {
    const chords = COMMAND_NAMES.flatMap(
      (command) => boundBy({ ...PLAIN_KEYS, map })[command] ?? [],
    );
    expect(new Set(chords).size).toBe(chords.length);
  }
  const table = COMMAND_NAMES.flatMap((command) => PLAIN_BOUND[command] ?? []);
  expect(new Set(table).size).toBe(table.length);
});

test("every command has a key in every map", () => {
  for (const map of MAPS) {
    const bound = boundBy({ ...PLAIN_KEYS, map });
    expect(COMMAND_NAMES.filter((command) => bound[command]?.length === 0)).toEqual([]);
  }
});

test.each([
  [press("X"), "x"],
  [press("X", { shiftKey: true }), "Shift+x"],
  [press(" "), "Space"],
  [press("ArrowRight", { ctrlKey: true, shiftKey: true }), "Ctrl+Shift+ArrowRight"],
  [press("?", { shiftKey: true }), "?"],
  [press("+", { shiftKey: true }), "+"],
  [press("[", { ctrlKey: true, altKey: true }, true), "["],
  [press("ч", { code: "KeyX" }), "x"],
  [press("ü", { code: "BracketLeft" }), "ü"],
])("%o is the chord %s", (pressed, chord) => {
  expect(chordOf(pressed)).toBe(chord);
});

test.each([
  press("ArrowLeft", { altKey: true }),
  press("x", { metaKey: true }),
  press("Control", { ctrlKey: true }),
  press("Shift", { shiftKey: true }),
])("%o is left to the browser", (pressed) => {
  expect(chordOf(pressed)).toBeNull();
});

test("a chord is shown by its caps", () => {
  expect(capsOf("Ctrl+Shift+ArrowRight")).toEqual(["Ctrl", "Shift", "→"]);
  expect(capsOf("+")).toEqual(["+"]);
  expect(capsOf("Ctrl++")).toEqual(["Ctrl", "+"]);
  expect(capsOf("Control")).toEqual(["Ctrl"]);
  expect(capsOf("Shift+n")).toEqual(["Shift", "N"]);
});

test("a key that a command is given is taken from the one that had it", () => {
  const choice = bind(PLAIN_KEYS, "sayPosition", "n");
  expect(commandOf(choice, "n")).toBe("sayPosition");
  expect(commandOf(choice, "p")).toBeUndefined();
  expect(boundBy(choice).nextEvent).toEqual([]);
  const back = unbind(choice, "sayPosition");
  expect(commandOf(back, "p")).toBe("sayPosition");
});

test("what is as in the map again does not take back what another command has by now", () => {
  const choice = unbind(bind(PLAIN_KEYS, "sayPosition", "n"), "nextEvent");
  expect(commandOf(choice, "n")).toBe("sayPosition");
  expect(boundBy(choice).nextEvent).toEqual([]);
});

test("a change goes before the map, in whatever order the table has them", () => {
  const choice: KeyChoice = { ...PLAIN_KEYS, own: { showOptions: ["Space"] } };
  expect(commandOf(choice, "Space")).toBe("showOptions");
  expect(commandOf({ ...choice, map: "media" }, "k")).toBe("playOrPause");
});

test("with letters off, no command has a letter, a digit or a sign without Ctrl", () => {
  const bound = boundBy({ ...PLAIN_KEYS, letters: false });
  const chords = COMMAND_NAMES.flatMap((command) => bound[command] ?? []);
  expect(chords.filter(isCharacter)).toEqual([]);
  expect(chords).toContain("Space");
  expect(chords).toContain("Ctrl+,");
  expect(refusal({ ...PLAIN_KEYS, letters: false }, "Shift+n")).toContain("turned off");
  expect(refusal(PLAIN_KEYS, "Shift+n")).toBeNull();
  expect(refusal(PLAIN_KEYS, "Ctrl+w")).toContain("browser");
});

test("a choice is kept as text", () => {
  const choice = bind({ ...PLAIN_KEYS, map: "maidr", letters: false }, "swap", "Ctrl+Enter");
  expect(readKeyChoice(JSON.stringify(choice))).toEqual(choice);
});

test.each([
  null,
  "",
  "garbage",
  "[]",
  "7",
  "null",
  '{"map": "__proto__", "own": null}',
  '{"map": 3, "own": {"swap": "x", "stop": [3]}}',
])("of %s as much is taken as makes sense", (text) => {
  expect(readKeyChoice(text)).toEqual(PLAIN_KEYS);
});

test("shortcut sets, and what was kept, change the keys of known commands alone", () => {
  const names = Object.values(SHORTCUT_SETS).flatMap((each) => Object.keys(each));
  expect(names.filter((name) => !COMMAND_NAMES.includes(name))).toEqual([]);
  const kept = readKeyChoice('{"own": {"constructor": ["x"], "nothing": ["y"]}}');
  expect(boundBy(kept)).toEqual(boundBy(PLAIN_KEYS));
});
