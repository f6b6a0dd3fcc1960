/** Surfaces: the loss over a plane of weights with paths on it; levels, contours, places, words. */

import { lastNotAfter } from "./notes";
import { formatStep, formatValue } from "./words";

export type PlanePath = {
  readonly name: string;
  /** Share of its variance that the plane holds; null: unknown. */
  readonly explained: number | null;
  readonly steps: Float64Array;
  /** Of the foot of the perpendicular of each snapshot. */
  readonly xs: Float64Array;
  readonly ys: Float64Array;
  /** From the plane, and the loss at the snapshot itself. */
  readonly distance: Float64Array;
  readonly losses: Float64Array;
};

export type Surface = {
  readonly run: string;
  readonly name: string;
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Row by row, by increasing y. */
  readonly losses: Float64Array;
  readonly words: readonly string[];
  /** The share of its variance that two components of a random walk hold. */
  readonly randomWalk: number;
  readonly paths: readonly PlanePath[];
};

export type Grid = {
  readonly columns: number;
  readonly rows: number;
  /** NaN where the loss is no number. */
  readonly heights: Float64Array;
};

/** Losses as heights, 0 for the lowest to 1; logarithmic where all are above 0. */
export type Relief = Grid & {
  readonly heightOf: (loss: number) => number;
  readonly lossOf: (height: number) => number;
  /** Losses of contours, round and increasing, and the segments of each. */
  readonly levels: readonly number[];
  readonly contours: readonly Float32Array[];
};

const MOST_DECADES = 8; // above the lowest loss; what is higher has the same colour
const MOST_LEVELS = 12;

export function reliefOf({ x, y, losses }: Surface): Relief {
  const finite = losses.filter(Number.isFinite);
  const [low, top] = [least(finite), -least(finite.map((loss) => -loss))];
  const log = low > 0 && top / low > 2;
  const high = log ? Math.min(top, low * 10 ** MOST_DECADES) : top;
  const scaled = log ? Math.log10 : (loss: number) => loss;
  const [from, span] = [scaled(low), scaled(high) - scaled(low) || 1];
  const heightOf = (loss: number) =>
    Number.isFinite(loss)
      ? Math.max(0, Math.min(1, ((log && loss <= low ? from : scaled(loss)) - from) / span))
      : Number.NaN;
  const lossOf = (height: number) => (log ? 10 ** (from + height * span) : from + height * span);
  const levels = log ? decadeLevels(low, high) : evenLevels(low, high);
  const grid = { columns: x.length, rows: y.length, heights: losses.map(heightOf) };
  const contours = levels.map((level) => contour(grid, heightOf(level)));
  return { ...grid, heightOf, lossOf, levels, contours };
}

const least = (values: Float64Array): number =>
  values.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);

/** 1, 2, 5 of each decade between, or 1 and 3, or only 1, so that there are not too many. */
function decadeLevels(low: number, high: number): number[] {
  for (const digits of [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
    const found: number[] = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      found.push(...digits.map((digit) => Number(`${digit}e${power}`)));
    }
    const within = found.filter((level) => level > low && level < high);
    if (within.length <= MOST_LEVELS) return within;
  }
  return [];
}

function evenLevels(low: number, high: number): number[] {
  const rough = (high - low) / 6;
  if (!(rough > 0)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((digit) => digit * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step) + 1;
  return Array.from({ length: 12 }, (_, at) =>
    Number(((first + at) * step).toPrecision(12)),
  ).filter((level) => level < high);
}

/**
 * Segments of a contour by marching squares, in columns and rows from the first cell: x, y of one
 * end, x, y of the other. Squares with a corner that is no number have none.
 */
export function contour({ columns, rows, heights }: Grid, level: number): Float32Array {
  const found: number[] = [];
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const at = row * columns + column;
      const a = (heights[at] ?? 0) - level;
      const b = (heights[at + 1] ?? 0) - level;
      const c = (heights[at + columns + 1] ?? 0) - level;
      const d = (heights[at + columns] ?? 0) - level;
      const kind = (a > 0 ? 1 : 0) | (b > 0 ? 2 : 0) | (c > 0 ? 4 : 0) | (d > 0 ? 8 : 0);
      if (kind === 0 || kind === 15 || Number.isNaN(a + b + c + d)) continue;
      const edges = EDGES[kind === 5 || kind === 10 ? saddle(kind, a + b + c + d) : kind] ?? [];
      for (const edge of edges) {
        if (edge === 0) found.push(column + a / (a - b), row);
        else if (edge === 1) found.push(column + 1, row + b / (b - c));
        else if (edge === 2) found.push(column + d / (d - c), row + 1);
        else found.push(column, row + a / (a - d));
      }
    }
  }
  return Float32Array.from(found);
}

/** Which edges are joined, by the corners that are above: lower, right, upper, left as 0 to 3. */
const EDGES: readonly (readonly number[])[] = [
  [],
  [3, 0],
  [0, 1],
  [3, 1],
  [1, 2],
  [3, 2, 0, 1],
  [0, 2],
  [3, 2],
  [2, 3],
  [0, 2],
  [3, 0, 1, 2],
  [1, 2],
  [1, 3],
  [0, 1],
  [0, 3],
  [],
];

/** Of two corners above across from each other: whether the middle joins them. */
const saddle = (kind: number, sum: number): number => (sum > 0 ? kind : 15 - kind);

/** Column and row of a place, with fractions. */
export const cellOf = ({ x, y }: Surface, atX: number, atY: number): readonly [number, number] => [
  along(x, atX),
  along(y, atY),
];

function along(coordinates: Float64Array, at: number): number {
  const last = coordinates.length - 1;
  if (last < 1) return 0;
  const index = Math.max(0, Math.min(last - 1, lastNotAfter(coordinates, at, last + 1)));
  const [from, to] = [coordinates[index] ?? 0, coordinates[index + 1] ?? 0];
  return index + (at - from) / (to - from);
}

/** The loss of the map at a place between cells; NaN off the map, and beside what is no number. */
export function mapAt(surface: Surface, relief: Relief, x: number, y: number): number {
  return relief.lossOf(heightAt(relief, ...cellOf(surface, x, y)));
}

export function heightAt({ columns, rows, heights }: Relief, column: number, row: number): number {
  if (!(column >= 0 && row >= 0 && column <= columns - 1 && row <= rows - 1)) return Number.NaN;
  const left = Math.min(Math.floor(column), Math.max(columns - 2, 0));
  const below = Math.min(Math.floor(row), Math.max(rows - 2, 0));
  const [right, above] = [Math.min(left + 1, columns - 1), Math.min(below + 1, rows - 1)];
  const of = (at: number, line: number) => heights[line * columns + at] ?? Number.NaN;
  const share = column - left;
  return mix(
    mix(of(left, below), of(right, below), share),
    mix(of(left, above), of(right, above), share),
    row - below,
  );
}

/** At either end, what is at the other one does not count, even if it is no number. */
const mix = (from: number, to: number, share: number): number =>
  share === 0 ? from : share === 1 ? to : from + share * (to - from);

/** The loss of the cell that is nearest to a place, as it was evaluated; null off the map. */
export function lossUnder(surface: Surface, x: number, y: number): number | null {
  const [column, row] = cellOf(surface, x, y).map(Math.round) as [number, number];
  const [columns, rows] = [surface.x.length, surface.y.length];
  if (column < 0 || row < 0 || column >= columns || row >= rows) return null;
  return surface.losses[row * columns + column] ?? null;
}

/** The last snapshot not after a step, or the first. */
export const snapshotAt = ({ steps }: PlanePath, step: number): number =>
  Math.max(0, lastNotAfter(steps, step, steps.length));

/** How far a step is from one snapshot of a path, 0, to the next one, 1. */
export function pastSnapshot({ steps }: PlanePath, at: number, step: number): number {
  const [from, to] = [steps[at] ?? 0, steps[at + 1] ?? 0];
  return to > from ? Math.max(0, Math.min(1, (step - from) / (to - from))) : 0;
}

/** The run that a path is of, among those that there are: by its name, beside the run of the surface. */
export function runOfPath(
  surface: Pick<Surface, "run" | "paths">,
  path: string,
  runs: readonly string[],
): string | null {
  const beside = surface.run.slice(0, surface.run.lastIndexOf("/") + 1);
  const wanted = [path, `${beside}${path}`, `${surface.run}/${path}`];
  const found = wanted.find((name) => runs.includes(name));
  return found ?? (surface.paths.length === 1 ? surface.run : null);
}

/** "loss 0.31, map 0.29, 3.1 from the plane". */
export function snapshotWords(
  surface: Surface,
  relief: Relief,
  path: PlanePath,
  at: number,
): string {
  const map = mapAt(surface, relief, path.xs[at] ?? Number.NaN, path.ys[at] ?? Number.NaN);
  const known = Number.isNaN(map) ? "off the map" : `map ${formatValue(map)}`;
  const away = path.distance[at] ?? Number.NaN;
  return `loss ${formatValue(path.losses[at] ?? Number.NaN)}, ${known}, ${formatValue(away)} from the plane`;
}

/** Of a place beside all paths: the loss of its cell, and how far it is from a snapshot. */
export function placeWords(
  surface: Surface,
  x: number,
  y: number,
  path: PlanePath | null,
  at: number,
): string {
  const loss = lossUnder(surface, x, y);
  if (loss === null) return "off the map";
  const away =
    path === null
      ? Number.NaN
      : Math.hypot(x - (path.xs[at] ?? Number.NaN), y - (path.ys[at] ?? Number.NaN));
  const from = Number.isNaN(away)
    ? ""
    : `, ${formatValue(Number(away.toPrecision(2)))} from ${path?.name} at step ${formatStep(path?.steps[at] ?? 0)}`;
  return `(${formatValue(Number(x.toPrecision(2)))}, ${formatValue(Number(y.toPrecision(2)))}): loss ${formatValue(loss)}${from}`;
}

/** "step 120, 21 of 39: loss 0.31, ...". */
export const readWords = (surface: Surface, relief: Relief, path: PlanePath, at: number): string =>
  `step ${formatStep(path.steps[at] ?? 0)}, ${at + 1} of ${path.steps.length}: ${snapshotWords(surface, relief, path, at)}`;

export const shareWords = (share: number | null): string =>
  share === null ? "—" : `${Math.round(100 * share)}%`;
