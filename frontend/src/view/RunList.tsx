/** The runs, and which of them are compared as A and B. */

import { useSignal } from "@preact/signals";
import { chooseRun } from "../choose";
import type { Run } from "../model/answers";
import { spokenName } from "../model/format";
import { colours, dark, runs, sides } from "../store";
import { SIDES, type Side } from "../units";

const FILTER_FROM = 10; // more runs than this are hard to find one in

export function RunList() {
  const filter = useSignal("");
  const all = runs.value;
  const wanted = filter.value.trim().toLowerCase();
  const shown = all.filter(({ name }) => name.toLowerCase().includes(wanted));
  return (
    <section class="runs" aria-labelledby="runs-title">
      <h2 id="runs-title">
        Runs <span class="count">{all.length}</span>
      </h2>
      {all.length > FILTER_FROM && (
        <input
          type="search"
          class="filter"
          placeholder="Filter runs"
          aria-label="Filter runs"
          value={filter.value}
          onInput={(event) => {
            filter.value = event.currentTarget.value;
          }}
        />
      )}
      <div class="scroller">
        <table>
          <thead>
            <tr>
              <th scope="col">A</th>
              <th scope="col">B</th>
              <th scope="col">Run</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((run) => (
              <RunRow key={run.name} run={run} />
            ))}
          </tbody>
        </table>
        {shown.length === 0 && <p class="quiet">No run has “{filter.value}” in its name.</p>}
      </div>
    </section>
  );
}

function RunRow({ run }: { run: Run }) {
  const colour = colours.value.get(run.name);
  const name = run.name || "(no name)";
  return (
    <tr class={SIDES.some((side) => sides.value[side] === run.name) ? "chosen" : ""}>
      {SIDES.map((side) => (
        <td key={side}>
          <Choice side={side} run={run} />
        </td>
      ))}
      <th scope="row" class="run">
        <span
          class="swatch"
          style={{ background: dark.value ? colour?.dark : colour?.light }}
          aria-hidden="true"
        />
        <span class="name" dir="auto" title={name}>
          {name}
        </span>
        {!run.hasNorms && <span class="chip">no norms</span>}
      </th>
    </tr>
  );
}

function Choice({ side, run }: { side: Side; run: Run }) {
  return (
    <label class="target">
      <input
        type="radio"
        name={`run-${side}`}
        checked={sides.value[side] === run.name}
        aria-label={`${side.toUpperCase()}: ${spokenName(run.name)}`}
        onChange={() => chooseRun(side, run.name)}
      />
    </label>
  );
}
