/** Norms as colours: a picture of layers over steps, in which nothing that is not finite gets lost. */

import type { Range } from "../units";
import type { Heatmap } from "./answers";
import { packed, type Rgb } from "./colours";

/** Rows that share pixels, and these pixels. */
export type Band = {
  readonly top: number;
  readonly bottom: number;
  readonly layers: readonly string[];
};

/** What is not a number: striped one way, the other way, chequered. */
export type Patterns = {
  readonly nan: Rgb;
  readonly inf: Rgb;
  /** What only one of two runs has. */
  readonly alone: Rgb;
  /** Between the stripes. */
  readonly ground: Rgb;
};

const STRIPE = 3; // pixels
const CHECK = 2;

/** Cells that are no colour; all colours are above. */
const CELL = { nothing: -1, nan: -2, inf: -3, alone: -4 };
const LINED = 2 ** 32; // is added to a colour

/** Whether a norm is to be seen rather than another one: NaN, infinity, then the larger. */
export const worse = (norm: number, than: number): boolean =>
  norm > than || (Number.isNaN(norm) && !Number.isNaN(than));

/** Whole decades around all that is in heat-maps which share their colours. */
export function decadesOf(heatmaps: readonly Heatmap[]): Range {
  const lows = heatmaps.flatMap(({ low }) => (low === null ? [] : [low]));
  const highs = heatmaps.flatMap(({ high }) => (high === null || high <= 0 ? [] : [high]));
  if (lows.length === 0 || highs.length === 0) return [-1, 1];
  const from = Math.floor(Math.log10(Math.min(...lows)));
  const to = Math.ceil(Math.log10(Math.max(...highs)));
  return to > from ? [from, to] : [from, from + 1];
}

/** The colour of each norm, on a scale of decades. */
export function shade(norms: Float32Array, [low, high]: Range, shades: Uint32Array): Float64Array {
  const last = shades.length - 1;
  const perDecade = last / (high - low);
  const perUnit = perDecade / Math.LN10; // of the natural logarithm, the quickest
  const cells = new Float64Array(norms.length);
  for (let at = 0; at < norms.length; at++) {
    const norm = norms[at] ?? -1;
    if (norm < 0) cells[at] = CELL.nothing;
    else if (Number.isNaN(norm)) cells[at] = CELL.nan;
    else if (norm === Number.POSITIVE_INFINITY) cells[at] = CELL.inf;
    else {
      const along = norm === 0 ? 0 : Math.round(Math.log(norm) * perUnit - low * perDecade);
      cells[at] = shades[Math.max(0, Math.min(last, along))] ?? 0;
    }
  }
  return cells;
}

/**
 * The colour of each norm by how many times that of the other run it is, up to `most` doublings.
 * Where colours do not tell smaller from larger, what is smaller can be `lined`.
 */
export function shadeDifference(
  norms: Float32Array,
  others: Float32Array,
  most: number,
  shades: Uint32Array,
  lined: boolean,
): Float64Array {
  const last = shades.length - 1;
  const cells = new Float64Array(norms.length);
  for (let at = 0; at < norms.length; at++) {
    const [norm, other] = [norms[at] ?? -1, others[at] ?? -1];
    if (norm < 0 && other < 0) cells[at] = CELL.nothing;
    else if (norm < 0 || other < 0) cells[at] = CELL.alone;
    else if (Number.isNaN(norm) || Number.isNaN(other)) cells[at] = CELL.nan;
    else if (Math.max(norm, other) === Number.POSITIVE_INFINITY) cells[at] = CELL.inf;
    else {
      const along = Math.max(-1, Math.min(1, doublings(norm, other) / most));
      const colour = shades[Math.round(((along + 1) / 2) * last)] ?? 0;
      cells[at] = lined && along < 0 ? colour + LINED : colour;
    }
  }
  return cells;
}

/** How many times the one norm is twice the other; 0 where both are 0. */
export const doublings = (norm: number, other: number): number =>
  norm === other ? 0 : Math.log2(norm / other);

/** Paint cells, one row per band, into pixels of four bytes that are blank. */
export function paint(
  pixels: Uint32Array,
  width: number,
  bands: readonly Band[],
  cells: Float64Array,
  patterns: Patterns,
): void {
  const ground = packed(patterns.ground);
  const hatches: Readonly<Record<number, Hatch>> = {
    [CELL.nan]: [packed(patterns.nan), (x, y) => striped(x + y, STRIPE)],
    [CELL.inf]: [packed(patterns.inf), (x, y) => striped(x - y, STRIPE)],
    [CELL.alone]: [packed(patterns.alone), (x, y) => striped(x, CHECK) !== striped(y, CHECK)],
  };
  bands.forEach(({ top, bottom }, band) => {
    for (let x = 0; x < width; x++) {
      const cell = cells[band * width + x] ?? CELL.nothing;
      if (cell === CELL.nothing) continue;
      if (cell >= 0 && cell < LINED) {
        for (let y = top; y < bottom; y++) pixels[y * width + x] = cell;
        continue;
      }
      const [colour, on] = hatches[cell] ?? [cell - LINED, lines];
      for (let y = top; y < bottom; y++) pixels[y * width + x] = on(x, y) ? colour : ground;
    }
  });
}

type Hatch = readonly [number, (x: number, y: number) => boolean];

const lines = (x: number) => striped(x, CHECK);

const striped = (along: number, stripe: number): boolean =>
  Math.floor((along + 1024 * stripe) / stripe) % 2 === 0;
