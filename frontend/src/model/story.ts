/** What has happened to a run, as one sentence whose clauses are moments. */

import type { Landmark } from "./answers";
import { KINDS } from "./landmarks";
import { formatStep, formatValue } from "./words";

export type Clause = {
  readonly words: string;
  /** Where it happened; null: it has no moment of its own. */
  readonly moment: Landmark | null;
};

/** Where a curve begins, where it is lowest, and where it stands. */
export type Course = {
  readonly first: number;
  readonly last: number;
  readonly best: { readonly step: number; readonly value: number; readonly words: string } | null;
};

const VERBS: Readonly<Record<string, string>> = {
  nan: "turns to NaN",
  inf: "turns to infinity",
  explosion: "explodes",
  divergence: "diverges",
  overfitting: "overfits",
  collapse: "collapses",
  spike: "spikes",
  outgrowing: "outgrows the others",
  leaving: "leaves its range",
  vanishing: "vanishes",
  restart: "starts again",
};

const BROKEN: readonly string[] = ["nan", "inf", "explosion", "divergence", "collapse"];
const MOST_CLAUSES = 3;

/**
 * The first moment of each kind that breaks a run or bends its course, in order of step; for a run
 * in which nothing has broken, first how its curve went.
 */
export function storyOf(landmarks: readonly Landmark[], course: Course | null): Clause[] {
  const kinds = KINDS.filter((kind) => kind in VERBS);
  const firsts = kinds.flatMap((kind) => landmarks.find((each) => each.kind === kind) ?? []);
  const told = firsts.slice(0, MOST_CLAUSES).sort((one, other) => one.step - other.step);
  const clauses = told.map((moment) => ({ words: wordsOf(moment), moment }));
  const broken = told.some(({ kind }) => BROKEN.includes(kind));
  return broken || course === null ? clauses : [...courseClauses(course), ...clauses].slice(0, 4);
}

/** "explodes at step 1 in conv2". */
function wordsOf({ kind, step, layer }: Landmark): string {
  const where = layer === null ? "" : ` in ${layer}`;
  return `${VERBS[kind]} at step ${formatStep(step)}${where}`;
}

function courseClauses({ first, last, best }: Course): Clause[] {
  const went = { words: `${formatValue(first)} → ${formatValue(last)}`, moment: null };
  if (best === null) return [went];
  const words = `${best.words} ${formatValue(best.value)} at step ${formatStep(best.step)}`;
  const moment = { kind: "best", step: best.step, layer: null, sentence: best.words };
  return [went, { words, moment }];
}
