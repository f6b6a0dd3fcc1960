/** The loss landscape: strips of A and B, and what of them is read. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { alphaScale, alphasOf, type Strips } from "../model/strips";
import { fetchStrips } from "../server/landscape";
import { Resource } from "../server/resource";
import { SIDES, type Side } from "../units";
import { bySide, nonNull, runOf } from "./runs";

/** Of a lane, in CSS pixels; as in tracks.css. */
export const STRIP_HEIGHT = 84;

const MOST_STRIPS = 2_000; // more than a lane has pixels

export const stripResource = new Resource(
  ([run]: readonly [string], signal) => fetchStrips(run, MOST_STRIPS, signal),
  () => false,
);

/** What is to be asked for to fill the lanes. */
export const stripKeys = (): (readonly [string])[] => nonNull(SIDES.map(stripKeyOf));

function stripKeyOf(side: Side): readonly [string] | null {
  const run = runOf(side);
  return run?.hasStrips === true ? [run.name] : null;
}

export const stripsOf: Readonly<Record<Side, ReadonlySignal<Strips | null>>> = bySide((side) =>
  computed(() => {
    const key = stripKeyOf(side);
    const strips = key === null ? null : stripResource.get(key).value;
    return strips === null || strips.steps.length === 0 ? null : strips;
  }),
);

export const scaleOf = bySide((side) =>
  computed(() => {
    const strips = stripsOf[side].value;
    return strips === null ? null : alphaScale(alphasOf(strips), STRIP_HEIGHT);
  }),
);

/** How far ahead the keys of the lanes read, in steps of the optimizer. */
export const alphaRead = signal(0);
