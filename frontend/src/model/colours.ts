/** Colours: of runs (TensorBoard's own, moved until they stand out 3:1), and of norms (cividis). */

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

/** Red, green, blue; 0 to 255. */
export type Rgb = readonly [number, number, number];

/** A colour, and how far along the scale it is. */
type Stop = readonly [number, Rgb];

const SHADES = 255; // odd, so that one is in the middle

/** Nuñez, Anderton and Renslow, PLOS ONE 13(7), 2018; ten of its colours. */
const CIVIDIS: readonly Stop[] = evenly([
  [0, 34, 78],
  [18, 53, 112],
  [59, 73, 108],
  [87, 93, 109],
  [112, 113, 115],
  [138, 134, 120],
  [165, 156, 116],
  [195, 179, 105],
  [225, 204, 85],
  [254, 232, 56],
]);

/**
 * Vik, which diverges from the middle: Crameri, Scientific colour maps, doi:10.5281/zenodo.1243862;
 * seven of its colours.
 */
const VIK: readonly Stop[] = [
  [0, [0, 18, 97]],
  [0.2, [17, 100, 150]],
  [0.4, [167, 201, 218]],
  [0.5, [236, 229, 224]],
  [0.6, [225, 184, 160]],
  [0.8, [183, 90, 38]],
  [1, [89, 0, 8]],
];

export type Scheme = {
  /** From small to large; packed, to be painted. */
  readonly norms: Uint32Array;
  /** From much smaller to much larger than the other run. */
  readonly differences: Uint32Array;
  /** The same as CSS, for legends. */
  readonly legend: { readonly norms: string; readonly differences: string };
};

export const COLOURFUL = schemeOf(CIVIDIS, VIK);

/** Without colours: the larger, the more ink; a difference by how large it is, either way. */
export const plain = (ground: Rgb, ink: Rgb): Scheme =>
  schemeOf(evenly([ground, ink]), evenly([ink, ground, ink]));

/** As a picture's pixel on a little-endian machine, which all that run browsers are; opaque. */
export function packed([red, green, blue]: Rgb): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

function schemeOf(norms: readonly Stop[], differences: readonly Stop[]): Scheme {
  return {
    norms: Uint32Array.from({ length: SHADES }, (_, at) => packed(between(norms, at))),
    differences: Uint32Array.from({ length: SHADES }, (_, at) => packed(between(differences, at))),
    legend: { norms: gradient(norms), differences: gradient(differences) },
  };
}

function evenly(colours: readonly Rgb[]): Stop[] {
  return colours.map((colour, at) => [at / (colours.length - 1), colour]);
}

/** On a straight line between the stops around it. */
function between(stops: readonly Stop[], shade: number): Rgb {
  const at = shade / (SHADES - 1);
  const above = Math.max(
    1,
    stops.findIndex(([place]) => place >= at),
  );
  const [from, low] = stops[above - 1] ?? [0, [0, 0, 0]];
  const [to, high] = stops[above] ?? [1, [0, 0, 0]];
  const mix = (channel: 0 | 1 | 2) =>
    Math.round(low[channel] + ((high[channel] - low[channel]) * (at - from)) / (to - from));
  return [mix(0), mix(1), mix(2)];
}

function gradient(stops: readonly Stop[]): string {
  const parts = stops.map(([at, rgb]) => `rgb(${rgb}) ${100 * at}%`);
  return `linear-gradient(90deg, ${parts.join(", ")})`;
}
