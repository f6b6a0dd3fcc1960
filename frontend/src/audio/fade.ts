/** Short edges, so that sound that begins or ends anywhere does not click. */

import type { Seconds } from "../units";

export type Fade = {
  readonly seconds: Seconds;
  /** Gain at equal distances in time. */
  readonly curve: Float32Array<ArrayBuffer>;
};

const POINTS = 33;

/** Two of these, one rising and one falling, sum to one. */
export const raisedCosine = (seconds: Seconds): Fade =>
  shape(seconds, (x) => Math.sin((x * Math.PI) / 2) ** 2);

/** Two of these, one rising and one falling, keep the power of two different sounds. */
export const equalPower = (seconds: Seconds): Fade =>
  shape(seconds, (x) => Math.sin((x * Math.PI) / 2));

/** The same fade, downwards. */
export const falling = (fade: Fade): Fade => ({ ...fade, curve: fade.curve.slice().reverse() });

function shape(seconds: Seconds, gain: (x: number) => number): Fade {
  const curve = new Float32Array(POINTS);
  for (let point = 0; point < POINTS; point++) curve[point] = gain(point / (POINTS - 1));
  return { seconds, curve };
}
