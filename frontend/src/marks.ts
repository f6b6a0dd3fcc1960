/** Letters at the ends of the curves, and where a curve stops being a number. */

import type uPlot from "uplot";
import type { Drawing, Picture } from "./chart";

type Point = { readonly x: number; readonly y: number };

const RADIUS = 9;
const FONT = "Roboto, system-ui, sans-serif";

/** To be called when the chart is drawn: colour alone must not tell A from B. */
export function markEnds(chart: uPlot, picture: Picture): void {
  const { ctx } = chart;
  const ratio = devicePixelRatio;
  let taken: Point | null = null;
  ctx.save();
  ctx.setLineDash([]); // uPlot leaves the dashes of its last series behind
  for (const drawing of picture.drawings) {
    if (drawing.gap !== null) markGap(chart, drawing, drawing.gap, ratio);
    const end = endOf(chart, drawing);
    if (end === null) continue;
    const point = besides(held(chart, end, ratio), taken, ratio);
    taken = point;
    drawBadge(ctx, point, drawing, picture.card, ratio);
  }
  ctx.restore();
}

function drawBadge(
  ctx: CanvasRenderingContext2D,
  { x, y }: Point,
  drawing: Drawing,
  card: string,
  ratio: number,
) {
  ctx.beginPath();
  ctx.arc(x, y, RADIUS * ratio, 0, 2 * Math.PI);
  ctx.fillStyle = drawing.colour;
  ctx.fill();
  ctx.lineWidth = 2 * ratio;
  ctx.strokeStyle = card;
  ctx.stroke();
  ctx.fillStyle = card;
  ctx.font = `bold ${11 * ratio}px ${FONT}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(drawing.side.toUpperCase(), x, y + 0.5 * ratio);
}

function markGap(chart: uPlot, { side, colour }: Drawing, gap: number, ratio: number): void {
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
  const line = side === "a" ? 2 : 17;
  ctx.fillText(`${side.toUpperCase()}: not a number`, x + gapX, bbox.top + line * ratio);
}

function endOf(chart: uPlot, { line }: Drawing): Point | null {
  const last = line.max.findLastIndex((value) => value !== null);
  const step = line.steps[last];
  const value = line.max[last];
  if (step === undefined || value === undefined || value === null) return null;
  return { x: chart.valToPos(step, "x", true), y: chart.valToPos(value, "y", true) };
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
