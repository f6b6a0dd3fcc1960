/** Commands and their keys in one table; shortcut sets, and what a person has changed in them. */

/** A key with Ctrl and Shift, as "Ctrl+Shift+ArrowRight"; letters in lower case. */
export type Chord = string;

export type Action = {
  readonly subject: Subject;
  readonly does: string;
  /** What calls it unless told otherwise. */
  readonly keys: readonly Chord[];
};

export const SUBJECTS = ["Play", "Move", "Loop", "Runs", "See", "Ask"] as const;
export type Subject = (typeof SUBJECTS)[number];

const act = (subject: Subject, does: string, ...keys: Chord[]): Action => ({ subject, does, keys });

const TABLE = {
  playOrPause: act("Play", "Play or pause, from the playhead", "Space"),
  playOnce: act("Play", "Play two seconds, and come back", "Enter"),
  playToEnd: act("Play", "Play to the end, past any loop", "Shift+End", "Ctrl+Shift+ArrowRight"),
  playBack: act("Play", "Play note by note to the start", "Shift+Home", "Ctrl+Shift+ArrowLeft"),
  stop: act("Play", "Stop, and go back to where it began", "Control"),
  faster: act("Play", "Faster, also while it plays", ".", "q"),
  slower: act("Play", "Slower", ",", "e"),
  normalSpeed: act("Play", "Normal speed", "/"),
  follow: act("Play", "Follow the live end", "m"),
  monitor: act("Play", "Monitor: say the newest point as it comes, and stay", "Shift+m"),
  previousNote: act("Move", "Previous note, and hear it", "ArrowLeft"),
  nextNote: act("Move", "Next note, and hear it", "ArrowRight"),
  backTenth: act("Move", "Back one tenth of what is seen", "Ctrl+ArrowLeft"),
  forwardTenth: act("Move", "Forward one tenth of what is seen", "Ctrl+ArrowRight"),
  toStart: act("Move", "To the first step", "Home", "Ctrl+Home"),
  toEnd: act("Move", "To the last step", "End", "Ctrl+End"),
  nextEvent: act("Move", "To the next landmark, and say it", "n"),
  previousEvent: act("Move", "To the landmark before", "Shift+n"),
  goToWorst: act("Move", "To the worst run, and what broke in it; again, to the next", "w"),
  lowest: act("Move", "To the lowest value of this run", "["),
  highest: act("Move", "To the highest value of this run", "]"),
  lowestOfAll: act("Move", "To the lowest value of all runs shown", "Ctrl+["),
  highestOfAll: act("Move", "To the highest value of all runs shown", "Ctrl+]"),
  toggleLoop: act("Loop", "Loop on or off", "l"),
  loopMore: act("Loop", "Make a loop from the playhead, or longer", "Shift+ArrowRight"),
  loopLess: act("Loop", "Make the loop shorter", "Shift+ArrowLeft"),
  clearLoop: act("Loop", "Forget the loop", "Escape"),
  previousRun: act("Runs", "Hear the run before, in the list", "ArrowUp", "PageUp"),
  nextRun: act("Runs", "Hear the next run", "ArrowDown", "PageDown"),
  hearA: act("Runs", "Hear run A", "1"),
  hearB: act("Runs", "Hear run B", "2"),
  swap: act("Runs", "Hear the other run, at the same step", "x"),
  hearBoth: act("Runs", "Hear A on the left and B on the right", "3"),
  blink: act("Runs", "Hear A and B by turns, two seconds each", "4"),
  soloHere: act("Runs", "Hear only this run, or both again", "Shift+s"),
  muteHere: act("Runs", "Mute this run", "Shift+u"),
  toggleCurve: act("Runs", "Hear the curve beside the norms", "c"),
  cycleQuantity: act("Runs", "Hear gradients, updates, their ratio to weights, or weights", "u"),
  zoomIn: act("See", "See fewer steps, closer", "+", "="),
  zoomOut: act("See", "See more steps", "-"),
  zoomFit: act("See", "See the whole run", "0"),
  sayPosition: act("Ask", "Say where the playhead is", "p"),
  describe: act("Ask", "Describe what is heard and seen", "d"),
  cycleVerbosity: act("Ask", "Say more, or less, while it plays", "t"),
  toggleAlarm: act("Ask", "Alarm on or off: be told when a run breaks, stalls or ends", "a"),
  toggleAlarmMute: act("Ask", "Silence the alarm for an hour, or no longer", "Shift+a"),
  showHelp: act("Ask", "Show these keys", "h", "?", "Ctrl+/"),
  showOptions: act("Ask", "Options: keys, speech, sound", "o", "Ctrl+,"),
};

export type Command = keyof typeof TABLE;
export const ACTIONS: Readonly<Record<Command, Action>> = TABLE;
export const COMMAND_NAMES = Object.keys(TABLE) as Command[];

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
