/** Requests for the loss landscape, which only the part that is loaded later makes. */

import type { Strips } from "../model/strips";
import { block } from "./api";
import { arrayOf, number } from "./block";
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
