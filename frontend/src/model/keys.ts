/** The keys of the timeline, as one table: it is what they do, and what the help says. */

export type Command =
  | "playOrPause"
  | "playOnce"
  | "playToEnd"
  | "playBack"
  | "stop"
  | "faster"
  | "slower"
  | "normalSpeed"
  | "toggleLoop"
  | "loopLess"
  | "loopMore"
  | "follow"
  | "hearBoth"
  | "blink"
  | "soloHere"
  | "muteHere"
  | "toggleCurve"
  | "previousNote"
  | "nextNote"
  | "backTenth"
  | "forwardTenth"
  | "toStart"
  | "toEnd"
  | "hearA"
  | "hearB"
  | "swap"
  | "nextEvent"
  | "previousEvent"
  | "zoomIn"
  | "zoomOut"
  | "zoomFit"
  | "sayPosition"
  | "showHelp";

export type Binding = {
  readonly command: Command;
  /** As `KeyboardEvent.key`; letters in lower case. */
  readonly keys: readonly string[];
  readonly ctrl?: true;
  readonly shift?: true;
  /** As printed on the keyboard. */
  readonly caps: readonly string[];
  readonly does: string;
};

export const BINDINGS: readonly Binding[] = [
  {
    command: "playOrPause",
    keys: [" "],
    caps: ["Space"],
    does: "Play or pause, from the playhead",
  },
  {
    command: "playOnce",
    keys: ["Enter"],
    caps: ["Enter"],
    does: "Play two seconds, and come back",
  },
  {
    command: "playToEnd",
    keys: ["End"],
    shift: true,
    caps: ["Shift", "End"],
    does: "Play to the end, past any loop",
  },
  {
    command: "playToEnd",
    keys: ["ArrowRight"],
    ctrl: true,
    shift: true,
    caps: ["Ctrl", "Shift", "→"],
    does: "The same",
  },
  {
    command: "playBack",
    keys: ["Home"],
    shift: true,
    caps: ["Shift", "Home"],
    does: "Play note by note towards the start",
  },
  {
    command: "playBack",
    keys: ["ArrowLeft"],
    ctrl: true,
    shift: true,
    caps: ["Ctrl", "Shift", "←"],
    does: "The same",
  },
  {
    command: "stop",
    keys: ["Control"],
    caps: ["Ctrl"],
    does: "Stop, and go back to where it began",
  },
  { command: "faster", keys: [".", "e"], caps: ["."], does: "Faster, also while it plays" },
  { command: "slower", keys: [",", "q"], caps: [","], does: "Slower" },
  { command: "normalSpeed", keys: ["/"], caps: ["/"], does: "Normal speed" },
  { command: "toggleLoop", keys: ["l"], caps: ["L"], does: "Loop on or off" },
  {
    command: "loopMore",
    keys: ["ArrowRight"],
    shift: true,
    caps: ["Shift", "→"],
    does: "Make a loop from the playhead, or longer",
  },
  {
    command: "loopLess",
    keys: ["ArrowLeft"],
    shift: true,
    caps: ["Shift", "←"],
    does: "Make the loop shorter",
  },
  { command: "follow", keys: ["m"], caps: ["M"], does: "Follow the live end" },
  { command: "previousNote", keys: ["ArrowLeft"], caps: ["←"], does: "Previous note, and hear it" },
  { command: "nextNote", keys: ["ArrowRight"], caps: ["→"], does: "Next note, and hear it" },
  {
    command: "backTenth",
    keys: ["ArrowLeft"],
    ctrl: true,
    caps: ["Ctrl", "←"],
    does: "Back one tenth of what is seen",
  },
  {
    command: "forwardTenth",
    keys: ["ArrowRight"],
    ctrl: true,
    caps: ["Ctrl", "→"],
    does: "Forward one tenth of what is seen",
  },
  { command: "toStart", keys: ["Home"], caps: ["Home"], does: "To the first step" },
  { command: "toEnd", keys: ["End"], caps: ["End"], does: "To the last step" },
  { command: "hearA", keys: ["1"], caps: ["1"], does: "Hear run A" },
  { command: "hearB", keys: ["2"], caps: ["2"], does: "Hear run B" },
  { command: "swap", keys: ["x"], caps: ["X"], does: "Hear the other run, at the same step" },
  { command: "hearBoth", keys: ["3"], caps: ["3"], does: "Hear A on the left and B on the right" },
  { command: "blink", keys: ["4"], caps: ["4"], does: "Hear A and B by turns, two seconds each" },
  {
    command: "soloHere",
    keys: ["s"],
    shift: true,
    caps: ["Shift", "S"],
    does: "Hear only this run, or both again",
  },
  { command: "muteHere", keys: ["u"], shift: true, caps: ["Shift", "U"], does: "Mute this run" },
  { command: "toggleCurve", keys: ["c"], caps: ["C"], does: "Hear the curve beside the norms" },
  { command: "nextEvent", keys: ["n"], caps: ["N"], does: "To the next landmark, and say it" },
  {
    command: "previousEvent",
    keys: ["n"],
    shift: true,
    caps: ["Shift", "N"],
    does: "To the landmark before",
  },
  { command: "zoomIn", keys: ["+", "="], caps: ["+"], does: "See fewer steps, closer" },
  { command: "zoomOut", keys: ["-"], caps: ["−"], does: "See more steps" },
  { command: "zoomFit", keys: ["0"], caps: ["0"], does: "See the whole run" },
  { command: "sayPosition", keys: ["p"], caps: ["P"], does: "Say where the playhead is" },
  { command: "showHelp", keys: ["h", "?"], caps: ["H"], does: "Show these keys" },
];

export type KeyPress = {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  readonly metaKey: boolean;
};

/** What a key does while the timeline has the focus; null where it is left to the browser. */
export function commandOf(press: KeyPress): Command | null {
  if (press.altKey || press.metaKey) return null;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  // Signs need Shift on some keyboards and not on others.
  const sign = key.length === 1 && key !== " " && (key < "a" || key > "z");
  const bound = BINDINGS.find(
    (binding) =>
      binding.keys.includes(key) &&
      (binding.ctrl ?? false) === press.ctrlKey &&
      (sign || (binding.shift ?? false) === press.shiftKey),
  );
  return bound?.command ?? null;
}
