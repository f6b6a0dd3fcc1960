/** Landmarks in words and shapes. */

import type { Step } from "../units";
import type { Landmark } from "./answers";
import { formatStep } from "./format";

const GLYPHS: Readonly<Record<string, string>> = {
  nan: "✕",
  inf: "∞",
  explosion: "▲",
  divergence: "△",
  overfitting: "⋎",
  collapse: "▼",
  spike: "◆",
  drift: "↗",
  outgrowing: "↥",
  leaving: "↕",
  unusual: "◇",
  vanishing: "◣",
  plateau: "▬",
  escape: "◢",
  parting: "≠",
  restart: "↺",
  schedule: "∿",
  scale: "×",
  skip: "↷",
  epoch: "│",
  checkpoint: "⚑",
};

/** Kinds of landmarks, the most severe first. */
export const KINDS: readonly string[] = Object.keys(GLYPHS);

/** A kind as a noun that reads on as "at step 12". */
export const kindWords = (kind: string): string => ({ nan: "NaN", inf: "infinity" })[kind] ?? kind;

export const glyphOf = (kind: string): string => GLYPHS[kind] ?? "●";

/** "step 12: NaN, first in fc1". */
export const eventWords = ({ step, sentence }: Landmark): string =>
  `step ${formatStep(step)}: ${sentence}`;

/** The first of some landmarks after a step, or the last one before it; in order of step. */
export function neighbour<Each extends { readonly step: Step }>(
  landmarks: readonly Each[],
  step: Step,
  direction: 1 | -1,
): Each | undefined {
  return direction === 1
    ? landmarks.find((each) => each.step > step)
    : landmarks.findLast((each) => each.step < step);
}
