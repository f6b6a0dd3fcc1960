/** Links to what is on the screen: runs, step, curve and sound. */

import type { Signal } from "@preact/signals";
import { linkWith, readLink } from "../host";
import { PITCH_ZOOMS, PLAIN, type Sound, SPEEDS, TOGETHER } from "../model/answers";
import { MEASURES } from "../model/axis";
import { clamp } from "../model/notes";
import { QUANTITIES } from "../model/quantity";
import { noServer } from "../server/site";
import {
  chosenLog,
  chosenPreset,
  chosenQuantity,
  chosenSides,
  chosenTag,
  hearing,
  listening,
  loop,
  looping,
  measure,
  smoothing,
  sound,
  viewport,
} from "../state/choices";
import { announcer, player, playheadStep } from "../state/playing";
import { quantity, sides, tag } from "../state/runs";
import type { Range, Side } from "../units";

/** Something that a link holds; nothing where it is as it would be anyway. */
type Held = {
  readonly write: () => string | null;
  /** Not called for what the link does not hold; what makes no sense changes nothing. */
  readonly read: (text: string) => void;
};

const HELD: Readonly<Record<string, Held>> = {
  a: run("a"),
  b: run("b"),
  tag: {
    write: () => tag.value,
    read: (text) => {
      chosenTag.value = text;
    },
  },
  quantity: {
    write: () => (quantity.value === "gradient" ? null : quantity.value),
    read: (text) => {
      chosenQuantity.value = QUANTITIES.find((each) => each === text) ?? "gradient";
    },
  },
  preset: {
    write: () => chosenPreset.value,
    read: (text) => {
      chosenPreset.value = text;
    },
  },
  hear: {
    write: () => (listening.value !== "one" ? listening.value : hearing.value === "b" ? "b" : null),
    read: (text) => {
      if (text === "b") hearing.value = "b";
      if (text === "both" || text === "blink") listening.value = text;
    },
  },
  x: {
    write: () => (measure.value === "step" ? null : measure.value),
    read: (text) => {
      measure.value = MEASURES.find((each) => each === text) ?? "step";
    },
  },
  log: {
    write: () => (chosenLog.value === null ? null : String(chosenLog.value)),
    read: (text) => {
      chosenLog.value = text === "true";
    },
  },
  smoothing: {
    write: () => (smoothing.value === 0 ? null : String(smoothing.value)),
    read: (text) => {
      smoothing.value = clamp(Number(text) || 0, 0, 0.99);
    },
  },
  seen: range(viewport),
  loop: {
    write: () => (looping.value ? range(loop).write() : null),
    read: (text) => {
      range(loop).read(text);
      looping.value = loop.value !== null;
    },
  },
  speed: setting("speed", SPEEDS),
  together: setting("together", TOGETHER),
  zoom: setting("zoom", PITCH_ZOOMS),
  reference: setting("reference", [false, true]),
  step: {
    write: () => String(Math.floor(playheadStep.value + 1e-6)),
    read: (text) => {
      if (Number.isFinite(Number(text))) player.rest(Number(text));
    },
  },
};

function run(side: Side): Held {
  return {
    write: () => sides.value[side],
    read: (text) => {
      chosenSides.value = { ...chosenSides.value, [side]: text };
    },
  };
}

function range(held: Signal<Range | null>): Held {
  return {
    write: () => held.value?.join(":") ?? null,
    read: (text) => {
      const [from, to] = text.split(":").map(Number);
      if (from !== undefined && to !== undefined && from < to) held.value = [from, to];
    },
  };
}

function setting<Name extends keyof Sound>(name: Name, known: readonly Sound[Name][]): Held {
  return {
    write: () => (sound.value[name] === PLAIN[name] ? null : String(sound.value[name])),
    read: (text) => {
      const value = known.find((each) => String(each) === text);
      if (value !== undefined && noServer === null) sound.value = { ...sound.value, [name]: value };
    },
  };
}

/** Take over what a link holds. */
export function openLink(): void {
  const link = readLink();
  // Links without a quantity are of gradients, whatever was heard here last.
  if (link.size > 0) chosenQuantity.value = "gradient";
  for (const [name, { read }] of Object.entries(HELD)) {
    const text = link.get(name);
    if (text !== undefined) read(text);
  }
}

/** A link to the step at the playhead; alone: without TensorBoard's frame. */
export function linkHere(alone = false): string {
  const held = Object.entries(HELD).flatMap(([name, { write }]) => {
    const text = write();
    return text === null ? [] : [[name, text] as const];
  });
  return linkWith(Object.fromEntries(held), alone);
}

/** Put the link where it can be pasted from; where the browser does not let us, show it. */
export async function copyLink(): Promise<void> {
  const link = linkHere();
  try {
    await navigator.clipboard.writeText(link);
    announcer.say("Link copied");
  } catch {
    window.prompt("A link to this step", link); // there is no clipboard on plain http
  }
}
