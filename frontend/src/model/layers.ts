/** The rows of a layer lane: layers or folded modules from top to bottom; and the table of layers. */

import type { LayerNumbers } from "./answers";
import { type Band, worse } from "./heatmap";
import { clamp, lastNotAfter } from "./notes";

export type Row = {
  /** Of all rows, the same in every lane. */
  readonly key: string;
  readonly name: string;
  /** The module that it is, or is in. */
  readonly module: string | null;
  /** Several: a closed module. */
  readonly layers: readonly string[];
};

const NAMED_PIXELS = 14; // of a row that has its name on it
export const FOCUSED_PIXELS = 2 * NAMED_PIXELS; // and is seen under it
const LANE_PIXELS = { least: FOCUSED_PIXELS, most: 200 };
const CROWDED_PIXELS = 2; // thinner rows are closed at first

export type Arrangement = {
  readonly has: (layer: string) => boolean;
  readonly closed: (module: string) => boolean;
  /** Rows are in this order, largest first; null: by depth. */
  readonly size: ((layer: string) => number) | null;
};

/** The rows of a lane that has some of the layers of these modules. */
export function rowsOf(modules: readonly Module[], { has, closed, size }: Arrangement): Row[] {
  const own = modules
    .map(({ name, layers }) => ({ name, layers: sorted(layers.filter(has), size) }))
    .filter(({ layers }) => layers.length > 0);
  if (size !== null) {
    own.sort((one, other) => compare(size(one.layers[0] ?? ""), size(other.layers[0] ?? "")));
  }
  return own.flatMap(({ name, layers }): Row[] => {
    if (name !== null && closed(name)) return [{ key: `${name}.*`, name, module: name, layers }];
    return layers.map((layer) => ({ key: layer, name: layer, module: name, layers: [layer] }));
  });
}

const sorted = (layers: readonly string[], size: Arrangement["size"]): readonly string[] =>
  size === null ? layers : [...layers].sort((one, other) => compare(size(one), size(other)));

/** NaN before infinity before numbers, the largest first. */
const compare = (one: number, other: number): number =>
  Object.is(one, other) ? 0 : worse(one, other) ? -1 : 1;

export const laneHeight = (rows: number): number =>
  clamp((rows + 1) * NAMED_PIXELS, LANE_PIXELS.least, LANE_PIXELS.most);

/** Whether so many rows would be too thin to be told apart. */
export const crowded = (rows: number): boolean => laneHeight(rows) / rows < CROWDED_PIXELS;

/** The upper edge of each row and, at the end, the lower one of the last; the focused one is tall. */
export function rowEdges(rows: number, focused: number): Float64Array {
  const height = laneHeight(rows);
  const edges = new Float64Array(rows + 1);
  const wide = rows > 1 && focused >= 0 && height / rows < FOCUSED_PIXELS;
  const plain = wide ? (height - FOCUSED_PIXELS) / (rows - 1) : height / Math.max(rows, 1);
  for (let row = 0; row < rows; row++) {
    edges[row + 1] = (edges[row] ?? 0) + (wide && row === focused ? FOCUSED_PIXELS : plain);
  }
  return edges;
}

/** The row at a pixel. */
export const rowAt = (edges: Float64Array, y: number): number =>
  clamp(lastNotAfter(edges, y, edges.length - 1), 0, edges.length - 2);

export function bandsOf(rows: readonly Row[], edges: Float64Array): Band[] {
  const bands: { top: number; bottom: number; layers: string[] }[] = [];
  rows.forEach(({ layers }, row) => {
    const top = Math.floor((edges[row] ?? 0) + 1e-6);
    const last = bands.at(-1);
    if (last?.top === top) last.layers.push(...layers);
    else bands.push({ top, bottom: 0, layers: [...layers] });
  });
  const height = Math.round(edges.at(-1) ?? 0);
  bands.forEach((band, at) => {
    band.bottom = bands[at + 1]?.top ?? height;
  });
  return bands;
}

export type Module = {
  /** Null: a layer that is alone in its module. */
  readonly name: string | null;
  readonly layers: readonly string[];
};

const MOST_LAYERS = 16; // of a module, where it can be taken apart

/** The modules of some layers, in order of their first ones. */
export const modulesOf = (layers: readonly string[]): Module[] => partsOf(layers, 1);

function partsOf(layers: readonly string[], depth: number): Module[] {
  return [...byPrefix(layers, depth)].flatMap(([name, members]) => {
    if (members.length === 1) return [{ name: null, layers: members }];
    const apart = byPrefix(members, depth + 1).size;
    if (members.length > MOST_LAYERS && apart < members.length) return partsOf(members, depth + 1);
    return [{ name, layers: members }];
  });
}

function byPrefix(layers: readonly string[], depth: number): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  for (const layer of layers) {
    const prefix = layer.split(".", depth).join(".");
    const members = parts.get(prefix);
    if (members === undefined) parts.set(prefix, [layer]);
    else members.push(layer);
  }
  return parts;
}

export type Column = keyof LayerNumbers;

export const COLUMNS: readonly { readonly key: Column; readonly title: string }[] = [
  { key: "layer", title: "Layer" },
  { key: "min", title: "Min" },
  { key: "median", title: "Median" },
  { key: "max", title: "Max" },
  { key: "nan", title: "NaN" },
  { key: "inf", title: "Inf" },
  { key: "stepOfMax", title: "Step of max" },
];

export type Sorting = { readonly column: Column; readonly down: boolean } | null;

/** Sorted by a column, what is not known last; without one, by depth. */
export function sortLayers(layers: readonly LayerNumbers[], sorting: Sorting): LayerNumbers[] {
  if (sorting === null) return [...layers];
  const { column, down } = sorting;
  const sign = down ? -1 : 1;
  return [...layers].sort((one, other) => {
    const [a, b] = [one[column], other[column]];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return a === b ? 0 : a < b ? -sign : sign;
  });
}

/** What the next press on the head of a column asks for: numbers begin with the largest. */
export function nextSorting(sorting: Sorting, column: Column): Sorting {
  const first = column !== "layer";
  if (sorting?.column !== column) return { column, down: first };
  return sorting.down === first ? { column, down: !first } : null;
}

const HEIGHTS = [44, 44, 60, 84]; // of a lane of so many streams, in pixels
const MOST = 92;

/** Height of a lane of so many streams, in pixels. */
export const heardHeightOf = (streams: number): number => HEIGHTS[streams] ?? MOST;
