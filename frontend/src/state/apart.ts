/** Where each row is heard by itself: in what is seen, once it is at rest and near enough. */

import { apartFor } from "../model/apart";
import { viewQuery } from "../server/api";
import { coverageShelf } from "../server/data";
import { type Range, SIDES, type Side } from "../units";
import { stepsOf } from "./layers";
import { coverages, rowsApart, views } from "./sources";

/** To be run as an effect: what is heard changes when the answer for it is here. */
export function takeRowsApart(): void {
  for (const side of SIDES) {
    const rows = rowsFor(side);
    const view = views[side].value;
    if (view === null || sameRange(rows, rowsApart[side].value)) continue;
    const key = [viewQuery({ ...view, rows })] as const;
    coverageShelf.ensure(key);
    if (coverageShelf.get(key).value !== null) rowsApart[side].value = rows;
  }
}

function rowsFor(side: Side): Range | null {
  const steps = stepsOf(side);
  const coverage = coverages[side].value;
  const last = rowsApart[side].value;
  if (coverage === null) return null;
  return steps === null ? last : apartFor(coverage, [steps[1], steps[2]], last);
}

const sameRange = (one: Range | null, other: Range | null): boolean =>
  one === other || (one !== null && other !== null && one[0] === other[0] && one[1] === other[1]);
