/** Requests for the loss landscape, which only the part that is loaded later makes. */

import type { Strips } from "../model/strips";
import type { Surface } from "../model/surface";
import { block, queryOf } from "./api";
import { arrayOf, asText, fieldsOf, list, number, orNull, text } from "./block";
import { doubles } from "./readers";

export async function fetchStrips(
  run: string,
  columns: number,
  signal: AbortSignal,
): Promise<Strips> {
  const answer = await block("strips", { run, columns }, signal);
  return {
    steps: doubles(answer, "steps"),
    floors: doubles(answer, "floors"),
    headrooms: doubles(answer, "headrooms"),
    first: arrayOf(answer, "first"),
    alphas: doubles(answer, "alphas"),
    losses: doubles(answer, "losses"),
    total: number(answer.header, "strips"),
  };
}

export async function fetchSurface(
  run: string,
  surface: string,
  signal: AbortSignal,
): Promise<Surface> {
  const answer = await block("surface", { run, surface }, signal);
  const points = doubles(answer, "points");
  const [steps, distance, losses] = ["steps", "distance", "losses"].map((name) =>
    doubles(answer, `path_${name}`),
  );
  let end = 0;
  const paths = list(answer.header, "paths", (value) => {
    const path = fieldsOf(value, "a path");
    const start = end;
    end += number(path, "points");
    const part = (all?: Float64Array) => all?.subarray(start, end) ?? new Float64Array();
    const feet = points.subarray(2 * start, 2 * end);
    return {
      name: text(path, "name"),
      explained: orNull(path, "explained", number),
      steps: part(steps),
      xs: feet.filter((_, at) => at % 2 === 0),
      ys: feet.filter((_, at) => at % 2 === 1),
      distance: part(distance),
      losses: part(losses),
    };
  });
  return {
    run,
    name: surface,
    x: doubles(answer, "x"),
    y: doubles(answer, "y"),
    losses: doubles(answer, "losses"),
    words: list(answer.header, "words", asText),
    randomWalk: number(answer.header, "random_walk"),
    paths,
  };
}

/** Where a surface can be had as a file to keep. */
export const surfaceUrl = (run: string, surface: string, form: "csv" | "paths" | "npz"): string =>
  `./surface?${queryOf({ run, surface, form })}`;
