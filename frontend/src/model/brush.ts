/** A window on a strip that is dragged with the pointer: moved, widened, drawn anew. */

import type { Range } from "../units";
import { clamp } from "./timeline";

/** What was taken hold of, and where the window was then. */
export type Grip = {
  readonly part: "left" | "right" | "inside" | "outside";
  readonly window: Range;
};

const REACH = 8; // pixels around an edge

/** What is at a pixel; a window that shows all can only be drawn anew. */
export function gripAt([left, right]: Range, pixel: number, movable: boolean): Grip["part"] {
  if (!movable) return "outside";
  if (Math.abs(pixel - left) <= REACH && pixel <= (left + right) / 2) return "left";
  if (Math.abs(pixel - right) <= REACH) return "right";
  return left < pixel && pixel < right ? "inside" : "outside";
}

/** The window after the pointer has gone from one place to another, within the whole. */
export function pulled({ part, window }: Grip, from: number, to: number, whole: Range): Range {
  const [first, last] = window;
  if (part === "left") return inOrder(to, last);
  if (part === "right") return inOrder(first, to);
  if (part === "outside") return inOrder(from, to);
  const start = clamp(first + to - from, whole[0], whole[1] - (last - first));
  return [start, start + last - first];
}

const inOrder = (one: number, other: number): Range => [Math.min(one, other), Math.max(one, other)];
