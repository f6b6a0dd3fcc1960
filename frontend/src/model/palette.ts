/** Colours of runs: TensorBoard's own, moved until they stand out 3:1 from the card behind them. */

import type { Run } from "./answers";

export type Colour = { readonly light: string; readonly dark: string };

/** In the order in which TensorBoard gives them out. */
export const PALETTE: readonly Colour[] = [
  { light: "#425066", dark: "#a9b3bf" },
  { light: "#0b8a9c", dark: "#12b5cb" },
  { light: "#e52592", dark: "#ff70bd" },
  { light: "#b57b00", dark: "#f9ab00" },
  { light: "#9334e6", dark: "#c58af9" },
  { light: "#5a8f25", dark: "#8fcf4f" },
  { light: "#d35f00", dark: "#f28b3b" },
];

/** The backgrounds that curves are drawn on. */
export const CARD: Colour = { light: "#ffffff", dark: "#3a3a3a" };

/** The colour of every run, by the order in which they were started, as TensorBoard does. */
export function coloursOf(runs: readonly Run[]): ReadonlyMap<string, Colour> {
  const started = [...runs].sort(
    (one, other) =>
      (one.startTime ?? Number.POSITIVE_INFINITY) - (other.startTime ?? Number.POSITIVE_INFINITY) ||
      (one.name < other.name ? -1 : 1),
  );
  return new Map(started.map((run, index) => [run.name, colourAt(index)]));
}

export function colourAt(index: number): Colour {
  return PALETTE[index % PALETTE.length] ?? { light: "#425066", dark: "#a9b3bf" };
}
