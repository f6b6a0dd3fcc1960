/** Strips on canvases: losses as colours, floor and ridge as lines. Given numbers only. */

import type { Patterns } from "../model/heatmap";
import { paint, shadeDifference } from "../model/heatmap";
import {
  type AlphaScale,
  comesBack,
  coverOf,
  extentsOf,
  lossHere,
  type Strips,
  sampleAt,
  shadeOf,
} from "../model/strips";

export type StripPicture = {
  readonly strips: Strips;
  readonly scale: AlphaScale;
  /** The rise of the loss that has the last colour. */
  readonly most: number;
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly pixelAt: (step: number) => number;
};

export type StripInk = {
  readonly line: string;
  readonly halo: string;
  readonly shades: Uint32Array;
  readonly patterns: Patterns;
  /** Whether colours do not tell lower from higher. */
  readonly lined: boolean;
};

const DOUBLINGS = 3; // any number: of a scale of differences from end to end

export function drawStrips(
  cells: HTMLCanvasElement,
  lines: HTMLCanvasElement,
  picture: StripPicture,
  ink: StripInk,
): void {
  paintCells(cells, picture, ink);
  drawLines(lines, picture, ink);
}

function paintCells(canvas: HTMLCanvasElement, picture: StripPicture, ink: StripInk): void {
  const { strips, scale, width, height, most, pixelAt } = picture;
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  if (context === null || width === 0) return;
  const cover = coverOf(strips, width, pixelAt);
  const here = [...strips.steps].map((_, strip) => lossHere(strips, strip));
  const losses = new Float32Array(scale.alphas.length * width);
  scale.alphas.forEach((alpha, band) => {
    for (let x = 0; x < width; x++) {
      const strip = cover[x] ?? -1;
      const at = strip < 0 ? -1 : sampleAt(strips, strip, alpha);
      const shade =
        at < 0 ? Number.NaN : shadeOf(strips.losses[at] ?? Number.NaN, here[strip] ?? 0, most);
      const cell = Number.isFinite(shade) ? 2 ** (DOUBLINGS * shade) : Math.abs(shade);
      losses[band * width + x] = at < 0 ? -1 : cell;
    }
  });
  const others = losses.map((loss) => (loss === -1 ? -1 : 1));
  const bands = scale.bands.map((band) => ({ ...band, layers: [] }));
  const shaded = shadeDifference(losses, others, DOUBLINGS, ink.shades, ink.lined);
  const image = context.createImageData(width, height);
  paint(new Uint32Array(image.data.buffer), width, bands, shaded, ink.patterns);
  context.putImageData(image, 0, 0);
}

/** Where the weights are, the floor of the valley, and the ridge where the loss is back. */
function drawLines(canvas: HTMLCanvasElement, picture: StripPicture, ink: StripInk): void {
  const { strips, scale, width, height, pixelAt } = picture;
  const density = devicePixelRatio;
  [canvas.width, canvas.height] = [Math.round(width * density), Math.round(height * density)];
  const pen = canvas.getContext("2d");
  if (pen === null) return;
  pen.scale(density, density);
  const extents = extentsOf(strips).map(([from, to]) => [pixelAt(from), pixelAt(to)] as const);
  const trace = (alphaOf: (strip: number) => number) => {
    const path = new Path2D();
    let end = Number.NaN;
    extents.forEach(([from, to], strip) => {
      const alpha = alphaOf(strip);
      const y = Math.max(1, Math.min(height - 1, scale.y(alpha)));
      if (Number.isNaN(alpha)) return;
      if (Math.abs(from - end) < 0.5) path.lineTo(from, y);
      else path.moveTo(from, y);
      path.lineTo(to, y);
      end = to;
    });
    return path;
  };
  const stroke = (path: Path2D, size: number, dashes: number[]) => {
    pen.setLineDash([]);
    pen.strokeStyle = ink.halo;
    pen.lineWidth = size + 2;
    pen.stroke(path);
    pen.setLineDash(dashes);
    pen.strokeStyle = ink.line;
    pen.lineWidth = size;
    pen.stroke(path);
  };
  const origin = new Path2D();
  origin.rect(0, Math.round(scale.y(0)), width, 0);
  pen.strokeStyle = ink.line;
  pen.lineWidth = 0.75;
  pen.stroke(origin);
  stroke(
    trace((strip) => strips.floors[strip] ?? Number.NaN),
    1.5,
    [],
  );
  stroke(
    trace((strip) =>
      comesBack(strips, strip) ? (strips.headrooms[strip] ?? Number.NaN) : Number.NaN,
    ),
    1.5,
    [4, 3],
  );
}
