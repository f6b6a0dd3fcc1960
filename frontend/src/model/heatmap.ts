/** Norms as colours: a picture of layers over steps, in which nothing that is not finite gets lost. */

import type { Range } from "../units";
import type { Heatmap } from "./answers";

/** Red, green, blue; 0 to 255. */
export type Rgb = readonly [number, number, number];

export type Colours = {
  readonly nan: Rgb;
  readonly inf: Rgb;
  /** Between the stripes. */
  readonly ground: Rgb;
};

/**
 * Cividis, which is perceptually uniform and the same to people who confuse colours: Nuñez,
 * Anderton and Renslow, PLOS ONE 13(7), 2018; ten of its colours, the rest on straight lines.
 */
const CIVIDIS: readonly Rgb[] = [
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
];
const SHADES = 256;
const STRIPE = 3; // pixels

const LUT: readonly Rgb[] = Array.from({ length: SHADES }, (_, shade) => {
  const at = (shade / (SHADES - 1)) * (CIVIDIS.length - 1);
  const below = Math.min(Math.floor(at), CIVIDIS.length - 2);
  const [low, high] = [CIVIDIS[below] ?? [0, 0, 0], CIVIDIS[below + 1] ?? [0, 0, 0]];
  const mix = (channel: 0 | 1 | 2) =>
    Math.round(low[channel] + (high[channel] - low[channel]) * (at - below));
  return [mix(0), mix(1), mix(2)];
});

/** As a CSS gradient, for the legend. */
export const GRADIENT = `linear-gradient(90deg, ${CIVIDIS.map((rgb) => `rgb(${rgb})`).join(", ")})`;

/** Whole decades around all that is in heat-maps which share their colours. */
export function decadesOf(heatmaps: readonly Heatmap[]): Range {
  const lows = heatmaps.flatMap(({ low }) => (low === null ? [] : [low]));
  const highs = heatmaps.flatMap(({ high }) => (high === null || high <= 0 ? [] : [high]));
  if (lows.length === 0 || highs.length === 0) return [-1, 1];
  const from = Math.floor(Math.log10(Math.min(...lows)));
  const to = Math.ceil(Math.log10(Math.max(...highs)));
  return to > from ? [from, to] : [from, from + 1];
}

/**
 * Paint into pixels of four bytes: layers from top to bottom, NaN and infinity striped in opposite
 * directions, nothing where nothing is. Where a pixel row is of several layers, or a pixel of
 * several columns, the worst of them is seen.
 */
export function paint(
  pixels: Uint32Array,
  width: number,
  height: number,
  heatmap: Heatmap,
  [low, high]: Range,
  colours: Colours,
): void {
  const { columns, max } = heatmap;
  const layers = heatmap.layers.length;
  const [nan, inf, ground] = [colours.nan, colours.inf, colours.ground].map(packed);
  const shades = LUT.map(packed);
  const perDecade = (SHADES - 1) / (high - low);
  for (let y = 0; y < height; y++) {
    const top = Math.floor((y * layers) / height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * layers) / height));
    for (let x = 0; x < width; x++) {
      const left = Math.floor((x * columns) / width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * columns) / width));
      let worst = -1;
      for (let column = left; column < right; column++) {
        for (let at = column * layers + top; at < column * layers + bottom; at++) {
          const norm = max[at] ?? -1;
          // NaN compares with nothing, so that it stays once it is found.
          if (norm > worst || Number.isNaN(norm)) worst = norm;
        }
      }
      if (worst < 0) continue;
      let colour: number | undefined;
      if (Number.isNaN(worst)) colour = striped(x + y) ? nan : ground;
      else if (worst === Number.POSITIVE_INFINITY) colour = striped(x - y) ? inf : ground;
      else {
        const shade = worst === 0 ? 0 : Math.round((Math.log10(worst) - low) * perDecade);
        colour = shades[Math.max(0, Math.min(SHADES - 1, shade))];
      }
      pixels[y * width + x] = colour ?? 0;
    }
  }
}

/** As a picture's pixel on a little-endian machine, which all that run browsers are; opaque. */
const packed = ([red, green, blue]: Rgb): number =>
  ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

const striped = (along: number): boolean => Math.floor((along + 1024 * STRIPE) / STRIPE) % 2 === 0;
