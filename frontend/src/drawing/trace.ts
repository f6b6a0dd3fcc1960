/** Curves without axes, on a canvas of their own. */

import { type Axis, pixelOf } from "../model/axis";
import { clamp } from "../model/timeline";
import type { Range } from "../units";
import type { Drawing } from "./chart";

const HEIGHT = 34; // CSS pixels
const EDGE = 2;
const PALE = 0.45;

/** Draw curves over the width of an axis, and as high as their range. */
export function traceAll(
  canvas: HTMLCanvasElement,
  axis: Axis,
  drawings: readonly Drawing[],
  range: Range,
  log: boolean,
): void {
  const ratio = devicePixelRatio;
  canvas.width = Math.round(axis.width * ratio);
  canvas.height = Math.round(HEIGHT * ratio);
  const context = canvas.getContext("2d");
  if (context === null) return;
  const scaled = log ? Math.log : (value: number) => value;
  const [low, high] = [scaled(range[0]), scaled(range[1])];
  context.scale(ratio, ratio);
  for (const { line, colour, side } of drawings) {
    const values = line.smooth ?? line.max;
    context.strokeStyle = colour;
    context.globalAlpha = side === null ? PALE : 1;
    context.setLineDash(side === "b" ? [4, 2] : []);
    context.beginPath();
    line.xs.forEach((x, at) => {
      const value = values[at] ?? null;
      if (value === null) return;
      const up = clamp((scaled(value) - low) / (high - low), 0, 1);
      const y = HEIGHT - EDGE - up * (HEIGHT - 2 * EDGE);
      const to = pixelOf(axis, x) - axis.left;
      if ((values[at - 1] ?? null) === null) context.moveTo(to, y);
      else context.lineTo(to, y);
    });
    context.stroke();
  }
}
