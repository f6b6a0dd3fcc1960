/** Landmarks in words and shapes. */

import type { Step } from "../units";
import type { Landmark } from "./answers";
import { formatStep } from "./format";

const GLYPHS: Readonly<Record<string, string>> = {
  nan: "✕",
  inf: "∞",
  explosion: "▲",
  divergence: "△",
  collapse: "▼",
  spike: "◆",
  drift: "↗",
  outgrowing: "↥",
  unusual: "◇",
  vanishing: "◣",
  plateau: "▬",
  escape: "◢",
  parting: "≠",
  restart: "↺",
};

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
