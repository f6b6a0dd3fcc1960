/** Going to a place that is typed: a step, a percentage, a landmark, a layer or a run. */

import { eventWords, KINDS, kindWords, neighbour } from "../model/landmarks";
import { clamp } from "../model/notes";
import { formatStep, spokenName } from "../model/words";
import { steps } from "../state/axis";
import { focusedRow, hearing } from "../state/choices";
import { rows } from "../state/layers";
import { announcer, playheadStep } from "../state/playing";
import { runs } from "../state/runs";
import { focusTimeline, hearRun, moveTo, moveToExtreme } from "./moving";
import { landmarksHere } from "./review";

/** Where a text leads, in words, and what goes there. */
export type Target = { readonly words: string; readonly go: () => void };

/** What "100", "50 %", "nan", "max", "fc2" or the name of a run means here; null: nothing. */
export function findTarget(text: string): Target | null {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return null;
  return (
    stepTarget(wanted) ?? extremeTarget(wanted) ?? landmarkTarget(wanted) ?? namedTarget(wanted)
  );
}

function stepTarget(wanted: string): Target | null {
  const [, digits, percent] = /^([\d,]*\.?\d+)\s*(%?)$/.exec(wanted) ?? [];
  if (digits === undefined) return null;
  const number = Number(digits.replaceAll(",", ""));
  const [first, last] = steps.value;
  const wish = percent === "%" ? first + ((last - first) * number) / 100 : number;
  const step = clamp(wish, first, last);
  const beyond = step === wish ? "" : `, ${step < wish ? "the last" : "the first"}`;
  return { words: `step ${formatStep(step)}${beyond}`, go: () => moveTo(step) };
}

const ENDS: Readonly<Record<string, "lowest" | "highest" | 0 | 1>> = {
  ...{ max: "highest", highest: "highest", maximum: "highest" },
  ...{ min: "lowest", lowest: "lowest", minimum: "lowest" },
  ...{ start: 0, first: 0, end: 1, last: 1 },
};

function extremeTarget(wanted: string): Target | null {
  const end = Object.hasOwn(ENDS, wanted) ? ENDS[wanted] : undefined;
  if (end === undefined) return null;
  if (typeof end === "string")
    return { words: `the ${end} value`, go: () => moveToExtreme(end, "heard") };
  const step = steps.value[end];
  return {
    words: `step ${formatStep(step)}, the ${end === 0 ? "first" : "last"}`,
    go: () => moveTo(step),
  };
}

function landmarkTarget(wanted: string): Target | null {
  const isMeant = (kind: string) =>
    [kind, kindWords(kind).toLowerCase()].some((each) => each.startsWith(wanted));
  if (wanted.length < 3 || !KINDS.some(isMeant)) return null;
  const all = landmarksHere().filter(({ kind }) => isMeant(kind));
  const found = neighbour(all, playheadStep.value, 1) ?? all[0];
  if (found === undefined) return null;
  const go = () => {
    moveTo(found.step);
    announcer.say(eventWords(found));
  };
  return { words: eventWords(found), go };
}

/** A layer or a run: by its whole name before by a part of it. */
function namedTarget(wanted: string): Target | null {
  const layers = rows[hearing.value].value.map((row) => ({
    name: row.name,
    words: `layer ${spokenName(row.name)}`,
    go: () => {
      focusedRow.value = row.key;
      focusTimeline(`.heatmap.${hearing.value}`);
    },
  }));
  const named = runs.value.map(({ name }) => ({
    name,
    words: `run ${spokenName(name)}`,
    go: () => hearRun(name),
  }));
  const all = [...layers, ...named];
  return (
    all.find(({ name }) => name.toLowerCase() === wanted) ??
    all.find(({ name }) => name.toLowerCase().includes(wanted)) ??
    null
  );
}
