/** What is measured of each layer at a step: which of it can be heard, and how it is named. */

import { formatValue } from "./words";

export const QUANTITIES = ["gradient", "update", "ratio", "weight"] as const;
export type Quantity = (typeof QUANTITIES)[number];

type Words = {
  /** "Gradients", where one is chosen. */
  readonly name: string;
  /** "gradients", for what is heard. */
  readonly heard: string;
  /** "gradient norm", for a value of it. */
  readonly value: string;
  /** "norm", for a value of which nobody needs to be told what it is of. */
  readonly short: string;
  /** What is said where a layer has none. */
  readonly none: string;
  /** The value that sounds at 440 Hz; in the API `at_440_hz`. */
  readonly at440Hz: number;
};

const norm = (of: string): Words => ({
  name: capital(`${of}s`),
  heard: `${of}s`,
  value: `${of} norm`,
  short: "norm",
  none: `no ${of}`,
  at440Hz: 1,
});

export const WORDS: Readonly<Record<Quantity, Words>> = {
  gradient: norm("gradient"),
  update: norm("update"),
  ratio: {
    name: "Update / weight",
    heard: "update / weight ratios",
    value: "update / weight ratio",
    short: "ratio",
    none: "no ratio",
    at440Hz: 1e-3,
  },
  weight: norm("weight"),
};

/** What to do about a run that lacks some. */
export const MEASURED_BY = "Updates and weights are measured by watch, unless updates=False";

/** "Update norms". */
export const titleOf = (quantity: Quantity): string => capital(`${WORDS[quantity].value}s`);

function capital(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** Whatever has quantities, such as a run. */
type Measured = { readonly quantities: readonly Quantity[] };

/** The quantity that is heard: what was chosen where a run has it, else the first that one has. */
export function settleQuantity(runs: readonly Measured[], chosen: Quantity): Quantity {
  const known = QUANTITIES.filter((each) =>
    runs.some(({ quantities }) => quantities.includes(each)),
  );
  return known.includes(chosen) ? chosen : (known[0] ?? "gradient");
}

/** The quantity after this one, of those that a run has, and round again; null where there is no other. */
export function nextQuantity(runs: readonly Measured[], quantity: Quantity): Quantity | null {
  const at = QUANTITIES.indexOf(quantity);
  const following = [...QUANTITIES.slice(at + 1), ...QUANTITIES.slice(0, at)];
  return following.find((each) => settleQuantity(runs, each) === each) ?? null;
}

/** A value in figures; ratios, which are small, with a power of ten. */
export function formatNorm(value: number, quantity: Quantity): string {
  const size = Math.abs(value);
  if (quantity !== "ratio" || !(size > 0 && size < 0.1)) return formatValue(value);
  return Number(value.toPrecision(3)).toExponential().replaceAll("-", "−");
}
