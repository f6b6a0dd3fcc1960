/** The names of the rows of a lane, where they are tall enough, and of the one in focus. */

import { wordsHere } from "../../actions/layerFocus";
import { shownName } from "../../model/format";
import type { Row } from "../../model/rows";
import { focusedIndex, isClosed, type Lane } from "../../state/layers";

const LABELLED = 11; // pixels that a row must have to be named

type Props = { readonly rows: readonly Row[]; readonly edges: Float64Array };

export function RowLabels({ lane, rows, edges }: Props & { readonly lane: Lane }) {
  const focused = focusedIndex(lane);
  const plain = focused === 0 ? 1 : 0;
  const tall = (edges[plain + 1] ?? edges[1] ?? 0) - (edges[plain] ?? 0) >= LABELLED;
  const shown = rows
    .map((row, at) => ({ row, at }))
    .filter(({ at }) => tall || at === focused || rows.length === 1);
  return (
    <ul class="names" aria-hidden="true">
      {shown.map(({ row, at }) => (
        <li
          key={row.key}
          class={at === focused ? "focused" : ""}
          style={{ top: `${edges[at]}px`, height: `${(edges[at + 1] ?? 0) - (edges[at] ?? 0)}px` }}
        >
          <span class="name" dir="auto">
            {shownName(row.name)}
          </span>
          {row.layers.length > 1 && <span>({row.layers.length} layers)</span>}
          {at === focused && <NormHere lane={lane} row={row} />}
        </li>
      ))}
    </ul>
  );
}

/** A component of its own: it follows the playhead. */
function NormHere({ lane, row }: { lane: Lane; row: Row }) {
  return <span class="number">{wordsHere(lane, row)}</span>;
}

/** Which rows are of one module, beside them. */
export function RowModules({ rows, edges, width }: Props & { readonly width: number }) {
  const spans: { module: string; from: number; to: number }[] = [];
  rows.forEach(({ module }, at) => {
    const last = spans.at(-1);
    if (module === null) return;
    if (last?.module === module && last.to === at) last.to = at + 1;
    else spans.push({ module, from: at, to: at + 1 });
  });
  return (
    <div class="spans" style={{ width: `${Math.max(0, width - 22)}px` }} aria-hidden="true">
      {spans.map(({ module, from, to }) => {
        const [top, bottom] = [edges[from] ?? 0, edges[to] ?? 0];
        return (
          <span
            key={module}
            class={isClosed(module) ? "closed" : "open"}
            style={{ top: `${top}px`, height: `${bottom - top}px` }}
            title={module}
          >
            {bottom - top >= LABELLED && module.split(".").slice(-2).join(".")}
          </span>
        );
      })}
    </div>
  );
}
