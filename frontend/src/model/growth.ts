/** Whether a run is being trained, by its last point and by when that was seen to move. */

import type { Summary } from "./answers";

const FRESH_MS = 120_000;

/** What was seen of a run; times in milliseconds since the page was opened. */
export type Memory = {
  readonly last: Summary;
  /** When its last point was written: by the server's clock or, where that is later, as it came. */
  readonly grownAt: number;
  readonly wentBack: boolean;
};

export function grown(before: Memory | undefined, last: Summary, now: number): Memory {
  // A run whose clock is not that of the server is seen to grow all the same.
  const moved = before !== undefined && last.lastStep !== before.last.lastStep;
  const written = now - Math.max(0, last.age);
  const known = before?.grownAt ?? Number.NEGATIVE_INFINITY;
  return {
    last,
    grownAt: moved ? now : last === before?.last ? known : Math.max(known, written),
    wentBack: before !== undefined && (before.wentBack || last.lastStep < before.last.lastStep),
  };
}

export const isLive = ({ last, grownAt }: Memory, now: number): boolean =>
  !last.ended && now - grownAt < FRESH_MS;
