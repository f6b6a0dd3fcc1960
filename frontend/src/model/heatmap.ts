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
 * Paint into pixels, four bytes each: layers from top to bottom, NaN and infinity striped in
 * opposite directions, nothing where nothing is. Where a pixel row is of several layers, or a
 * pixel of several columns, the worst of them is seen.
 */
export function paint(
  pixels: Uint8ClampedArray,
  width: number,
  height: number,
  heatmap: Heatmap,
  decades: Range,
  colours: Colours,
): void {
  const layers = heatmap.layers.length;
  for (let y = 0; y < height; y++) {
    const [top, bottom] = share(y, height, layers);
    for (let x = 0; x < width; x++) {
      const [left, right] = share(x, width, heatmap.columns);
      const norm = worst(heatmap, left, right, top, bottom);
      const rgb = colourOf(norm, x, y, decades, colours);
      if (rgb === null) continue;
      const at = 4 * (y * width + x);
      pixels[at] = rgb[0];
      pixels[at + 1] = rgb[1];
      pixels[at + 2] = rgb[2];
      pixels[at + 3] = 255;
    }
  }
}

function share(pixel: number, pixels: number, entries: number): [number, number] {
  const first = Math.floor((pixel * entries) / pixels);
  return [first, Math.max(first + 1, Math.floor(((pixel + 1) * entries) / pixels))];
}

function worst(heatmap: Heatmap, left: number, right: number, top: number, bottom: number): number {
  const layers = heatmap.layers.length;
  let found = -1;
  for (let column = left; column < right; column++) {
    for (let layer = top; layer < bottom; layer++) {
      const norm = heatmap.max[column * layers + layer] ?? -1;
      if (Number.isNaN(norm)) return norm;
      if (norm > found) found = norm;
    }
  }
  return found;
}

function colourOf(
  norm: number,
  x: number,
  y: number,
  decades: Range,
  colours: Colours,
): Rgb | null {
  if (Number.isNaN(norm)) return striped(x + y) ? colours.nan : colours.ground;
  if (norm === Number.POSITIVE_INFINITY) return striped(x - y) ? colours.inf : colours.ground;
  if (norm < 0) return null;
  if (norm === 0) return LUT[0] ?? null;
  const along = (Math.log10(norm) - decades[0]) / (decades[1] - decades[0]);
  return LUT[Math.round(Math.max(0, Math.min(1, along)) * (SHADES - 1))] ?? null;
}

const striped = (along: number): boolean => Math.floor((along + 3 * 1024) / STRIPE) % 2 === 0;
