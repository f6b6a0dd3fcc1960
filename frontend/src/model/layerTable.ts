/** The numbers of layers, in the order that somebody asked for. */

import type { LayerNumbers } from "./answers";

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
