/** What is drawn by hand: runs behind A and B, letters at the ends of those, where a curve stops. */

import type uPlot from "uplot";
import { lastNotAfter } from "../model/timeline";
import { type Drawing, type Picture, rangeSeen } from "./chart";

type Point = { readonly x: number; readonly y: number };

const RADIUS = 9;
const DOT_RADIUS = 4;
const FONT = "Roboto, system-ui, sans-serif";

const PALE = 0.45;

/** To be called before A and B are drawn: the other runs, of which there may be many. */
export function drawBehind(chart: uPlot, { drawings }: Picture): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.globalAlpha = PALE;
  ctx.lineWidth = devicePixelRatio;
  for (const drawing of drawings) {
    if (drawing.side === null) trace(chart, drawing);
  }
  ctx.restore();
}

function trace(chart: uPlot, { line, colour }: Drawing): void {
  const { ctx } = chart;
  const [from, to] = rangeSeen(chart);
  const { xs, max, smooth } = line;
  const values = smooth ?? max;
  const last = Math.min(xs.length - 1, lastNotAfter(xs, to, xs.length) + 1);
  let drawing = false;
  ctx.strokeStyle = colour;
  ctx.beginPath();
  for (let at = Math.max(0, lastNotAfter(xs, from, xs.length)); at <= last; at++) {
    const value = values[at] ?? null;
    if (value !== null) {
      const x = chart.valToPos(xs[at] ?? 0, "x", true);
      const y = chart.valToPos(value, "y", true);
      if (drawing) ctx.lineTo(x, y);
      else ctx.moveTo(x, y);
    }
    drawing = value !== null;
  }
  ctx.stroke();
}

/** To be called when the chart is drawn: colour alone must not tell A from B. */
export function markEnds(chart: uPlot, picture: Picture): void {
  const { ctx } = chart;
  const ratio = devicePixelRatio;
  let taken: Point | null = null;
  ctx.save();
  ctx.setLineDash([]); // uPlot leaves the dashes of its last series behind
  const [from, to] = rangeSeen(chart);
  for (const { side, gap, ...drawing } of picture.drawings) {
    if (side === null) continue;
    const letter = picture.lettered ? side.toUpperCase() : "";
    if (gap !== null && gap >= from && gap <= to) {
      const words = letter === "" ? "not a number" : `${letter}: not a number`;
      markGap(chart, { words, line: side === "a" ? 2 : 17 }, drawing.colour, gap, ratio);
    }
    const end = endOf(chart, drawing.line);
    if (end === null) continue;
    const point = besides(held(chart, end, ratio), taken, ratio);
    taken = point;
    drawBadge(ctx, point, letter, drawing.colour, picture.card, ratio);
  }
  ctx.restore();
}

function drawBadge(
  ctx: CanvasRenderingContext2D,
  { x, y }: Point,
  letter: string,
  colour: string,
  card: string,
  ratio: number,
) {
  ctx.beginPath();
  ctx.arc(x, y, (letter === "" ? DOT_RADIUS : RADIUS) * ratio, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.lineWidth = 2 * ratio;
  ctx.strokeStyle = card;
  ctx.stroke();
  ctx.fillStyle = card;
  ctx.font = `bold ${11 * ratio}px ${FONT}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(letter, x, y + 0.5 * ratio);
}

function markGap(
  chart: uPlot,
  { words, line }: { readonly words: string; readonly line: number },
  colour: string,
  gap: number,
  ratio: number,
): void {
  const { ctx, bbox } = chart;
  const x = chart.valToPos(gap, "x", true);
  ctx.strokeStyle = colour;
  ctx.lineWidth = ratio;
  ctx.setLineDash([2 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.fillStyle = colour;
  ctx.font = `bold ${11 * ratio}px ${FONT}`;
  ctx.textBaseline = "top";
  // To the left where there is no room to the right; B one line lower, as both may fail together.
  ctx.textAlign = x > bbox.left + bbox.width - 60 * ratio ? "right" : "left";
  const gapX = (ctx.textAlign === "left" ? 4 : -4) * ratio;
  ctx.fillText(words, x + gapX, bbox.top + line * ratio);
}

/** The last point of a line that is seen. */
function endOf(chart: uPlot, { xs, max, smooth }: Drawing["line"]): Point | null {
  const values = smooth ?? max;
  const [from, to] = rangeSeen(chart);
  let at = lastNotAfter(xs, to, xs.length);
  while (at >= 0 && (values[at] ?? null) === null) at--;
  const [x, y] = [xs[at], values[at]];
  if (x === undefined || y === undefined || y === null || x < from) return null;
  return { x: chart.valToPos(x, "x", true), y: chart.valToPos(y, "y", true) };
}

function held(chart: uPlot, { x, y }: Point, ratio: number): Point {
  const { top, height } = chart.bbox;
  const room = RADIUS * ratio;
  return { x, y: Math.max(top + room, Math.min(top + height - room, y)) };
}

function besides(point: Point, taken: Point | null, ratio: number): Point {
  const reach = 2.2 * RADIUS * ratio;
  if (taken === null || Math.hypot(point.x - taken.x, point.y - taken.y) >= reach) return point;
  return { x: taken.x - reach, y: point.y };
}
