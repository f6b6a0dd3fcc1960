/** Where points of a surface lie on a canvas: on a map, or on a relief that is turned. */

import { cellOf, type PlanePath, pastSnapshot, type Relief, type Surface } from "../model/surface";

export type View = {
  /** Radians: around the vertical, and from above, 0, to from the side. */
  readonly yaw: number;
  readonly tilt: number;
};

export type Scene = {
  readonly surface: Surface;
  readonly relief: Relief;
  /** Null: as a map. */
  readonly view: View | null;
  /** Of the canvas, in CSS pixels. */
  readonly width: number;
  readonly height: number;
};

export type Frame = {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
};

export type Point = readonly [number, number];

/** From columns, rows and heights to pixels. */
export type Project = (column: number, row: number, height: number) => Point;

const INSET = { left: 40, right: 12, top: 10, bottom: 22 };
const FAR = 1e4; // pixels: beyond, a canvas loses its way

/** Width to height of a map, by its coordinates, if that is not too narrow or too flat. */
export function aspectOf({ x, y }: Surface): number {
  const span = (all: Float64Array) => (all.at(-1) ?? 1) - (all[0] ?? 0) || 1;
  return Math.max(0.6, Math.min(1.8, span(x) / span(y)));
}

/** What a path may be seen in, in CSS pixels: the map within its ticks, or all of the canvas. */
export function frameOf({ surface, view, width, height }: Omit<Scene, "relief">): Frame {
  if (view !== null) return { left: 0, top: 0, width, height };
  const room = [width - INSET.left - INSET.right, height - INSET.top - INSET.bottom] as const;
  const aspect = aspectOf(surface);
  const wide = Math.max(1, Math.min(room[0], room[1] * aspect));
  const high = Math.max(1, Math.min(room[1], wide / aspect));
  return { left: INSET.left, top: INSET.top, width: wide, height: high };
}

export function projectionOf({ surface, relief, view, width, height }: Scene): Project {
  const [columns, rows] = [Math.max(relief.columns - 1, 1), Math.max(relief.rows - 1, 1)];
  const [middle, half] = [width / 2, height / 2];
  /** What is far is moved nearer, in the direction in which it lies. */
  const bound = (x: number, y: number): Point => {
    const far = Math.max(Math.abs(x - middle), Math.abs(y - half));
    if (far <= FAR) return [x, y];
    return [middle + ((x - middle) / far) * FAR, half + ((y - half) / far) * FAR];
  };
  if (view === null) {
    const frame = frameOf({ surface, view, width, height });
    return (column, row) =>
      bound(
        frame.left + (column / columns) * frame.width,
        frame.top + (1 - row / rows) * frame.height,
      );
  }
  const [sine, cosine] = [Math.sin(view.yaw), Math.cos(view.yaw)];
  const [up, flat] = [RAISED * Math.sin(view.tilt), Math.cos(view.tilt)];
  // However it is turned, it fits, and is as large.
  const size = Math.min(width / (DIAGONAL + 0.06), height / (DIAGONAL * flat + up + 0.06));
  return (column, row, raised) => {
    const [u, v] = [column / columns - 0.5, row / rows - 0.5];
    const [across, depth] = [u * cosine - v * sine, u * sine + v * cosine];
    return bound(middle + size * across, half - size * (depth * flat + (raised - 0.5) * up));
  };
}

const DIAGONAL = Math.SQRT2;
const RAISED = 0.6; // how high the highest loss is, in sides of the plane

/** Snapshots of a path in pixels; in a relief, at their own losses. */
export function pathPixels(
  { surface, relief }: Pick<Scene, "surface" | "relief">,
  path: PlanePath,
  project: Project,
): (Point | null)[] {
  return [...path.steps].map((_, at) => {
    const [column, row] = cellOf(surface, path.xs[at] ?? Number.NaN, path.ys[at] ?? Number.NaN);
    const height = relief.heightOf(path.losses[at] ?? Number.NaN);
    return Number.isFinite(column + row)
      ? project(column, row, Number.isNaN(height) ? 1 : height)
      : null;
  });
}

/** Where a path is at a step, on the line from a snapshot to the next. */
export function pixelAtStep(
  path: PlanePath,
  points: readonly (Point | null)[],
  at: number,
  step: number,
): Point | null {
  const [from, to] = [points[at], points[at + 1]];
  const share = pastSnapshot(path, at, step);
  if (from == null) return null;
  if (to == null || share === 0) return from;
  return [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
}

export const isWithin = ({ left, top, width, height }: Frame, [x, y]: Point): boolean =>
  x >= left && y >= top && x <= left + width && y <= top + height;

const NEAR = 14; // pixels from a snapshot

/** The snapshot at a point; of two that are as near, that of path `first`. */
export function snapshotNear(scene: Scene, [x, y]: Point, first: number) {
  const project = projectionOf(scene);
  const all = scene.surface.paths.flatMap((path, which) =>
    pathPixels(scene, path, project).map((point, snapshot) => ({
      path: which,
      snapshot,
      away:
        point === null
          ? Number.POSITIVE_INFINITY
          : Math.hypot(point[0] - x, point[1] - y) - (which === first ? 1 : 0),
    })),
  );
  const near = all.filter(({ away }) => away < NEAR);
  return near.length === 0 ? null : near.reduce((one, two) => (two.away < one.away ? two : one));
}

/** The coordinates at a point of a map; null beside it, and on a relief. */
export function planeAt(scene: Omit<Scene, "relief">, point: Point): Point | null {
  const frame = frameOf(scene);
  if (scene.view !== null || !isWithin(frame, point)) return null;
  const along = (values: Float64Array, share: number) =>
    (values[0] ?? 0) + share * ((values.at(-1) ?? 0) - (values[0] ?? 0));
  return [
    along(scene.surface.x, (point[0] - frame.left) / frame.width),
    along(scene.surface.y, 1 - (point[1] - frame.top) / frame.height),
  ];
}
