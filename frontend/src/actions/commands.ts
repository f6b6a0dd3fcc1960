/**
 * What a person can do, as one table: toolbar, palette, help and keys are made from it. Each is
 * called from inside a gesture, because some of them start sound.
 */

import { computed } from "@preact/signals";
import type { IconName } from "../draw/icons";
import { type Bound, boundBy, type Chord, chordWords, keymapOf } from "../model/keys";
import { describePlace, VERBOSITY_TITLES } from "../model/landmarks";
import { formatStep } from "../model/words";
import { noServer } from "../server/site";
import { steps, stepsSeen } from "../state/axis";
import {
  chooseVerbosity,
  curveHeard,
  dialog,
  following,
  hearing,
  keyChoice,
  listening,
  looping,
  monitoring,
  nextVerbosity,
  outliersShown,
  reviewField,
} from "../state/choices";
import { bothSilence, curveSilence, sources } from "../state/hearing";
import { announcer, isLoading, isPlaying, placeHere, whySilent } from "../state/playing";
import { sides } from "../state/runs";
import { alarm, isMuted } from "../state/watch";
import { otherSide, type Side } from "../units";
import { toggleAlarm, toggleAlarmMute } from "./alarm";
import { copyLink } from "./link";
import {
  clearLoop,
  extendLoop,
  goToWorst,
  moveByNotes,
  moveByTenths,
  moveTo,
  moveToExtreme,
  moveToRun,
  toggleLoop,
} from "./moving";
import { goBeyond, goToCrossing, goToLandmark, loopLandmark, toggleReview } from "./review";
import { cyclePitchZoom, cycleQuantity } from "./sound";
import {
  aloneWords,
  faster,
  follow,
  hear,
  hearBoth,
  isPending,
  muteHere,
  normalSpeed,
  playBack,
  playOnce,
  playOrPause,
  playToEnd,
  slower,
  soloHere,
  stop,
  toggleCurve,
  toggleMonitor,
} from "./transport";
import { fit, toggleOutliers, zoomBy } from "./zoom";

export const SUBJECTS = ["Play", "Move", "Loop", "Runs", "See", "Ask"] as const;
export type Subject = (typeof SUBJECTS)[number];

type Details = {
  /** What a button for it says. */
  readonly label?: string;
  readonly icon?: IconName;
  /** Whether what it turns on is on. */
  readonly pressed?: () => boolean;
  /** Why it cannot be done now; null where it can. */
  readonly disabled?: () => string | null;
  /** Where its key works beside the timeline: where no control has the focus, or always. */
  readonly anywhere?: "idle" | "always";
};

export type Command = Details & {
  readonly subject: Subject;
  /** The same as a sentence, for help and palette. */
  readonly words: string;
  /** What calls it unless told otherwise. */
  readonly keys: readonly Chord[];
  readonly run: () => void;
};

const command = (
  subject: Subject,
  words: string,
  keys: readonly Chord[],
  run: () => void,
  details: Details = {},
): Command => ({ subject, words, keys, run, ...details });

const ZOOM = 2;

const open = (name: NonNullable<typeof dialog.value>) => () => {
  dialog.value = name;
};
const silent = (): string | null =>
  sources[hearing.value].value === null ? whySilent(hearing.value) : null;
const lacks = (side: Side) => () => (sides.value[side] === null ? whySilent(side) : null);
const single = (): string | null =>
  sides.value.b === null ? "Choose a second run to hear both" : null;
const both = (): string | null => single() ?? bothSilence();
const live = (): string | null => noServer;

/** Say which steps are seen after a change of them. */
const seeing = (change: () => void) => () => {
  change();
  const [from, to] = stepsSeen.value;
  announcer.say(`Steps ${formatStep(from)} to ${formatStep(to)} are shown`);
};

/** What is loaded after the first paint, once it is here. */
export const late: {
  compareHere: () => void;
  /** Ask again for what only it shows: of runs that have grown, or of all. */
  refresh: (grown: readonly string[] | null) => void;
} = {
  compareHere: () => announcer.say("Not loaded yet"),
  refresh: () => undefined,
};

function cycleVerbosity(): void {
  const next = nextVerbosity();
  chooseVerbosity(next);
  announcer.say(`Said while playing: ${VERBOSITY_TITLES[next]}`);
}

const TABLE = {
  playOrPause: command("Play", "Play or pause, from the playhead", ["Space"], playOrPause, {
    label: "Play",
    icon: "play",
    anywhere: "idle",
    disabled: () => (isPlaying() || isLoading(hearing.value) ? null : silent()),
  }),
  playOnce: command("Play", "Play two seconds, and come back", ["Enter"], playOnce),
  playToEnd: command(
    "Play",
    "Play to the end, past any loop",
    ["Shift+End", "Ctrl+Shift+ArrowRight"],
    playToEnd,
  ),
  playBack: command(
    "Play",
    "Play note by note to the start",
    ["Shift+Home", "Ctrl+Shift+ArrowLeft"],
    playBack,
  ),
  stop: command("Play", "Stop, and go back to where it began", ["Control"], stop, {
    label: "Stop",
    icon: "stop",
    disabled: () => (isPlaying() || isPending() ? null : "Nothing plays"),
  }),
  faster: command("Play", "Faster, also while it plays", [".", "q"], faster),
  slower: command("Play", "Slower", [",", "e"], slower),
  normalSpeed: command("Play", "Normal speed", ["/"], normalSpeed),
  follow: command(
    "Play",
    "Follow live training: play the newest steps as they come",
    ["m"],
    follow,
    {
      label: "Follow",
      icon: "live",
      pressed: () => following.value,
      disabled: () => noServer ?? silent(),
    },
  ),
  monitor: command(
    "Play",
    "Monitor: say the newest point as it comes, and stay",
    ["Shift+m"],
    toggleMonitor,
    {
      pressed: () => monitoring.value,
      disabled: live,
    },
  ),
  previousNote: command("Move", "Previous note, and hear it", ["ArrowLeft"], () => moveByNotes(-1)),
  nextNote: command("Move", "Next note, and hear it", ["ArrowRight"], () => moveByNotes(1)),
  backTenth: command("Move", "Back one tenth of what is seen", ["Ctrl+ArrowLeft"], () =>
    moveByTenths(-1),
  ),
  forwardTenth: command("Move", "Forward one tenth of what is seen", ["Ctrl+ArrowRight"], () =>
    moveByTenths(1),
  ),
  toStart: command(
    "Move",
    "To the first step",
    ["Home", "Ctrl+Home"],
    () => moveTo(steps.value[0]),
    {
      label: "First step",
    },
  ),
  toEnd: command("Move", "To the last step", ["End", "Ctrl+End"], () => moveTo(steps.value[1]), {
    label: "Last step",
  }),
  nextEvent: command("Move", "To the next landmark, and say it", ["n"], () => goToLandmark(1), {
    label: "Next landmark",
  }),
  previousEvent: command("Move", "To the landmark before", ["Shift+n"], () => goToLandmark(-1), {
    label: "Landmark before",
  }),
  goToWorst: command(
    "Move",
    "To the worst run, and what broke in it; again, to the next",
    ["w"],
    goToWorst,
    { label: "Worst run", anywhere: "idle" },
  ),
  lowest: command(
    "Move",
    "To the lowest value of this run",
    ["["],
    () => moveToExtreme("lowest", "heard"),
    {
      label: "Lowest value",
    },
  ),
  highest: command(
    "Move",
    "To the highest value of this run",
    ["]"],
    () => moveToExtreme("highest", "heard"),
    {
      label: "Highest value",
    },
  ),
  lowestOfAll: command(
    "Move",
    "To the lowest value of all runs shown",
    ["Ctrl+["],
    () => moveToExtreme("lowest", "all"),
    {
      label: "Lowest of all shown",
    },
  ),
  highestOfAll: command(
    "Move",
    "To the highest value of all runs shown",
    ["Ctrl+]"],
    () => moveToExtreme("highest", "all"),
    {
      label: "Highest of all shown",
    },
  ),
  nextHigher: command("Move", "To the next higher value", ["}", "Ctrl+ArrowUp"], () =>
    goBeyond("higher"),
  ),
  nextLower: command("Move", "To the next lower value", ["{", "Ctrl+ArrowDown"], () =>
    goBeyond("lower"),
  ),
  nextCrossing: command("Move", "To where A and B cross next", ["v"], () => goToCrossing(1), {
    disabled: single,
  }),
  previousCrossing: command(
    "Move",
    "To where A and B crossed before",
    ["Shift+v"],
    () => goToCrossing(-1),
    {
      disabled: single,
    },
  ),
  goTo: command("Move", "Go to a step, percent, landmark, layer or run", ["g"], open("goTo"), {
    label: "Go to",
    anywhere: "idle",
  }),
  toggleLoop: command("Loop", "Loop on or off", ["l"], toggleLoop, {
    label: "Loop",
    icon: "loop",
    pressed: () => looping.value,
    disabled: silent,
  }),
  loopLandmark: command("Loop", "Loop around the nearest landmark", ["Shift+l"], loopLandmark, {
    disabled: silent,
  }),
  loopMore: command("Loop", "Make a loop from the playhead, or longer", ["Shift+ArrowRight"], () =>
    extendLoop(1),
  ),
  loopLess: command("Loop", "Make the loop shorter", ["Shift+ArrowLeft"], () => extendLoop(-1)),
  clearLoop: command("Loop", "Forget the loop", ["Escape"], clearLoop),
  previousRun: command(
    "Runs",
    "Hear the run before, in the list",
    ["ArrowUp", "PageUp"],
    () => moveToRun(-1),
    {
      label: "Run before",
    },
  ),
  nextRun: command("Runs", "Hear the next run", ["ArrowDown", "PageDown"], () => moveToRun(1), {
    label: "Next run",
  }),
  hearA: command("Runs", "Hear run A", ["1"], () => hear("a"), {
    label: "A",
    disabled: lacks("a"),
  }),
  hearB: command("Runs", "Hear run B", ["2"], () => hear("b"), {
    label: "B",
    disabled: lacks("b"),
  }),
  swap: command(
    "Runs",
    "Hear the other run, at the same step",
    ["x"],
    () => hear(otherSide(hearing.value)),
    {
      disabled: () => lacks(otherSide(hearing.value))(),
    },
  ),
  hearBoth: command(
    "Runs",
    "Hear A on the left and B on the right",
    ["3"],
    () => hearBoth("both"),
    {
      label: "A + B",
      pressed: () => listening.value === "both",
      disabled: both,
    },
  ),
  blink: command("Runs", "Alternate A and B every two seconds", ["4"], () => hearBoth("blink"), {
    label: "A ⇄ B",
    pressed: () => listening.value === "blink",
    disabled: both,
  }),
  soloHere: command("Runs", "Hear only this run, or both again", ["Shift+s"], soloHere),
  muteHere: command("Runs", "Mute this run", ["Shift+u"], muteHere),
  toggleCurve: command("Runs", "Hear the curve beside the norms", ["c"], toggleCurve, {
    pressed: () => curveHeard.value,
    disabled: () => curveSilence.value,
  }),
  cycleQuantity: command(
    "Runs",
    "Hear gradients, updates, their ratio to weights, or weights",
    ["u"],
    cycleQuantity,
  ),
  zoomIn: command(
    "See",
    "See fewer steps, closer",
    ["+", "="],
    seeing(() => zoomBy(ZOOM)),
  ),
  zoomOut: command(
    "See",
    "See more steps",
    ["-"],
    seeing(() => zoomBy(1 / ZOOM)),
  ),
  zoomFit: command("See", "See the whole run", ["0"], seeing(fit)),
  toggleOutliers: command(
    "See",
    "Show the outliers of the curve, or leave them out",
    ["Shift+o"],
    toggleOutliers,
    { pressed: () => outliersShown.value },
  ),
  cyclePitchRange: command(
    "See",
    "Pitch range: as it is, twice or four times as wide",
    ["z"],
    cyclePitchZoom,
    { disabled: live },
  ),
  sayPosition: command("Ask", "Say where the playhead is", ["p"], () =>
    announcer.say(describePlace(placeHere()) + aloneWords()),
  ),
  describe: command("Ask", "Describe what is heard and seen", ["d"], open("describe"), {
    label: "Describe",
  }),
  compareHere: command("Ask", "Compare A and B here", ["y"], () => late.compareHere(), {
    disabled: single,
  }),
  braille: command("Ask", "The curve as a line of braille", ["b"], () => toggleReview("braille"), {
    pressed: () => reviewField.value === "braille",
  }),
  reviewText: command(
    "Ask",
    "Review the last message, letter by letter",
    ["r"],
    () => toggleReview("text"),
    {
      pressed: () => reviewField.value === "text",
    },
  ),
  cycleVerbosity: command("Ask", "Say more, or less, while it plays", ["t"], cycleVerbosity),
  toggleAlarm: command(
    "Ask",
    "Alarm on or off: be told when a run breaks, stalls or ends",
    ["a"],
    () => void toggleAlarm(),
    { label: "Alarm", anywhere: "idle", pressed: () => alarm.value, disabled: live },
  ),
  toggleAlarmMute: command(
    "Ask",
    "Silence the alarm for an hour, or no longer",
    ["Shift+a"],
    toggleAlarmMute,
    { anywhere: "idle", pressed: () => alarm.value && isMuted(), disabled: alarmOff },
  ),
  copyLink: command(
    "Ask",
    "Copy a link to what is heard and seen",
    ["Shift+c"],
    () => void copyLink(),
    {
      label: "Copy link",
      icon: "link",
    },
  ),
  showPalette: command(
    "Ask",
    "Find a command by its name",
    ["Ctrl+k", "Ctrl+Shift+p"],
    open("palette"),
    {
      label: "Commands",
      anywhere: "always",
    },
  ),
  showHelp: command("Ask", "Show these keys", ["h", "?", "Ctrl+/"], open("help"), {
    label: "Keys",
    icon: "keyboard",
    anywhere: "idle",
  }),
  showOptions: command("Ask", "Options: keys, speech, sound", ["o", "Ctrl+,"], open("options"), {
    label: "Options",
    anywhere: "idle",
  }),
};

export type CommandName = keyof typeof TABLE;
export const COMMANDS: Readonly<Record<CommandName, Command>> = TABLE;
export const COMMAND_NAMES = Object.keys(TABLE) as CommandName[];

const each = (name: CommandName): [CommandName, readonly Chord[]] => [name, COMMANDS[name].keys];
/** The keys of each command as they are unless told otherwise. */
export const PLAIN_BOUND = Object.fromEntries(COMMAND_NAMES.map(each)) as Bound<CommandName>;
/** The keys of each command, and the command of each key. */
export const bound = computed(() => boundBy(PLAIN_BOUND, keyChoice.value));
export const keymap = computed(() => keymapOf(bound.value));

/** The first key of a command, for a sentence; null where it has none. */
export function keyWords(name: CommandName): string | null {
  const [chord] = bound.value[name];
  return chord === undefined ? null : chordWords(chord);
}

/** Do it, or say why it cannot be done. */
export function run(name: CommandName): void {
  const { disabled, run } = COMMANDS[name];
  const why = disabled?.() ?? null;
  if (why === null) run();
  else announcer.say(why);
}

function alarmOff(): string | null {
  const key = keyWords("toggleAlarm");
  if (noServer !== null) return noServer;
  return alarm.peek() ? null : `The alarm is off${key === null ? "" : `: ${key} turns it on`}`;
}
