/** A surface on a canvas: as a map with contours, or as a relief that is turned. Given numbers only. */

import { packed, type Rgb } from "../model/colours";
import type { Patterns } from "../model/heatmap";
import { cellOf, heightAt, type PlanePath, type Relief } from "../model/surface";
import { formatTick } from "../model/words";
import {
  frameOf,
  isWithin,
  type Point,
  type Project,
  pathPixels,
  projectionOf,
  type Scene,
  type View,
} from "./projection";

export type SurfacePicture = Scene & {
  /** A colour for each path. */
  readonly colours: readonly string[];
  /** How paths are called at their ends. */
  readonly names: readonly string[];
};

export type SurfaceInk = {
  readonly ink: string;
  readonly quiet: string;
  readonly ground: string;
  /** From the lowest loss to the highest. */
  readonly tints: readonly Rgb[];
  readonly patterns: Patterns;
};

const FONT = "Roboto, system-ui, sans-serif";

/** From the lowest loss to the highest, on a light and on a dark ground. */
export const LIGHT_TINTS: readonly Rgb[] = [
  [255, 255, 255],
  [232, 238, 243],
  [202, 214, 226],
  [160, 178, 198],
];
export const DARK_TINTS: readonly Rgb[] = [
  [28, 31, 34],
  [44, 52, 60],
  [63, 76, 90],
  [92, 110, 128],
];

/** All but what moves with the playhead. */
export function drawSurface(
  canvas: HTMLCanvasElement,
  picture: SurfacePicture,
  ink: SurfaceInk,
): void {
  const density = devicePixelRatio;
  const { width, height, view } = picture;
  [canvas.width, canvas.height] = [Math.round(width * density), Math.round(height * density)];
  const pen = canvas.getContext("2d");
  if (pen === null || width <= 0 || height <= 0) return;
  const project = projectionOf(picture);
  pen.fillStyle = ink.ground;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  if (view === null) paintMap(pen, picture, ink, density);
  pen.scale(density, density);
  if (view === null) drawContours(pen, picture, ink, project);
  else drawRelief(pen, picture, ink, project, view);
  pen.save();
  const frame = frameOf(picture);
  pen.beginPath();
  pen.rect(frame.left, frame.top, frame.width, frame.height);
  pen.clip();
  picture.surface.paths.forEach((path, at) => {
    drawPath(pen, picture, path, at, ink, project);
  });
  pen.restore();
  drawNames(pen, picture, ink, project);
}

const SHADES = 256;

/** The colours of heights, packed. */
function shadesOf(tints: readonly Rgb[]): Uint32Array {
  return Uint32Array.from({ length: SHADES }, (_, at) => packed(tintAt(tints, at / (SHADES - 1))));
}

function tintAt(tints: readonly Rgb[], height: number): Rgb {
  const along = Math.max(0, Math.min(1, height)) * (tints.length - 1);
  const below = Math.min(Math.floor(along), tints.length - 2);
  const [low, high] = [tints[below] ?? [0, 0, 0], tints[below + 1] ?? [0, 0, 0]];
  const mix = (channel: 0 | 1 | 2) =>
    Math.round(low[channel] + (along - below) * (high[channel] - low[channel]));
  return [mix(0), mix(1), mix(2)];
}

/** Heights between cells; a cell that is no number is hatched as far as it is the nearest. */
function paintMap(
  pen: CanvasRenderingContext2D,
  picture: SurfacePicture,
  ink: SurfaceInk,
  density: number,
): void {
  const { surface, relief } = picture;
  const frame = frameOf(picture);
  const [left, top] = [Math.round(frame.left * density), Math.round(frame.top * density)];
  const [wide, high] = [Math.round(frame.width * density), Math.round(frame.height * density)];
  const image = pen.createImageData(wide, high);
  const pixels = new Uint32Array(image.data.buffer);
  const shades = shadesOf(ink.tints);
  const { columns, rows, heights } = relief;
  const place = (at: number, pixels: number, cells: number) =>
    cells < 2 ? 0 : ((at + 0.5) / pixels) * (cells - 1);
  const lefts = new Int32Array(wide);
  const shares = new Float64Array(wide);
  for (let x = 0; x < wide; x++) {
    const column = place(x, wide, columns);
    lefts[x] = Math.min(Math.floor(column), Math.max(columns - 2, 0));
    shares[x] = column - (lefts[x] ?? 0);
  }
  const [nan, inf, ground] = [ink.patterns.nan, ink.patterns.inf, ink.patterns.ground].map(packed);
  const stripe = Math.max(2, Math.round(3 * density));
  const next = columns > 1 ? 1 : 0;
  const between = new Float64Array(columns);
  for (let y = 0; y < high; y++) {
    const row = place(high - 1 - y, high, rows);
    const below = Math.min(Math.floor(row), Math.max(rows - 2, 0));
    const v = row - below;
    const lower = below * columns;
    const upper = Math.min(below + 1, rows - 1) * columns;
    const line = y * wide;
    for (let at = 0; at < columns; at++) {
      between[at] = (heights[lower + at] ?? 0) * (1 - v) + (heights[upper + at] ?? 0) * v;
    }
    for (let x = 0; x < wide; x++) {
      const at = lefts[x] ?? 0;
      const u = shares[x] ?? 0;
      const mixed = (between[at] ?? 0) * (1 - u) + (between[at + next] ?? 0) * u;
      if (!Number.isNaN(mixed)) {
        pixels[line + x] = shades[(mixed * (SHADES - 1) + 0.5) | 0] ?? 0;
        continue;
      }
      const nearest = (v < 0.5 ? lower : upper) + at + (u < 0.5 ? 0 : next);
      const own = heights[nearest] ?? Number.NaN;
      if (!Number.isNaN(own)) pixels[line + x] = shades[(own * (SHADES - 1) + 0.5) | 0] ?? 0;
      else {
        const isNan = Number.isNaN(surface.losses[nearest] ?? Number.NaN);
        const on = Math.floor(((isNan ? x + y : x - y) + 1024 * stripe) / stripe) % 2 === 0;
        pixels[line + x] = (on ? (isNan ? nan : inf) : ground) ?? 0;
      }
    }
  }
  pen.putImageData(image, left, top);
}

function drawContours(
  pen: CanvasRenderingContext2D,
  picture: SurfacePicture,
  ink: SurfaceInk,
  project: Project,
): void {
  const { relief } = picture;
  const frame = frameOf(picture);
  pen.strokeStyle = ink.quiet;
  pen.lineWidth = 1;
  pen.globalAlpha = 0.55;
  const labels: { text: string; at: Point }[] = [];
  relief.levels.forEach((level, which) => {
    const segments = relief.contours[which] ?? new Float32Array();
    pen.beginPath();
    let best: Point | null = null;
    for (let at = 0; at < segments.length; at += 4) {
      const [x, y] = project(segments[at] ?? 0, segments[at + 1] ?? 0, 0);
      pen.moveTo(x, y);
      pen.lineTo(...project(segments[at + 2] ?? 0, segments[at + 3] ?? 0, 0));
      const free = labels.every(({ at: [a, b] }) => Math.abs(a - x) > 40 || Math.abs(b - y) > 16);
      const inside =
        x > frame.left + 18 &&
        x < frame.left + frame.width - 18 &&
        y > frame.top + 8 &&
        y < frame.top + frame.height - 8;
      // At the upper right, away from where most paths begin.
      if (free && inside && (best === null || x - y > best[0] - best[1])) best = [x, y];
    }
    pen.stroke();
    if (best !== null) labels.push({ text: formatTick(level), at: best });
  });
  pen.globalAlpha = 1;
  pen.font = `10px ${FONT}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (const { text, at } of labels) haloed(pen, text, at, ink.quiet, ink.ground);
  drawFrame(pen, picture, ink);
}

function haloed(
  pen: CanvasRenderingContext2D,
  text: string,
  [x, y]: Point,
  colour: string,
  halo: string,
): void {
  pen.lineJoin = "round";
  pen.lineWidth = 3;
  pen.strokeStyle = halo;
  pen.strokeText(text, x, y);
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
}

/** Coordinates along the left and the lower edge. */
function drawFrame(pen: CanvasRenderingContext2D, picture: SurfacePicture, ink: SurfaceInk): void {
  const { surface } = picture;
  const frame = frameOf(picture);
  pen.strokeStyle = ink.quiet;
  pen.globalAlpha = 0.5;
  pen.lineWidth = 1;
  pen.strokeRect(frame.left, frame.top, frame.width, frame.height);
  pen.globalAlpha = 1;
  pen.font = `10px ${FONT}`;
  pen.fillStyle = ink.quiet;
  const last = [surface.x.length - 1, surface.y.length - 1] as const;
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const value of ticksOf(surface.x)) {
    const x = frame.left + (cellOf(surface, value, 0)[0] / (last[0] || 1)) * frame.width;
    pen.fillRect(x - 0.5, frame.top + frame.height, 1, 4);
    pen.fillText(formatTick(value), x, frame.top + frame.height + 7);
  }
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const value of ticksOf(surface.y)) {
    const y = frame.top + (1 - cellOf(surface, 0, value)[1] / (last[1] || 1)) * frame.height;
    pen.fillRect(frame.left - 4, y - 0.5, 4, 1);
    pen.fillText(formatTick(value), frame.left - 7, y);
  }
}

function ticksOf(values: Float64Array): number[] {
  const [low, high] = [values[0] ?? 0, values.at(-1) ?? 0];
  const rough = (high - low) / 4;
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((digit) => digit * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: count }, (_, at) => Number(((first + at) * step).toPrecision(6)));
}

/** The cells as faces, the farthest first, lit from the left. */
function drawRelief(
  pen: CanvasRenderingContext2D,
  { relief }: SurfacePicture,
  ink: SurfaceInk,
  project: Project,
  { yaw }: View,
): void {
  const { columns, rows, heights } = relief;
  const points = Float64Array.from({ length: 2 * columns * rows });
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      const height = heights[at] ?? Number.NaN;
      [points[2 * at], points[2 * at + 1]] = project(
        column,
        row,
        Number.isNaN(height) ? 1 : height,
      );
    }
  }
  const hatch = hatched(pen, ink);
  const styles = Array.from({ length: LIGHTS * STEPS }, (_, at) => lit(ink.tints, at));
  const order = (count: number, reversed: boolean) =>
    Array.from({ length: count - 1 }, (_, at) => (reversed ? count - 2 - at : at));
  const byRow = order(rows, Math.cos(yaw) > 0);
  const byColumn = order(columns, Math.sin(yaw) > 0);
  for (const row of byRow) {
    for (const column of byColumn) {
      const at = row * columns + column;
      const [a, b, c, d] = [at, at + 1, at + columns + 1, at + columns];
      const of = (corner: number) => heights[corner] ?? Number.NaN;
      const level = (of(a) + of(b) + of(c) + of(d)) / 4;
      const slope = of(b) - of(a) + of(c) - of(d);
      const light = Math.round(((LIGHTS - 1) / 2) * (1 + slope * columns * 0.16));
      const lamp = Math.max(0, Math.min(LIGHTS - 1, light));
      const tint = styles[lamp * STEPS + Math.round(level * (STEPS - 1))];
      pen.fillStyle = Number.isNaN(level) ? hatch : (tint ?? "");
      const x = ((points[2 * a] ?? 0) + (points[2 * c] ?? 0)) / 2;
      const y = ((points[2 * a + 1] ?? 0) + (points[2 * c + 1] ?? 0)) / 2;
      pen.beginPath();
      for (const corner of [a, b, c, d]) {
        const [left, top] = [points[2 * corner] ?? 0, points[2 * corner + 1] ?? 0];
        // A little larger, so that nothing shines through between two.
        pen.lineTo(left + SEAM * Math.sign(left - x), top + SEAM * Math.sign(top - y));
      }
      pen.fill();
    }
  }
  drawReliefContours(pen, relief, ink, project);
}

/** What is no number lies at the top, striped. */
function hatched(pen: CanvasRenderingContext2D, ink: SurfaceInk): CanvasPattern | string {
  const tile = document.createElement("canvas");
  [tile.width, tile.height] = [6, 6];
  const context = tile.getContext("2d");
  if (context === null) return ink.ground;
  context.fillStyle = ink.ground;
  context.fillRect(0, 0, 6, 6);
  context.strokeStyle = `rgb(${ink.patterns.nan})`;
  context.lineWidth = 2;
  context.stroke(new Path2D("M-2 2 2-2M-1 7 7-1M4 8 8 4"));
  return pen.createPattern(tile, "repeat") ?? ink.ground;
}

const SEAM = 0.4; // pixels
const LIGHTS = 25;
const STEPS = 32;

/** A tint, lighter or darker by how it is lit. */
function lit(tints: readonly Rgb[], at: number): string {
  const [light, step] = [Math.floor(at / STEPS), at % STEPS];
  const factor = 0.97 + (light / (LIGHTS - 1) - 0.5) * 0.44;
  const rgb = tintAt(tints, step / (STEPS - 1)).map((each) =>
    Math.max(0, Math.min(255, Math.round(each * factor))),
  );
  return `rgb(${rgb})`;
}

function drawReliefContours(
  pen: CanvasRenderingContext2D,
  relief: Relief,
  ink: SurfaceInk,
  project: Project,
): void {
  pen.strokeStyle = ink.quiet;
  pen.globalAlpha = 0.3;
  pen.lineWidth = 1;
  pen.beginPath();
  relief.levels.forEach((level, which) => {
    const height = relief.heightOf(level);
    const segments = relief.contours[which] ?? new Float32Array();
    for (let at = 0; at < segments.length; at += 4) {
      pen.moveTo(...project(segments[at] ?? 0, segments[at + 1] ?? 0, height));
      pen.lineTo(...project(segments[at + 2] ?? 0, segments[at + 3] ?? 0, height));
    }
  });
  pen.stroke();
  pen.globalAlpha = 1;
}

const PALES = 8;

/** From pale, where it begins, to full, where it ends. */
function drawPath(
  pen: CanvasRenderingContext2D,
  picture: SurfacePicture,
  path: PlanePath,
  which: number,
  ink: SurfaceInk,
  project: Project,
): void {
  const points = pathPixels(picture, path, project);
  const known = points.filter((point) => point !== null);
  const colour = picture.colours[which] ?? ink.ink;
  const trace = () => {
    pen.beginPath();
    let drawing = false;
    for (const point of points) {
      if (point === null) drawing = false;
      else if (drawing) pen.lineTo(...point);
      else pen.moveTo(...point);
      drawing = point !== null;
    }
  };
  pen.lineJoin = "round";
  pen.lineCap = "round";
  pen.strokeStyle = ink.ground;
  pen.lineWidth = 4.5;
  trace();
  pen.stroke();
  if (picture.view !== null) drawNeedles(pen, picture, path, points, colour, project);
  pen.lineWidth = 2;
  const per = Math.max(1, points.length - 1) / PALES;
  for (let pale = 0; pale < PALES; pale++) {
    const share = Math.round(40 + (60 * (pale + 0.5)) / PALES);
    pen.strokeStyle = pen.fillStyle = `color-mix(in srgb, ${colour} ${share}%, ${ink.ground})`;
    const [line, dots] = [new Path2D(), new Path2D()];
    for (let at = Math.ceil(pale * per); at < Math.min(points.length, (pale + 1) * per + 1); at++) {
      const [before, point] = [points[at - 1], points[at]];
      if (point == null) continue;
      if (before != null && at > pale * per) {
        line.moveTo(...before);
        line.lineTo(...point);
      }
      dots.moveTo(...point);
      dots.arc(...point, 2.2, 0, 2 * Math.PI);
    }
    pen.stroke(line);
    pen.fill(dots);
  }
  const [start, end] = [known[0], known.at(-1)];
  pen.strokeStyle = colour;
  if (start !== undefined) {
    pen.fillStyle = ink.ground;
    pen.beginPath();
    pen.arc(...start, 4, 0, 2 * Math.PI);
    pen.fill();
    pen.stroke();
  }
  if (end !== undefined) {
    pen.fillStyle = colour;
    pen.beginPath();
    pen.arc(...end, 4.5, 0, 2 * Math.PI);
    pen.fill();
  }
}

/** From the map to the loss at each snapshot, where that lies beside the plane. */
function drawNeedles(
  pen: CanvasRenderingContext2D,
  { surface, relief }: SurfacePicture,
  path: PlanePath,
  points: readonly (Point | null)[],
  colour: string,
  project: Project,
): void {
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.globalAlpha = 0.5;
  pen.beginPath();
  points.forEach((point, at) => {
    const [column, row] = cellOf(surface, path.xs[at] ?? Number.NaN, path.ys[at] ?? Number.NaN);
    const height = heightAt(relief, column, row);
    if (point === null || Number.isNaN(height)) return;
    pen.moveTo(...project(column, row, height));
    pen.lineTo(...point);
  });
  pen.stroke();
  pen.globalAlpha = 1;
}

/** Names at the ends of paths, or where they leave the map. */
function drawNames(
  pen: CanvasRenderingContext2D,
  picture: SurfacePicture,
  ink: SurfaceInk,
  project: Project,
): void {
  const { surface, names, colours } = picture;
  const frame = frameOf(picture);
  const [right, bottom] = [frame.left + frame.width, frame.top + frame.height];
  const taken: { x: number; y: number; width: number }[] = [];
  pen.font = `500 11px ${FONT}`;
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  surface.paths.forEach((path, at) => {
    const points = pathPixels(picture, path, project);
    /** Where the line from a point within to one beyond leaves. */
    const exit = (from: Point, to: Point | null | undefined): Point => {
      if (to == null) return from;
      const shares = [
        (right - from[0]) / (to[0] - from[0]),
        (frame.left - from[0]) / (to[0] - from[0]),
        (bottom - from[1]) / (to[1] - from[1]),
        (frame.top - from[1]) / (to[1] - from[1]),
      ].filter((share) => share >= 0);
      const share = Math.min(1, ...shares);
      return [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
    };
    const out = points.findIndex((point) => point === null || !isWithin(frame, point));
    const inner = out > 0 ? points[out - 1] : out < 0 ? points.at(-1) : null;
    if (inner == null) return;
    const end = out > 0 ? exit(inner, points[out]) : inner;
    const text = `${out > 0 ? "↗ " : ""}${names[at] ?? ""}`;
    const wide = pen.measureText(text).width;
    const x = end[0] + 9 + wide > right - 2 ? end[0] - 9 - wide : end[0] + 9;
    let y = Math.max(frame.top + 8, Math.min(bottom - 8, end[1]));
    const free = () =>
      taken.every(
        (each) => Math.abs(each.y - y) >= 13 || each.x > x + wide || x > each.x + each.width,
      );
    for (let tries = 0; tries < 12 && !free(); tries++)
      y += (tries % 2 === 0 ? 1 : -1) * 13 * (tries + 1);
    y = Math.max(frame.top + 8, Math.min(bottom - 8, y));
    taken.push({ x, y, width: wide });
    haloed(pen, text, [x, y], colours[at] ?? ink.ink, ink.ground);
  });
}
