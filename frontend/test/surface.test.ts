import { expect, test } from "vitest";
import { frameOf, pathPixels, planeAt, projectionOf, snapshotNear } from "../src/draw/projection";
import {
  cellOf,
  contour,
  heightAt,
  lossUnder,
  mapAt,
  type PlanePath,
  pastSnapshot,
  placeWords,
  readWords,
  reliefOf,
  runOfPath,
  type Surface,
  snapshotAt,
} from "../src/model/surface";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const PATH: PlanePath = {
  name: "sgd",
  explained: 0.9,
  steps: Float64Array.of(0, 10, 20),
  xs: Float64Array.of(0, 1, 2),
  ys: Float64Array.of(0, 0.5, 0),
  distance: Float64Array.of(0, 3, 1),
  losses: Float64Array.of(4, 2, 1),
};

const evenly = (size: number) => Float64Array.from({ length: size }, (_, at) => at);

function surfaceOf(losses: readonly number[], columns: number): Surface {
  return {
    run: "runs/sgd",
    name: "plane",
    x: evenly(columns),
    y: evenly(losses.length / columns),
    losses: Float64Array.from(losses),
    words: [],
    randomWalk: 0.76,
    paths: [PATH],
  };
}

const grid = (heights: readonly number[], columns: number) => ({
  columns,
  rows: heights.length / columns,
  heights: Float64Array.from(heights),
});

/** The segments of a contour, each end as text, in no order. */
const segments = (heights: readonly number[], columns: number, level: number) => {
  const found = [...contour(grid(heights, columns), level)];
  return Array.from({ length: found.length / 4 }, (_, at) =>
    [found.slice(4 * at, 4 * at + 2), found.slice(4 * at + 2, 4 * at + 4)].map(String).sort(),
  ).map(String);
};

test("a contour lies where a line between two cells crosses its level", () => {
  expect(segments([0, 4, 0, 4], 2, 1)).toEqual(["0.25,0,0.25,1"]);
  expect(segments([0, 0, 4, 4], 2, 3)).toEqual(["0,0.75,1,0.75"]);
  expect(segments([0, 0, 0, 0], 2, 0)).toEqual([]);
  expect(segments([1, 1, 1, 1], 2, 0)).toEqual([]);
});

test("each of four corners can be alone above, or below", () => {
  const corners = ["0,0.5,0.5,0", "0.5,0,1,0.5", "0,0.5,0.5,1", "0.5,1,1,0.5"];
  [0, 1, 2, 3].forEach((corner) => {
    const above = [0, 0, 0, 0].map((_, at) => (at === corner ? 1 : 0));
    expect(segments(above, 2, 0.5)).toEqual([corners[corner]]);
    expect(
      segments(
        above.map((each) => 1 - each),
        2,
        0.5,
      ),
    ).toEqual([corners[corner]]);
  });
});

test("across a saddle, the middle says which corners belong together", () => {
  const apart = ["0,0.5,0.5,0", "0.5,1,1,0.5"];
  expect(segments([1, 0, 0, 1], 2, 0.6).length).toBe(2);
  expect(segments([1, 0, 0, 1], 2, 0.5).sort()).toEqual(apart);
  const joined = segments([1, 0.4, 0.4, 1], 2, 0.5);
  expect(joined.every((each) => !apart.includes(each))).toBe(true);
});

test("a contour of a cone is a circle, closed and as long as one", () => {
  const size = 41;
  const heights = Array.from({ length: size * size }, (_, at) =>
    Math.hypot((at % size) - 20, Math.floor(at / size) - 20),
  );
  const found = contour(grid(heights, size), 12.3);
  let length = 0;
  const ends = new Map<string, number>();
  for (let at = 0; at < found.length; at += 4) {
    const [a, b, c, d] = found.slice(at, at + 4) as unknown as [number, number, number, number];
    length += Math.hypot(c - a, d - b);
    for (const end of [`${a.toFixed(3)} ${b.toFixed(3)}`, `${c.toFixed(3)} ${d.toFixed(3)}`]) {
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    expect(Math.hypot(a - 20, b - 20)).toBeCloseTo(12.3, 1);
  }
  expect(length).toBeCloseTo(2 * Math.PI * 12.3, 0);
  expect(new Set(ends.values())).toEqual(new Set([2]));
});

test("beside what is no number there is no contour, and no height is made up", () => {
  expect(segments([0, nan, 4, 4, 4, 4], 2, 1)).toEqual([]);
  const relief = reliefOf(surfaceOf([1, nan, inf, 10, 100, 1000], 2));
  expect([...relief.heights].map(Number.isNaN)).toEqual([false, true, true, false, false, false]);
  expect(heightAt(relief, 0.5, 0)).toBeNaN();
  expect(heightAt(relief, 1, 1)).toBeCloseTo(1 / 3);
});

test("heights are logarithmic where losses are above 0, and levels are round", () => {
  const relief = reliefOf(surfaceOf([0.1, 1, 10, 100], 2));
  expect([...relief.heights].map((each) => Number(each.toFixed(6)))).toEqual([
    0, 0.333333, 0.666667, 1,
  ]);
  expect(relief.levels).toEqual([0.2, 0.5, 1, 2, 5, 10, 20, 50]);
  expect(relief.lossOf(0.5)).toBeCloseTo(Math.sqrt(10));
  const linear = reliefOf(surfaceOf([-1, 0, 1, 2], 2));
  expect([...linear.heights]).toEqual([0, 1 / 3, 2 / 3, 1]);
  expect(linear.levels).toEqual([-0.5, 0, 0.5, 1, 1.5]);
  expect(reliefOf(surfaceOf([3, 3, 3, 3], 2)).levels).toEqual([]);
  expect(reliefOf(surfaceOf([nan, nan, inf, nan], 2)).levels).toEqual([]);
  const high = reliefOf(surfaceOf([1, 10, 100, 1e30], 2));
  expect([...high.heights]).toEqual([0, 0.125, 0.25, 1]); // eight decades
});

test("a loss is that of the nearest cell, and between cells that of the line in logarithms", () => {
  const surface = surfaceOf([1, 100, 10, 1000], 2);
  expect(lossUnder(surface, 0.4, 0.2)).toBe(1);
  expect(lossUnder(surface, 0.6, 0.7)).toBe(1000);
  expect(lossUnder(surface, 1.6, 0)).toBeNull();
  expect(mapAt(surface, reliefOf(surface), 0.5, 0)).toBeCloseTo(10);
  expect(mapAt(surface, reliefOf(surface), 1.01, 0)).toBeNaN();
  expect(cellOf(surface, 0.25, 0.75)).toEqual([0.25, 0.75]);
});

test("a path is at the snapshot before a step, and so far on to the next", () => {
  expect([-1, 0, 9, 10, 99].map((step) => snapshotAt(PATH, step))).toEqual([0, 0, 0, 1, 2]);
  expect(pastSnapshot(PATH, 0, 5)).toBe(0.5);
  expect(pastSnapshot(PATH, 2, 99)).toBe(0);
});

test("the run of a path has its name, or is beside the run of the surface, or is that", () => {
  const { run, paths } = surfaceOf([1, 2, 3, 4], 2);
  const of = (path: string, runs: string[], all = paths) =>
    runOfPath({ run, paths: all }, path, runs);
  expect(of("sgd", ["sgd", "runs/sgd"])).toBe("sgd");
  expect(of("adam", ["runs/adam", "runs/sgd"])).toBe("runs/adam");
  expect(of("path", ["runs/sgd"])).toBe("runs/sgd");
  expect(of("path", ["runs/sgd"], [PATH, PATH])).toBeNull();
});

test("a snapshot and a place in words", () => {
  const surface = surfaceOf([1, 2, 4, 8, 2, 4], 3);
  const relief = reliefOf(surface);
  expect(readWords(surface, relief, PATH, 0)).toBe(
    "step 0, 1 of 3: loss 4, map 1, 0 from the plane",
  );
  expect(readWords(surface, relief, { ...PATH, xs: Float64Array.of(9, 9, 9) }, 1)).toContain(
    "off the map",
  );
  expect(placeWords(surface, 1, 0, PATH, 0)).toBe("(1, 0): loss 2, 1 from sgd at step 0");
  expect(placeWords(surface, 9, 0, PATH, 0)).toBe("off the map");
});

test("a map keeps its proportions, and a relief fits however it is turned", () => {
  const surface = surfaceOf([1, 2, 3, 4, 5, 6], 3);
  const frame = frameOf({ surface, view: null, width: 600, height: 300 });
  expect(frame.width / frame.height).toBeCloseTo(1.8);
  const relief = reliefOf(surface);
  for (let yaw = 0; yaw < 6.3; yaw += 0.3) {
    for (const tilt of [0.1, 0.8, 1.45]) {
      const project = projectionOf({
        surface,
        relief,
        view: { yaw, tilt },
        width: 600,
        height: 300,
      });
      for (const [column, row, height] of [
        [0, 0, 0],
        [2, 0, 1],
        [0, 1, 1],
        [2, 1, 0],
      ] as const) {
        const [x, y] = project(column, row, height);
        expect(x).toBeGreaterThan(0);
        expect(x).toBeLessThan(600);
        expect(y).toBeGreaterThan(0);
        expect(y).toBeLessThan(300);
      }
    }
  }
});

test("what is far off the map lies in its direction, and not too far for a canvas", () => {
  const surface = surfaceOf([1, 2, 3, 4], 2);
  const project = projectionOf({
    surface,
    relief: reliefOf(surface),
    view: null,
    width: 340,
    height: 320,
  });
  const [nearX, nearY] = project(30, -10, 0);
  const [x, y] = project(3e15, -1e15, 0);
  expect((y - 160) / (x - 170)).toBeCloseTo((nearY - 160) / (nearX - 170), 1);
  expect(Math.max(x, y)).toBeLessThan(1e5);
});

test("the snapshot at a point, and the place on the plane beside all of them", () => {
  const surface = { ...surfaceOf([1, 2, 4, 8, 2, 4], 3), paths: [PATH, PATH] };
  const map = { surface, relief: reliefOf(surface), view: null, width: 600, height: 300 };
  const points = pathPixels(map, PATH, projectionOf(map));
  const [x, y] = points[1] ?? [Number.NaN, Number.NaN];
  expect(snapshotNear(map, [x + 3, y - 3], 0)).toMatchObject({ path: 0, snapshot: 1 });
  expect(snapshotNear(map, [x + 3, y - 3], 1)).toMatchObject({ path: 1, snapshot: 1 });
  expect(snapshotNear(map, [x + 60, y], 0)).toBeNull();
  const { left, top, width, height } = frameOf(map);
  const middle = [left + width / 2, top + height / 2] as const;
  const [first, last] = [surface.x[0] ?? 0, surface.x.at(-1) ?? 0];
  expect(planeAt(map, middle)?.[0]).toBeCloseTo((first + last) / 2);
  expect(planeAt(map, [left - 1, top])).toBeNull();
  expect(planeAt({ ...map, view: { yaw: 0, tilt: 1 } }, middle)).toBeNull();
});
