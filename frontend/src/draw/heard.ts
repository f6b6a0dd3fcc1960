/** The canvas of a heard lane: pitch as a line or as boxes, texture, and earcons as glyphs. */

import {
  EARCONS,
  type Earcon,
  earconsAt,
  type Heard,
  pitchY,
  type StreamBand,
  silentStretches,
} from "../model/heard";
import { lastNotAfter } from "../model/notes";

export type HeardInk = {
  /** One colour for each stream. */
  readonly streams: readonly string[];
  readonly ink: string;
  readonly quiet: string;
  readonly alarm: string;
  readonly grid: string;
  readonly ground: string;
  readonly font: string;
};

export type HeardPicture = {
  readonly heard: Heard;
  readonly bands: readonly StreamBand[];
  /** Pixels at which columns begin and, at the end, where the last one ends. */
  readonly edges: Float64Array;
  readonly width: number;
  readonly height: number;
  /** Streams that are not heard. */
  readonly muted: ReadonlySet<number>;
  readonly ink: HeardInk;
};

/** What was drawn, for whoever compares it with what sounds. */
export type Drawn = {
  readonly boxes: boolean;
  readonly glyphs: readonly {
    readonly name: string;
    readonly stream: number;
    readonly x: number;
  }[];
};

const BOX_FROM = 6; // pixels of a column
const BOX = 6; // pixels high
const LINE = 1.75;
const ROUGHEST = 4; // more pixels at the largest depth
const MUTED = 0.3;

export function drawHeard(context: CanvasRenderingContext2D, picture: HeardPicture): Drawn {
  const { heard, edges, width, height, bands, muted, ink } = picture;
  context.clearRect(0, 0, width, height);
  const first = Math.max(0, lastNotAfter(edges, 0, edges.length));
  const last = Math.min(heard.columns, lastNotAfter(edges, width, edges.length) + 1);
  const wide = ((edges[last] ?? 0) - (edges[first] ?? 0)) / Math.max(last - first, 1);
  const boxes = wide >= BOX_FROM && heard.notesPerColumn === 1;
  const glyphs: { name: string; stream: number; x: number }[] = [];
  bands.forEach((band, stream) => {
    context.globalAlpha = 1;
    drawGrid(context, picture, band, stream);
    context.globalAlpha = muted.has(stream) ? MUTED : 1;
    const part = { picture, stream, band, first, last };
    (boxes ? drawBoxes : drawLine)(context, part);
    glyphs.push(...drawGlyphs(context, part));
    drawStretches(context, part);
  });
  context.globalAlpha = 1;
  context.fillStyle = ink.ink;
  return { boxes, glyphs };
}

type Part = {
  readonly picture: HeardPicture;
  readonly stream: number;
  readonly band: StreamBand;
  readonly first: number;
  readonly last: number;
};

/** The line of norm 1, and what parts the band from the one below. */
function drawGrid(
  context: CanvasRenderingContext2D,
  { ink, width, height, bands }: HeardPicture,
  { middle }: StreamBand,
  stream: number,
): void {
  context.strokeStyle = ink.grid;
  context.lineWidth = 1;
  context.setLineDash([2, 3]);
  horizontal(context, Math.round(middle) + 0.5, width);
  context.setLineDash([]);
  if (stream > 0) horizontal(context, Math.round(height - (stream * height) / bands.length), width);
}

function horizontal(context: CanvasRenderingContext2D, y: number, width: number): void {
  context.beginPath();
  context.moveTo(0, y);
  context.lineTo(width, y);
  context.stroke();
}

const PERIOD = 8; // pixels of a wave
const WAVE = 2.5; // pixels up and down at the largest depth

/** How far a pulsating line is off its place. */
const waveAt = (x: number, depth: number): number =>
  depth > 0 ? (1 + WAVE * depth) * Math.sin((2 * Math.PI * x) / PERIOD) : 0;

function drawLine(context: CanvasRenderingContext2D, part: Part): void {
  const { picture, stream, band, first, last } = part;
  const { heard, edges, ink } = picture;
  const size = heard.streams.length;
  const of = heard.streams[stream];
  const colour = ink.streams[stream] ?? ink.ink;
  drawSpread(context, part, colour);
  context.strokeStyle = colour;
  context.lineJoin = "round";
  context.lineCap = "round";
  let [open, drawnWidth] = [false, -1];
  let from = { x: 0, y: 0 };
  for (let column = Math.max(0, first - 1); column <= last; column++) {
    const at = column * size + stream;
    const hz = column < heard.columns ? (heard.mean[at] ?? Number.NaN) : Number.NaN;
    const [start, end] = [edges[column] ?? 0, edges[column + 1] ?? edges[column] ?? 0];
    if (Number.isNaN(hz)) {
      if (open) {
        context.lineTo(start, from.y);
        context.stroke();
      }
      open = false;
      continue;
    }
    const to = { x: (start + end) / 2, y: pitchY(band, hz, of) };
    const lineWidth = LINE + ROUGHEST * (heard.roughness[at] ?? 0);
    if (open && lineWidth !== drawnWidth) context.stroke();
    if (!open || lineWidth !== drawnWidth) {
      context.beginPath();
      context.lineWidth = lineWidth;
      drawnWidth = lineWidth;
      if (!open) from = { x: start, y: to.y };
      context.moveTo(from.x, from.y);
    }
    open = true;
    waveTo(context, from, to, heard.tremolo[at] ?? 0);
    from = to;
  }
  if (open) context.stroke();
}

type Point = { readonly x: number; readonly y: number };

function waveTo(context: CanvasRenderingContext2D, from: Point, to: Point, depth: number): void {
  if (depth > 0) {
    for (let x = Math.ceil(from.x / 2) * 2; x < to.x; x += 2) {
      const along = (x - from.x) / (to.x - from.x);
      context.lineTo(x, from.y + along * (to.y - from.y) + waveAt(x, depth));
    }
  }
  context.lineTo(to.x, to.y + waveAt(to.x, depth));
}

/** The lowest and the highest pitch where a column has several. */
function drawSpread(context: CanvasRenderingContext2D, part: Part, colour: string): void {
  const { picture, stream, band, first, last } = part;
  const { heard, edges } = picture;
  const size = heard.streams.length;
  const of = heard.streams[stream];
  const opacity = context.globalAlpha;
  context.globalAlpha = 0.3 * opacity;
  context.fillStyle = colour;
  for (let column = first; column < last; column++) {
    const [low, high] = [heard.low, heard.high].map((table) => table[column * size + stream] ?? 0);
    if (low === undefined || high === undefined || !(low < high)) continue;
    const [top, bottom] = [pitchY(band, high, of), pitchY(band, low, of)];
    const [start, end] = [edges[column] ?? 0, edges[column + 1] ?? 0];
    context.fillRect(start, top, Math.max(end - start, 1), bottom - top);
  }
  context.globalAlpha = opacity;
}

const STRIPE = 3; // pixels of a rough box, a third of them left out

/** Notes as in a piano roll: rough ones are striped, pulsating ones bulge. */
function drawBoxes(context: CanvasRenderingContext2D, part: Part): void {
  const { picture, stream, band, first, last } = part;
  const { heard, edges, ink } = picture;
  const size = heard.streams.length;
  context.fillStyle = ink.streams[stream] ?? ink.ink;
  for (let column = first; column < last; column++) {
    const at = column * size + stream;
    const hz = heard.mean[at] ?? Number.NaN;
    if (Number.isNaN(hz)) continue;
    const y = pitchY(band, hz, heard.streams[stream]);
    const [start, end] = [edges[column] ?? 0, edges[column + 1] ?? 0].map(Math.round) as [
      number,
      number,
    ];
    const [rough, slow] = [heard.roughness[at] ?? 0, heard.tremolo[at] ?? 0];
    const half = BOX / 2 + (ROUGHEST / 2) * rough;
    if (rough === 0 && slow === 0) {
      context.beginPath();
      context.roundRect(start, y - half, Math.max(end - start - 1, 1), 2 * half, 2);
      context.fill();
      continue;
    }
    const stripe = rough > 0 ? STRIPE : 1;
    for (let x = start; x < end - 1; x += stripe) {
      const reach = Math.max(1, half + waveAt(x, slow));
      context.fillRect(x, y - reach, Math.max(stripe - 1, 1), 2 * reach);
    }
  }
}

const ROOM = 24; // pixels around words

/** Why a stream is silent, where there is room to say it. */
function drawStretches(context: CanvasRenderingContext2D, part: Part): void {
  const { picture, stream, band, first, last } = part;
  const { heard, edges, ink, width } = picture;
  context.font = ink.font;
  context.textBaseline = "middle";
  for (const { from, to, words } of silentStretches(heard, stream, first, last)) {
    const start = Math.max(edges[from] ?? 0, 0);
    const end = Math.min(edges[to] ?? 0, width);
    const { width: wide } = context.measureText(words);
    if (end - start < wide + 2 * ROOM || band.half < 6) continue;
    context.fillStyle = ink.ground;
    context.fillRect(start + ROOM - 4, band.middle - 7, wide + 8, 14);
    context.fillStyle = ink.quiet;
    context.fillText(words, start + ROOM, band.middle + 0.5);
  }
}

const APART = 14; // pixels; what comes again sooner is a dot
const LASTING = 100; // notes; a cause that lasts is told again within as many
const DOT = 1.5;
const NEAR = 4; // pixels; what comes again sooner than that is not drawn once more

function drawGlyphs(context: CanvasRenderingContext2D, part: Part) {
  const { picture, stream, band, first, last } = part;
  const { heard, edges, ink, width } = picture;
  const drawn: { name: string; stream: number; x: number }[] = [];
  const before = new Map<string, { x: number; column: number }>();
  for (let column = Math.max(0, first - 1); column < last; column++) {
    const found = earconsAt(heard, column, stream);
    found.forEach((name, which) => {
      const earcon = EARCONS[name];
      const start = edges[column] ?? 0;
      if (earcon === undefined || start > width) return;
      const x = Math.min(Math.max(start + 1, 5), width - 5);
      const latest = before.get(name) ?? { x: -APART, column: Number.NEGATIVE_INFINITY };
      if (start - latest.x < NEAR && latest.x >= 0) return;
      const again = earcon.lasts && (column - latest.column) * heard.notesPerColumn <= LASTING;
      const whole = start - latest.x >= APART && !again;
      context.fillStyle = context.strokeStyle = ink[earcon.tone];
      const y = glyphY(band, name) + (which % 2 === 1 ? -band.half / 2 : 0);
      if (whole) drawGlyph(context, earcon, x, y, ink.ground);
      else dot(context, x, y);
      before.set(name, { x: start, column });
      drawn.push({ name, stream, x });
    });
  }
  return drawn;
}

/** Thuds and clashes lie where the tone would be, what has a tone beside it above that. */
function glyphY({ middle, half }: StreamBand, name: string): number {
  if (name === "below") return middle + half - 3;
  if (name === "above") return middle - half + 3;
  if (["chime", "rises", "falls", "spike"].includes(name)) return middle - half * 0.55;
  return middle;
}

const paths = new Map<string, Path2D>();

function drawGlyph(
  context: CanvasRenderingContext2D,
  { path, drawn }: Earcon,
  x: number,
  y: number,
  ground: string,
): void {
  const shape = paths.get(path) ?? new Path2D(path);
  paths.set(path, shape);
  context.save();
  context.translate(x, y);
  const colour = context.fillStyle;
  // A rim, so that it stands out from the line that it lies on.
  context.lineJoin = "round";
  context.lineCap = "round";
  context.strokeStyle = ground;
  context.lineWidth = drawn === "fill" ? 3 : 5;
  context.stroke(shape);
  context.strokeStyle = colour;
  context.lineWidth = 2;
  if (drawn === "fill") context.fill(shape);
  else context.stroke(shape);
  context.restore();
}

function dot(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.beginPath();
  context.arc(x, y, DOT, 0, 2 * Math.PI);
  context.fill();
}
