/** What has changed between two answers to whether there is anything new. */

import type { Newest, Reached } from "../model/answers";

/** What was new when it was last looked for. */
export type Known = {
  readonly runs: string;
  readonly tag: string | null;
  /** By the name of the run. */
  readonly states: ReadonlyMap<string, Reached>;
};

export const known = (
  [tag, ...runs]: readonly [string | null, ...string[]],
  newest: Newest,
): Known => ({
  runs: newest.runs,
  tag,
  states: new Map(newest.states.map((state, at) => [runs[at] ?? "", state])),
});

export type Change = {
  /** Something is there, or gone, so that all must be asked for again. */
  readonly all: boolean;
  /** The runs that have more than before, or something else. */
  readonly grown: readonly string[];
};

/** What has changed, of all that both answers tell of: another choice is no change. */
export function changes(before: Known, after: Known): Change {
  const grown: string[] = [];
  let all = before.runs !== after.runs;
  for (const [run, { norms, points }] of after.states) {
    const was = before.states.get(run);
    if (was === undefined) continue;
    const pairs = [[was.norms, norms], ...(before.tag === after.tag ? [[was.points, points]] : [])];
    const other = pairs.filter(([older, newer]) => older !== newer);
    if (other.length > 0) grown.push(run);
    all ||= other.flat().includes(null);
  }
  return { all, grown };
}
