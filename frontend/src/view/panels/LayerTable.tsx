/** The lanes as tables, of what is seen: for whoever reads rather than looks. */

import { signal } from "@preact/signals";
import type { LayerNumbers, LayerTable } from "../../model/answers";
import { COLUMNS, type Column, nextSorting, type Sorting, sortLayers } from "../../model/layers";
import { formatNorm, titleOf } from "../../model/quantity";
import { formatStep, shownName } from "../../model/words";
import { layerResource } from "../../state/data";
import { sidesShown, stepsOf } from "../../state/layers";
import { runWords } from "../../state/playing";
import { quantity, sides } from "../../state/runs";
import type { Side } from "../../units";
import { Letter } from "../parts/Button";

const sorting = signal<Sorting>(null);

export function LayerTables() {
  if (sidesShown.value.length === 0) return <p class="quiet">No layers to show.</p>;
  return (
    <section aria-labelledby="layers-title">
      <h2 id="layers-title">{titleOf(quantity.value)} of layers, over the steps that are seen</h2>
      {sidesShown.value.map((side) => (
        <OneRun key={side} side={side} />
      ))}
    </section>
  );
}

function OneRun({ side }: { side: Side }) {
  const key = stepsOf(side);
  const entry = key === null ? null : layerResource.get(key);
  return (
    <>
      <p class="table-of">
        <Letter side={side} />
        <span class="name" dir="auto">
          {shownName(sides.value[side] ?? "")}
        </span>
        {key !== null && (
          <span class="quiet">
            steps {formatStep(key[1])} to {formatStep(key[2])}
          </span>
        )}
      </p>
      {entry?.value != null ? (
        <Numbers table={entry.value} name={runWords(side)} />
      ) : (
        <p class="quiet">{entry?.error ?? "Loading…"}</p>
      )}
    </>
  );
}

function Numbers({ table, name }: { table: LayerTable; name: string }) {
  return (
    <>
      {table.mostRows > 1 && (
        <p class="quiet">
          Up to {table.mostRows} steps are one note here: Min and Median are of the notes’ medians.
        </p>
      )}
      <section class="scroller" tabIndex={0} aria-label={`Numbers of the layers of ${name}`}>
        <table class="layers">
          <caption class="hidden">Layers of {name}</caption>
          <thead>
            <tr>
              {COLUMNS.map(({ key, title }) => (
                <Head key={key} column={key} title={title} />
              ))}
            </tr>
          </thead>
          <tbody>
            {sortLayers(table.layers, sorting.value).map((numbers) => (
              <Row key={numbers.layer} numbers={numbers} />
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

function Head({ column, title }: { column: Column; title: string }) {
  const sorted = sorting.value?.column === column ? sorting.value : null;
  const order = sorted?.down ? "descending" : "ascending";
  return (
    <th
      scope="col"
      class={column === "layer" ? "" : "number"}
      aria-sort={sorted === null ? undefined : order}
    >
      <button
        type="button"
        class="plain"
        onClick={() => {
          sorting.value = nextSorting(sorting.value, column);
        }}
      >
        {title}
        <span aria-hidden="true">{sorted === null ? "" : sorted.down ? "▼" : "▲"}</span>
      </button>
    </th>
  );
}

function Row({ numbers }: { numbers: LayerNumbers }) {
  const value = (norm: number | null) => (norm === null ? "—" : formatNorm(norm, quantity.value));
  return (
    <tr class={numbers.nan > 0 ? "nan" : numbers.inf > 0 ? "inf" : ""}>
      <th scope="row">
        <span class="name" dir="auto" title={numbers.layer}>
          {shownName(numbers.layer)}
        </span>
      </th>
      <td class="number">{value(numbers.min)}</td>
      <td class="number">{value(numbers.median)}</td>
      <td class="number">{value(numbers.max)}</td>
      <td class="number">{formatStep(numbers.nan)}</td>
      <td class="number">{formatStep(numbers.inf)}</td>
      <td class="number">{numbers.stepOfMax === null ? "—" : formatStep(numbers.stepOfMax)}</td>
    </tr>
  );
}
