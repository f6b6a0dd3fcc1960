/** All runs: which of them are compared, drawn and heard. */

import { useEffect, useRef } from "preact/hooks";
import { gone, listed, prefix, search, searchRuns, show } from "../../actions/runs";
import { BEST, largerIsBetter, SORTS } from "../../model/runs";
import { searched, sort } from "../../state/choices";
import { manyRuns, runs, tag } from "../../state/runs";
import { keepStop, onGridFocus, onGridKey } from "./gridkeys";
import { GoneRow, RunRow } from "./RunRow";

const TOOLS_FROM = 6; // so few runs are seen at a glance

const COLUMNS = ["A", "B", "Show", "Run", "Last", "State"];

export function RunList() {
  return (
    <section class="runs" aria-labelledby="runs-title">
      <h2 id="runs-title">
        Runs <span class="count">{runs.value.length}</span>
        {prefix.value !== "" && (
          <span class="quiet name" dir="auto" title={prefix.value}>
            {prefix.value}…
          </span>
        )}
      </h2>
      {runs.value.length >= TOOLS_FROM && <Tools />}
      <Grid />
    </section>
  );
}

function Tools() {
  const { problem } = search.value;
  const best = largerIsBetter(tag.value ?? "") ? "highest" : "lowest";
  return (
    <div class="tools">
      <input
        type="search"
        placeholder="Search, or /regex/"
        aria-label="Search runs"
        aria-invalid={problem !== null}
        aria-describedby="search-problem"
        value={searched.value}
        onInput={({ currentTarget }) => {
          searchRuns(currentTarget.value);
        }}
      />
      <select
        aria-label="Sort runs"
        value={sort.value}
        onChange={({ currentTarget }) => {
          sort.value = SORTS.find(([by]) => by === currentTarget.value)?.[0] ?? "name";
        }}
      >
        {SORTS.map(([by, words]) => (
          <option key={by} value={by}>
            by {words}
          </option>
        ))}
      </select>
      <p id="search-problem" role="status" class="quiet">
        {problem !== null && `Not a regular expression: ${problem}`}
      </p>
      <fieldset class="bulk">
        <legend>Show</legend>
        <button
          type="button"
          title={`The runs whose last values of this curve are the ${best}`}
          onClick={() => show("best")}
        >
          Best {BEST}
        </button>
        <button type="button" onClick={() => show("all")}>
          All
        </button>
        <button type="button" onClick={() => show("none")}>
          None
        </button>
      </fieldset>
    </div>
  );
}

function Grid() {
  const grid = useRef<HTMLDivElement>(null);
  const rows = listed.value;
  const all = rows.length + gone.value.length + 1;
  useEffect(() => {
    if (grid.current !== null) keepStop(grid.current);
  });
  return (
    <div
      ref={grid}
      role="grid"
      class={manyRuns.value ? "scroller" : "scroller alone"}
      aria-labelledby="runs-title"
      aria-describedby="desk-keys"
      aria-rowcount={all}
      aria-colcount={COLUMNS.length}
      onKeyDown={onGridKey}
      onFocusIn={onGridFocus}
    >
      <div role="row" aria-rowindex={1} class="line heads">
        {COLUMNS.map(
          (name, index) =>
            (manyRuns.value || index > 1) && (
              <div
                key={name}
                role="columnheader"
                aria-colindex={index + 1}
                class={`head ${name.toLowerCase()}`}
              >
                {name}
              </div>
            ),
        )}
      </div>
      {rows.map((run, index) => (
        <RunRow key={run.name} run={run} number={index + 2} />
      ))}
      {gone.value.map((name, index) => (
        <GoneRow key={`gone ${name}`} name={name} number={rows.length + index + 2} />
      ))}
      {all === 1 && <p class="quiet">No run has “{searched.value}” in its name.</p>}
      <p id="desk-keys" class="hidden">
        Arrows go from cell to cell; Space or Enter chooses.
      </p>
    </div>
  );
}
