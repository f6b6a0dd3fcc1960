/** Keys: how they are pressed, written and bound to commands, which are known here by name only. */

/** A key with Ctrl and Shift, as "Ctrl+Shift+ArrowRight"; letters in lower case. */
export type Chord = string;

export type KeyPress = Pick<
  KeyboardEvent,
  "key" | "code" | "ctrlKey" | "altKey" | "shiftKey" | "metaKey" | "getModifierState"
>;

const MODIFIERS = ["Control", "Shift", "Alt", "Meta", "AltGraph"];

/** What was pressed; null where it is a modifier alone, or left to the browser and the system. */
export function chordOf(press: KeyPress): Chord | null {
  // AltGr is how many keyboards write a bracket; Windows reports it as Ctrl and Alt.
  const written = press.getModifierState("AltGraph");
  if ((press.altKey && !written) || press.metaKey || MODIFIERS.includes(press.key)) return null;
  const key = keyOf(press, written);
  const ctrl = press.ctrlKey && !written ? "Ctrl+" : "";
  // Signs need Shift on some keyboards and not on others.
  return ctrl + (press.shiftKey && !isSign(key) ? "Shift+" : "") + key;
}

function keyOf({ key, code }: KeyPress, written: boolean): string {
  if (key === " ") return "Space";
  // Where letters are not Latin, they are known by their places.
  const latin = /^Key[A-Z]$/.test(code) && !written && key > "\x7f";
  if (latin && key.length === 1) return code.slice(3).toLowerCase();
  return key.length === 1 ? key.toLowerCase() : key;
}

const isSign = (key: string): boolean =>
  key.length === 1 && key.toLowerCase() === key.toUpperCase();

/** Whether speech input may type it by accident: a letter, digit or sign without Ctrl. */
export const isCharacter = (chord: Chord): boolean => /^(Shift\+)?.$/u.test(chord);

const CAPS: Readonly<Record<string, string>> = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  PageUp: "Page up",
  PageDown: "Page down",
  Control: "Ctrl",
  Escape: "Esc",
  "-": "−",
};

/** The caps of a chord, as printed on the keyboard. */
export function capsOf(chord: Chord): string[] {
  const [, modifiers = "", key = ""] = /^((?:Ctrl\+|Shift\+)*)(.+)$/.exec(chord) ?? [];
  const cap = CAPS[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  return [...modifiers.split("+").slice(0, -1), cap];
}

export const chordWords = (chord: Chord): string => capsOf(chord).join("+");

/** The keys of each command. */
export type Bound<Name extends string = string> = Readonly<Record<Name, readonly Chord[]>>;

type Changes = Readonly<Record<string, readonly Chord[] | undefined>>;

/** Shortcut sets that people know from elsewhere, as what they change. */
export const SHORTCUT_SETS = {
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
    reviewText: ["Shift+r"],
  },
} satisfies Record<string, Changes>;

export type MapName = keyof typeof SHORTCUT_SETS;
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

/** What calls each command. A key has one command: the one that the person gave it, before all. */
export function boundBy<Name extends string>(
  plain: Bound<Name>,
  { map, letters, own }: KeyChoice,
): Bound<Name> {
  const preset: Changes = SHORTCUT_SETS[map];
  const taken = new Set<Chord>();
  const free = (chord: Chord) => {
    if (taken.has(chord) || (!letters && isCharacter(chord))) return false;
    taken.add(chord);
    return true;
  };
  const names = Object.keys(plain) as Name[];
  const owned = names.filter((name) => own[name] !== undefined);
  const pairs = [...new Set([...owned, ...names])].map((name) => {
    const chords = own[name] ?? preset[name] ?? plain[name];
    return [name, chords.filter(free)];
  });
  return Object.fromEntries(pairs);
}

/** What each key does. */
export function keymapOf<Name extends string>(bound: Bound<Name>): ReadonlyMap<Chord, Name> {
  return new Map(
    (Object.keys(bound) as Name[]).flatMap((name) =>
      bound[name].map((chord) => [chord, name] as const),
    ),
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
export function bind<Name extends string>(
  plain: Bound<Name>,
  choice: KeyChoice,
  name: Name,
  chord: Chord,
): KeyChoice {
  const own: Record<string, readonly Chord[] | undefined> = { ...choice.own };
  const bound = boundBy(plain, { ...choice, letters: true });
  const loser = keymapOf(bound).get(chord);
  if (loser !== undefined) own[loser] = bound[loser].filter((key) => key !== chord);
  own[name] = [chord];
  return { ...choice, own };
}

/** Have a command called as in the set again, but for keys that are another's by now. */
export function unbind(choice: KeyChoice, name: string): KeyChoice {
  const { [name]: _, ...own } = choice.own;
  return { ...choice, own };
}

/** The choice that was kept as text, as far as it makes sense. */
export function readKeyChoice(text: string | null): KeyChoice {
  try {
    const kept = JSON.parse(text ?? "null");
    const own = Object.entries<readonly Chord[]>(kept.own ?? {}).filter(([, chords]) =>
      isChords(chords),
    );
    return {
      map: Object.hasOwn(SHORTCUT_SETS, kept.map) ? kept.map : "own",
      letters: kept.letters !== false,
      own: Object.fromEntries(own),
    };
  } catch {
    return PLAIN_KEYS;
  }
}

const isChords = (value: unknown): boolean =>
  Array.isArray(value) && value.every((chord) => typeof chord === "string" && chord !== "");
