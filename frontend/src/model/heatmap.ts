/** Norms as colours: a picture of layers over steps, in which nothing that is not finite gets lost. */

import type { Range } from "../units";
import type { Heatmap } from "./answers";
import { packed, type Rgb } from "./colours";
import { fence, hull, unsqueezed, withoutFar } from "./yaxis";

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
  /** Of a norm that is zero: a layer that learns nothing. */
  readonly zero: Rgb;
  /** Between the stripes. */
  readonly ground: Rgb;
};

const STRIPE = 3; // pixels
const CHECK = 2;

/** Cells that are no colour; all colours are above. */
const CELL = { nothing: -1, nan: -2, inf: -3, alone: -4, zero: -5 };
const LINED = 2 ** 32; // is added to a colour
const BEYOND = 2 ** 33; // likewise: the norm is outside of the scale

/** Whether a norm is to be seen rather than another one: NaN, infinity, then the larger. */
export const worse = (norm: number, than: number): boolean =>
  norm > than || (Number.isNaN(norm) && !Number.isNaN(than));

const TAILS = 0.05; // of the norms that are seen, at either end, that may be outliers
const SAMPLES = 4_000; // norms of a heat-map that its percentiles are taken from

/**
 * Whole decades around the norms that are seen in heat-maps which share their colours; without
 * outliers where these would leave few colours to the rest, and without a run far above the other.
 */
export function decadesOf(heatmaps: readonly Heatmap[]): Range {
  const extents = heatmaps.map(({ max }) => extentOf(max, [0, Number.POSITIVE_INFINITY]));
  const whole = hull(extents);
  const kept = withoutFar(heatmaps.flatMap(bulkOf), true);
  if (whole === null || kept === null) return [-1, 1];
  const [low, high] = unsqueezed(whole, kept, true);
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  return to > from ? [from, to] : [from, from + 1];
}

/** Whether norms that are seen lie outside of a scale of decades. */
export function areBeyond(heatmaps: readonly Heatmap[], [from, to]: Range): boolean {
  const seen = hull(heatmaps.map(({ max }) => extentOf(max, [0, Number.POSITIVE_INFINITY])));
  return seen !== null && (seen[0] < 10 ** from || seen[1] > 10 ** to);
}

/** The norms of a run without its outliers. */
function bulkOf({ max }: Heatmap): Range[] {
  const stride = Math.ceil(max.length / SAMPLES) | 1; // odd, so that all layers are among them
  const sample: number[] = [];
  for (let at = 0; at < max.length; at += stride) {
    const norm = max[at] ?? -1;
    if (norm > 0 && norm < Number.POSITIVE_INFINITY) sample.push(norm);
  }
  const found = sample.length === 0 ? null : extentOf(max, fence(sample, true, TAILS));
  return found === null ? [] : [found];
}

/** The least and the greatest positive, finite norm of those within a range. */
function extentOf(norms: ArrayLike<number>, [least, most]: Range): Range | null {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (let at = 0; at < norms.length; at++) {
    const norm = norms[at] ?? -1;
    if (!(norm > 0 && norm < Number.POSITIVE_INFINITY && norm >= least && norm <= most)) continue;
    if (norm < low) low = norm;
    if (norm > high) high = norm;
  }
  return low <= high ? [low, high] : null;
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
    else if (norm === 0) cells[at] = CELL.zero;
    else {
      const along = Math.round(Math.log(norm) * perUnit - low * perDecade);
      const held = Math.max(0, Math.min(last, along));
      cells[at] = (shades[held] ?? 0) + (held === along ? 0 : BEYOND);
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
    [CELL.zero]: [packed(patterns.zero), () => true],
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
      const [colour, on] =
        hatches[cell] ?? (cell < BEYOND ? [cell - LINED, lines] : [cell - BEYOND, dots]);
      for (let y = top; y < bottom; y++) pixels[y * width + x] = on(x, y) ? colour : ground;
    }
  });
}

type Hatch = readonly [number, (x: number, y: number) => boolean];

const DOTS = 4; // pixels from one to the next

const dots = (x: number, y: number) => x % DOTS !== 1 || y % DOTS !== 1;

const lines = (x: number) => striped(x, CHECK);

const striped = (along: number, stripe: number): boolean =>
  Math.floor((along + 1024 * stripe) / stripe) % 2 === 0;
