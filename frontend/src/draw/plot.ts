/** The loss curves on a canvas: grid, axes, lines, bands, gaps, and what leaves the picture. Given numbers only. */

import { type Axis, pixelOf, type Tick } from "../model/axis";
import type { Drawable, Line } from "../model/curve";
import { lastNotAfter } from "../model/notes";
import { formatTick } from "../model/words";
import { type Exit, heightOf, type YAxis, yTicks } from "../model/yaxis";
import type { Range, Side } from "../units";

/** What is drawn of one run, those in front last. */
export type Drawing = {
  /** Of A or B, of a validation loss beside one of these, or of a run behind them. */
  readonly role: Side | "partner" | "behind";
  /** For the words at the edge where it leaves the picture. */
  readonly name: string;
  readonly line: Line;
  readonly colour: string;
  /** Stretches of the x axis in which it is NaN or infinite. */
  readonly broken: readonly Range[];
  readonly exit: Exit | null;
};

export type Picture = {
  readonly drawings: readonly Drawing[];
  readonly x: Axis;
  readonly y: YAxis;
  readonly xTicks: readonly Tick[];
  /** Whether A and B are told apart by letters, too. */
  readonly lettered: boolean;
  /** Of the canvas, in CSS pixels. */
  readonly width: number;
  readonly height: number;
};

/** Colours of text, grid and background. */
export type Look = { readonly ink: string; readonly grid: string; readonly card: string };

/** Where the plot lies on its canvas, in CSS pixels. */
export type Frame = Pick<Axis, "left" | "width"> & {
  readonly top: number;
  readonly height: number;
};

type Pen = CanvasRenderingContext2D;
type Project = { readonly x: (x: number) => number; readonly y: (value: number) => number };
type Point = { readonly x: number; readonly y: number };

/** Above the plot: the labels of the x axis, and the flags. Below it: air for the lowest label. */
export const INSET = { top: 44, bottom: 10 };
const X_LABEL_Y = 10;

const FONT = "Roboto, system-ui, sans-serif";
const DASHES: Readonly<Record<Drawing["role"], readonly number[]>> = {
  a: [],
  b: [6, 3],
  partner: [],
  behind: [],
};
const WIDTHS: Readonly<Record<Drawing["role"], number>> = { a: 2, b: 2, partner: 1, behind: 1 };
const BEHIND = 0.3; // opacity
const BAND = 0.25;
const RADIUS = 8;
const DOT_RADIUS = 3.5;
const FAR = 1e5; // pixels: beyond, a canvas loses its way
const MOST_EXITS = 3;

/** How far from the top of the canvas a value lies, in CSS pixels. */
export const pixelOfY = (y: YAxis, height: number, value: number): number =>
  INSET.top + (1 - heightOf(y, value)) * Math.max(1, height - INSET.top - INSET.bottom);

const frameOf = ({ x, height }: Pick<Picture, "x" | "height">): Frame => ({
  left: x.left,
  width: x.width,
  top: INSET.top,
  height: Math.max(1, height - INSET.top - INSET.bottom),
});

/** Draw all of a picture; the canvas gets the size of it, in pixels of the device. */
export function drawPlot(canvas: HTMLCanvasElement, picture: Picture, look: Look): void {
  const ratio = devicePixelRatio;
  const size = [picture.width, picture.height].map((pixels) => Math.round(pixels * ratio));
  // Setting a size, even the one it has, clears a canvas and its state.
  [canvas.width, canvas.height] = size as [number, number];
  const pen = canvas.getContext("2d");
  if (pen === null || picture.x.width <= 0) return;
  pen.scale(ratio, ratio);
  const frame = frameOf(picture);
  const project = projectionOf(picture.x, picture.y, frame);
  drawAxes(pen, picture, frame, project, look);
  pen.save();
  pen.beginPath();
  pen.rect(frame.left, frame.top, frame.width, frame.height);
  pen.clip();
  const seen: Range = [picture.x.from, picture.x.to];
  for (const drawing of picture.drawings) drawBroken(pen, drawing, frame, project);
  for (const drawing of picture.drawings) drawLine(pen, drawing, project, seen);
  pen.restore();
  drawExits(pen, picture, frame, project, look);
  drawEnds(pen, picture, frame, project, look);
}

function projectionOf(x: Axis, y: YAxis, { top, height }: Pick<Frame, "top" | "height">): Project {
  const bound = (pixel: number) => Math.max(-FAR, Math.min(FAR, pixel));
  // Both are linear, in x and in y or its logarithm; this runs for every point of every picture.
  const [left, perX] = [pixelOf(x, 0), pixelOf(x, 1) - pixelOf(x, 0)];
  const scaled = y.log ? Math.log : (value: number) => value;
  const [low, high] = [scaled(y.low), scaled(y.high)];
  return {
    x: (at) => bound(left + perX * at),
    y: (value) => bound(top + height * ((high - scaled(value)) / (high - low))),
  };
}

function drawAxes(pen: Pen, picture: Picture, frame: Frame, project: Project, look: Look): void {
  pen.font = `11px ${FONT}`;
  pen.fillStyle = look.ink;
  pen.strokeStyle = look.grid;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  for (const value of yTicks(picture.y, frame.height)) {
    const y = crisp(project.y(value));
    pen.moveTo(frame.left, y);
    pen.lineTo(frame.left + frame.width, y);
    pen.fillText(formatTick(value), frame.left - 8, y);
  }
  pen.textAlign = "center";
  for (const { at, text } of picture.xTicks) {
    const x = crisp(project.x(at));
    pen.moveTo(x, frame.top - 6);
    pen.lineTo(x, frame.top + frame.height);
    const half = pen.measureText(text).width / 2;
    if (x + half <= picture.width) pen.fillText(text, Math.max(x, half), X_LABEL_Y);
  }
  pen.stroke();
}

const crisp = (pixel: number): number => Math.round(pixel) + 0.5;

/** A run is one line, or a band between two edges; where it is smoothed, these are pale behind it. */
function drawLine(pen: Pen, drawing: Drawing, project: Project, seen: Range): void {
  const { line, role, colour } = drawing;
  const { xs, min, max, smooth, banded } = line;
  const trace = (values: readonly Drawable[]) => {
    pen.beginPath();
    follow(pen, xs, values, project, seen);
    pen.stroke();
  };
  pen.strokeStyle = colour;
  pen.fillStyle = colour;
  pen.lineJoin = "bevel"; // round joins cost several times as much
  if (role === "behind") {
    pen.globalAlpha = BEHIND;
    pen.lineWidth = WIDTHS[role];
    trace(smooth ?? max);
    pen.globalAlpha = 1;
    return;
  }
  pen.globalAlpha = BAND;
  if (banded) fillBand(pen, line, project, seen);
  if (smooth !== null) {
    pen.globalAlpha = 0.4;
    pen.lineWidth = 1;
    for (const edge of banded ? [max, min] : [max]) trace(edge);
  }
  pen.globalAlpha = 1;
  pen.lineWidth = banded && smooth === null ? 1 : WIDTHS[role];
  pen.setLineDash([...DASHES[role]]);
  if (smooth !== null) trace(smooth);
  else for (const edge of banded ? [max, min] : [max]) trace(edge);
  pen.setLineDash([]);
}

/** Add a polyline to the path, from gap to gap; a point between two gaps is a dash of its own. */
function follow(
  pen: Pen,
  xs: readonly number[],
  values: readonly Drawable[],
  project: Project,
  seen: Range,
): void {
  const [first, last] = indicesSeen(xs, seen);
  let drawing = false;
  for (let at = first; at <= last; at++) {
    const value = values[at] ?? null;
    if (value === null) {
      drawing = false;
      continue;
    }
    const [x, y] = [project.x(xs[at] ?? 0), project.y(value)];
    if (drawing) pen.lineTo(x, y);
    else {
      pen.moveTo(x, y);
      if ((values[at + 1] ?? null) === null) pen.lineTo(x + 1.5, y);
    }
    drawing = true;
  }
}

function fillBand(pen: Pen, { xs, min, max }: Line, project: Project, seen: Range): void {
  const [first, last] = indicesSeen(xs, seen);
  for (let start = first; start <= last; start++) {
    if ((max[start] ?? null) === null) continue;
    let end = start;
    while (end < last && (max[end + 1] ?? null) !== null) end++;
    pen.beginPath();
    for (let at = start; at <= end; at++)
      pen.lineTo(project.x(xs[at] ?? 0), project.y(max[at] ?? 0));
    for (let at = end; at >= start; at--) {
      pen.lineTo(project.x(xs[at] ?? 0), project.y(min[at] ?? max[at] ?? 0));
    }
    pen.fill();
    start = end;
  }
}

/** The points that are seen, and those to the left and right, to which lines go. */
const indicesSeen = (xs: readonly number[], [from, to]: Range): Range => [
  Math.max(0, lastNotAfter(xs, from, xs.length)),
  Math.min(xs.length - 1, lastNotAfter(xs, to, xs.length) + 1),
];

/** Where a run in front is not a number: hatched, B the other way than A. */
function drawBroken(
  pen: Pen,
  { role, broken, colour }: Drawing,
  frame: Frame,
  project: Project,
): void {
  if (role !== "a" && role !== "b") return;
  const { top, height } = frame;
  const slope = role === "a" ? height : -height;
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  for (const [from, to] of broken) {
    const left = Math.max(project.x(from), frame.left);
    const right = Math.min(Math.max(project.x(to), left + 2), frame.left + frame.width);
    if (right <= left) continue;
    pen.save();
    pen.beginPath();
    pen.rect(left, top, right - left, height);
    pen.clip();
    pen.globalAlpha = 0.3;
    pen.beginPath();
    for (let x = left - height; x < right + height; x += 8) {
      pen.moveTo(x, top);
      pen.lineTo(x + slope, top + height);
    }
    pen.stroke();
    pen.restore();
  }
}

/** At the edge where lines leave: an arrow, which run it is, and how far it goes. */
function drawExits(pen: Pen, picture: Picture, frame: Frame, project: Project, look: Look): void {
  const { left, width, top, height } = frame;
  const front = [...picture.drawings].reverse();
  for (const direction of ["above", "below"] as const) {
    const up = direction === "above";
    const edge = up ? top : top + height;
    const taken: Range[][] = [];
    const leaving = front.filter(({ exit }) => exit?.[direction] != null);
    leaving.forEach((drawing, index) => {
      const departure = drawing.exit?.[direction];
      if (departure == null) return;
      const x = Math.max(left, Math.min(left + width, project.x(departure.x)));
      drawArrow(pen, { x, y: edge }, up, drawing);
      if (index > MOST_EXITS) return;
      const more = leaving.length - MOST_EXITS;
      const words =
        index === MOST_EXITS
          ? `${up ? "↑" : "↓"} ${more} more`
          : exitWords(drawing, departure.to, up);
      label(pen, words, { x, y: edge }, up ? 1 : -1, taken, frame, look);
    });
  }
}

/** "↑ A to 4e16". */
const exitWords = ({ name }: Drawing, to: number, up: boolean): string =>
  `${up ? "↑" : "↓"} ${name} to ${formatTick(Number(to.toPrecision(2)))}`;

function drawArrow(pen: Pen, { x, y }: Point, up: boolean, { colour, role }: Drawing): void {
  const way = up ? 1 : -1;
  pen.globalAlpha = role === "behind" ? 0.6 : 1;
  pen.fillStyle = colour;
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(x - 4, y + way * 6);
  pen.lineTo(x + 4, y + way * 6);
  pen.fill();
  pen.globalAlpha = 1;
}

/** Words at a point at the upper or lower edge, on the first row on which they have room. */
function label(
  pen: Pen,
  words: string,
  { x, y }: Point,
  way: 1 | -1,
  taken: Range[][],
  frame: Frame,
  look: Look,
): void {
  pen.font = `11px ${FONT}`;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  const width = pen.measureText(words).width;
  const start = Math.min(x + 8, frame.left + frame.width - width - 2);
  const free = (row: readonly Range[]) =>
    row.every(([from, to]) => start > to + 8 || start + width < from - 8);
  let row = taken.findIndex(free);
  if (row < 0) row = taken.push([]) - 1;
  taken[row]?.push([start, start + width]);
  const baseline = y + way * (9 + 14 * row);
  pen.lineWidth = 3;
  pen.lineJoin = "round";
  pen.strokeStyle = look.card;
  pen.strokeText(words, start, baseline);
  pen.fillStyle = look.ink;
  pen.fillText(words, start, baseline);
}

/** Letters at the ends of A and B, and where these first stop being numbers: colour alone must not tell. */
function drawEnds(pen: Pen, picture: Picture, frame: Frame, project: Project, look: Look): void {
  const { from, to } = picture.x;
  let taken: Point | null = null;
  for (const { role, line, broken, colour } of picture.drawings) {
    if (role !== "a" && role !== "b") continue;
    const letter = picture.lettered ? role.toUpperCase() : "";
    const gap = broken[0]?.[0];
    if (gap !== undefined && gap >= from && gap <= to) {
      const words = letter === "" ? "not a number" : `${letter}: not a number`;
      markGap(pen, words, project.x(gap), role === "a" ? 0 : 1, colour, frame, look);
    }
    const end = endOf(line, [from, to], project);
    if (end === null) continue;
    taken = besides(within(end, frame), taken);
    drawBadge(pen, taken, letter, colour, look.card);
  }
}

function markGap(
  pen: Pen,
  words: string,
  x: number,
  row: number,
  colour: string,
  frame: Frame,
  look: Look,
): void {
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.setLineDash([2, 3]);
  pen.beginPath();
  pen.moveTo(crisp(x), frame.top);
  pen.lineTo(crisp(x), frame.top + frame.height);
  pen.stroke();
  pen.setLineDash([]);
  const y = frame.top + frame.height - 16 * row;
  label(pen, words, { x: x - 4, y }, -1, [], frame, { ...look, ink: colour });
}

/** The last point of a line that is seen. */
function endOf({ xs, max, smooth }: Line, [from, to]: Range, project: Project): Point | null {
  const values = smooth ?? max;
  let at = lastNotAfter(xs, to, xs.length);
  while (at >= 0 && (values[at] ?? null) === null) at--;
  const [x, y] = [xs[at], values[at]];
  if (x === undefined || y === undefined || y === null || x < from) return null;
  return { x: project.x(x), y: project.y(y) };
}

const within = ({ x, y }: Point, { top, height }: Frame): Point => ({
  x,
  y: Math.max(top + RADIUS, Math.min(top + height - RADIUS, y)),
});

/** A place to the left of one that is taken, where a badge would lie on that. */
function besides(point: Point, taken: Point | null): Point {
  const reach = 2.2 * RADIUS;
  if (taken === null || Math.hypot(point.x - taken.x, point.y - taken.y) >= reach) return point;
  return { x: taken.x - reach, y: point.y };
}

function drawBadge(pen: Pen, { x, y }: Point, letter: string, colour: string, card: string): void {
  pen.beginPath();
  pen.arc(x, y, letter === "" ? DOT_RADIUS : RADIUS, 0, 2 * Math.PI);
  pen.lineWidth = 2;
  pen.strokeStyle = card;
  pen.stroke();
  pen.fillStyle = colour;
  pen.fill();
  pen.fillStyle = card;
  pen.font = `bold 11px ${FONT}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(letter, x, y + 0.5);
}

const OVERVIEW_HEIGHT = 34; // CSS pixels
const OVERVIEW_EDGE = 2;

/** Curves without axes, in small: over the width of an x axis, and held within a y axis. */
export function drawOverview(
  canvas: HTMLCanvasElement,
  x: Axis,
  y: YAxis,
  drawings: readonly Omit<Drawing, "exit">[],
): void {
  const ratio = devicePixelRatio;
  canvas.width = Math.round(x.width * ratio);
  canvas.height = Math.round(OVERVIEW_HEIGHT * ratio);
  const pen = canvas.getContext("2d");
  if (pen === null || x.width <= 0) return;
  pen.scale(ratio, ratio);
  const frame = { top: OVERVIEW_EDGE, height: OVERVIEW_HEIGHT - 2 * OVERVIEW_EDGE };
  const project = projectionOf({ ...x, left: 0 }, y, frame);
  for (const { line, colour, role } of drawings) {
    pen.strokeStyle = colour;
    pen.globalAlpha = role === "a" || role === "b" ? 1 : BEHIND;
    pen.setLineDash(role === "b" ? [4, 2] : []);
    pen.beginPath();
    follow(pen, line.xs, line.smooth ?? line.max, project, [x.from, x.to]);
    pen.stroke();
  }
}
