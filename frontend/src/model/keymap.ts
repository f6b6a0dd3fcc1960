/** Which key does what: one of a few maps, and what the person has changed in it. */

import { ACTIONS, type Chord, COMMAND_NAMES, type Command, isCharacter } from "./keys";

type Changes = Readonly<Partial<Record<Command, readonly Chord[]>>>;

/** Maps that people know from elsewhere, as what they change. */
const PRESETS = {
  own: {},
  maidr: {
    playOrPause: ["Enter"],
    playOnce: ["Space"],
    toStart: ["Home", "Ctrl+Home", "Ctrl+ArrowLeft"],
    toEnd: ["End", "Ctrl+End", "Ctrl+ArrowRight"],
    highest: ["]", "Ctrl+ArrowUp"],
    lowest: ["[", "Ctrl+ArrowDown"],
    backTenth: ["Shift+PageUp"],
    forwardTenth: ["Shift+PageDown"],
    monitor: ["m"],
    follow: ["Shift+m"],
    nextRun: ["ArrowDown", "PageUp"],
    previousRun: ["ArrowUp", "PageDown"],
  },
  media: {
    playOrPause: ["Space", "k"],
    backTenth: ["Ctrl+ArrowLeft", "j"],
    forwardTenth: ["Ctrl+ArrowRight", "l"],
    faster: [".", ">", "q"],
    slower: [",", "<", "e"],
    toggleLoop: ["r"],
  },
} satisfies Record<string, Changes>;

export type MapName = keyof typeof PRESETS;
export const MAP_TITLES: Readonly<Record<MapName, string>> = {
  own: "Sonify",
  maidr: "MAIDR",
  media: "Media player (J, K, L)",
};

export type KeyChoice = {
  readonly map: MapName;
  /** Whether keys may be letters, digits or signs without Ctrl. */
  readonly letters: boolean;
  /** What the person has bound otherwise than the map. */
  readonly own: Changes;
};

export const PLAIN_KEYS: KeyChoice = { map: "own", letters: true, own: {} };

export type Bound = Readonly<Record<Command, readonly Chord[]>>;

/** The keys of each command. A key has one command: the one that the person gave it, before all. */
export function boundBy({ map, letters, own }: KeyChoice): Bound {
  const preset: Changes = PRESETS[map];
  const taken = new Set<Chord>();
  const free = (chord: Chord) => {
    if (taken.has(chord) || (!letters && isCharacter(chord))) return false;
    taken.add(chord);
    return true;
  };
  const owned = COMMAND_NAMES.filter((command) => own[command] !== undefined);
  const pairs = [...new Set([...owned, ...COMMAND_NAMES])].map((command) => {
    const chords = own[command] ?? preset[command] ?? ACTIONS[command].keys;
    return [command, chords.filter(free)];
  });
  return Object.fromEntries(pairs);
}

/** What each key does. */
export function keymapOf(bound: Bound): ReadonlyMap<Chord, Command> {
  return new Map(
    COMMAND_NAMES.flatMap((command) => bound[command].map((chord) => [chord, command] as const)),
  );
}

const BROWSERS = [
  "Tab",
  "Shift+Tab",
  "F5",
  "F11",
  "F12",
  ...[..."twnrl"].map((key) => `Ctrl+${key}`),
];

/** Why a chord cannot be taken; null where it can. */
export function refusal({ letters }: KeyChoice, chord: Chord): string | null {
  if (BROWSERS.includes(chord)) return "the browser keeps that key for itself";
  return !letters && isCharacter(chord) ? "keys without Ctrl are turned off" : null;
}

/** Have a command called by a chord alone; who had it, loses it. */
export function bind(choice: KeyChoice, command: Command, chord: Chord): KeyChoice {
  const own: Partial<Record<Command, readonly Chord[]>> = { ...choice.own };
  const bound = boundBy({ ...choice, letters: true });
  const loser = keymapOf(bound).get(chord);
  if (loser !== undefined) own[loser] = bound[loser].filter((key) => key !== chord);
  own[command] = [chord];
  return { ...choice, own };
}

/** Have a command called as in the map again, but for keys that are another's by now. */
export function unbind(choice: KeyChoice, command: Command): KeyChoice {
  const { [command]: _, ...own } = choice.own;
  return { ...choice, own };
}

/** The choice that was kept as text, as far as it makes sense. */
export function readKeyChoice(text: string | null): KeyChoice {
  try {
    const kept = JSON.parse(text ?? "null");
    const own = Object.entries(kept.own ?? {}).filter(([, chords]) => isChords(chords));
    const known = own.filter(([command]) => Object.hasOwn(ACTIONS, command));
    return {
      map: Object.hasOwn(PRESETS, kept.map) ? kept.map : "own",
      letters: kept.letters !== false,
      own: Object.fromEntries(known),
    };
  } catch {
    return PLAIN_KEYS;
  }
}

const isChords = (value: unknown): boolean =>
  Array.isArray(value) && value.every((chord) => typeof chord === "string" && chord !== "");
