/** All runs, in a grid that is one stop for Tab: which of them are compared, drawn and heard, and how each fares. */

import { useEffect, useRef } from "preact/hooks";
import {
  gone,
  listed,
  prefix,
  search,
  searchRuns,
  show,
  shown,
  sideOf,
  statesOfRun,
  toggleShown,
} from "../../actions/runs";
import { chooseRun } from "../../actions/sound";
import type { Run } from "../../model/answers";
import { sparkOf } from "../../model/curve";
import { clamp } from "../../model/notes";
import { BEST, largerIsBetter, SORTS, type State } from "../../model/runs";
import { formatValue, shownName, spokenName } from "../../model/words";
import { searched, sort } from "../../state/choices";
import {
  curveOf,
  lineColourOf,
  log,
  manyRuns,
  runs,
  sides,
  summaries,
  tag,
} from "../../state/runs";
import { SIDES, type Side } from "../../units";
import { Icon } from "../parts/Button";

type Props = { readonly run: Run; readonly number: number };

export function RunRow({ run, number }: Props) {
  const side = sideOf(run.name);
  const summary = summaries.value?.get(run.name);
  return (
    <div
      role="row"
      aria-rowindex={number}
      data-row={run.name}
      class={side === null ? "line" : "line chosen"}
      style={{ "--line": lineColourOf(run.name) }}
      onClick={({ target, shiftKey }) => {
        const control = target instanceof Element && target.closest("label, button") !== null;
        if (!control && manyRuns.value) chooseRun(shiftKey ? "b" : "a", run.name);
      }}
      title={manyRuns.value ? "Click: hear it as A. Shift and click: compare it as B." : undefined}
    >
      {manyRuns.value &&
        SIDES.map((each, index) => (
          <div role="gridcell" aria-colindex={index + 1} key={each} class={`pick ${each}`}>
            <Choice side={each} run={run.name} />
          </div>
        ))}
      <div role="gridcell" aria-colindex={3} class="pick">
        <Eye run={run.name} fixed={side !== null} />
      </div>
      <Name run={run.name} />
      <div role="gridcell" aria-colindex={5} class="number" tabIndex={-1}>
        {summary === undefined ? "—" : formatValue(summary.lastValue)}
      </div>
      <States states={statesOfRun(run)} />
      <Spark run={run.name} />
    </div>
  );
}

/** A run that was chosen and is no longer there. */
export function GoneRow({ name, number }: { name: string; number: number }) {
  return (
    <div role="row" aria-rowindex={number} data-row={name} class="line">
      <Name run={name} />
      <div role="gridcell" aria-colindex={5} tabIndex={-1} />
      <States states={[{ glyph: "–", words: "gone", alarm: true }]} />
    </div>
  );
}

function Name({ run }: { run: string }) {
  const full = shownName(run);
  const side = sideOf(run);
  return (
    <div role="rowheader" aria-colindex={4} class="run" tabIndex={-1} aria-label={full}>
      <span class="swatch" aria-hidden="true" />
      {manyRuns.value && side !== null && (
        <span class="letter" aria-hidden="true">
          {side.toUpperCase()}
        </span>
      )}
      <span class="name" dir="auto" title={full}>
        {shownName(run.slice(prefix.value.length) || run)}
      </span>
    </div>
  );
}

function States({ states }: { states: readonly State[] }) {
  const all = states.map(({ words }) => words).join(", ") || "no problems found";
  return (
    <div
      role="gridcell"
      aria-colindex={6}
      class="states"
      tabIndex={-1}
      aria-label={all}
      title={all}
    >
      {states.map(({ glyph, words, alarm }) => (
        <span key={words} class={alarm ? "state alarm" : "state"}>
          <i aria-hidden="true">{glyph}</i>
          {words.replace("step ", "")}
        </span>
      ))}
    </div>
  );
}

function Choice({ side, run }: { side: Side; run: string }) {
  return (
    <label class="target">
      {/* Without a name: in a group, Tab and the arrows would pass over what is not checked. */}
      <input
        type="radio"
        tabIndex={-1}
        checked={sides.value[side] === run}
        aria-label={`${side.toUpperCase()}: ${spokenName(run)}`}
        onChange={() => chooseRun(side, run)}
      />
      <span aria-hidden="true">{side.toUpperCase()}</span>
    </label>
  );
}

const SPARK = { width: 56, height: 18 };

/** The curve of a run in small, where it is drawn. */
function Spark({ run }: { run: string }) {
  const curve = curveOf(run);
  return (
    <svg class="spark" {...SPARK} aria-hidden="true">
      {curve !== null && <path d={sparkOf(curve, SPARK.width, SPARK.height, log.value)} />}
    </svg>
  );
}

function Eye({ run, fixed }: { run: string; fixed: boolean }) {
  const on = shown.value.has(run);
  return (
    <button
      type="button"
      class="key eye"
      tabIndex={-1}
      aria-pressed={on}
      aria-disabled={fixed}
      aria-label={`Show ${spokenName(run)}`}
      title={fixed ? "A and B are always shown" : "Show its curve"}
      onClick={() => fixed || toggleShown(run)}
    >
      <Icon name={on ? "eye" : "eyeShut"} />
    </button>
  );
}

const CELLS = "[role=gridcell], [role=rowheader]";
const PAGE = 10; // rows
const ALL = 1e6; // more rows, and cells, than any grid has

/** By how many rows and cells each key moves. */
const MOVES: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  PageUp: [-PAGE, 0],
  PageDown: [PAGE, 0],
  Home: [0, -ALL],
  End: [0, ALL],
};

/** The column that up and down keep to, also across rows that lack it. */
let column = 1;
let crossing = false;

export function onGridKey(event: KeyboardEvent): void {
  const { key, ctrlKey, target } = event;
  const grid = event.currentTarget as HTMLElement;
  const cell = (target as HTMLElement).closest<HTMLElement>(CELLS);
  if (cell === null || event.altKey || event.metaKey || event.shiftKey) return;
  if (key === "Enter" && target instanceof HTMLInputElement) target.click(); // as Space does
  const [down, along] = MOVES[key] ?? [0, 0];
  if (down === 0 && along === 0) return;
  // A radio button and a slider would take the arrows for themselves.
  event.preventDefault();
  const toCorner = ctrlKey && Math.abs(along) === ALL;
  if (ctrlKey && !toCorner) return;
  const rows = [...grid.querySelectorAll<HTMLElement>("[data-row]")];
  const at = rows.findIndex((row) => row.contains(cell));
  const row = rows[clamp(at + (toCorner ? along : down), 0, rows.length - 1)];
  const cells = [...(row?.querySelectorAll<HTMLElement>(CELLS) ?? [])];
  const place =
    along === 0
      ? cells.findLastIndex((each) => columnOf(each) <= column)
      : cells.indexOf(cell) + along;
  crossing = along === 0;
  stopOf(cells[clamp(place, 0, cells.length - 1)] ?? cell).focus();
  crossing = false;
}

/** What has the focus becomes the one stop for Tab. */
export function onGridFocus(event: FocusEvent): void {
  const target = event.target as HTMLElement;
  const cell = target.closest<HTMLElement>(CELLS);
  if (cell === null) return;
  for (const stop of stopsOf(event.currentTarget as HTMLElement)) stop.tabIndex = -1;
  target.tabIndex = 0;
  if (!crossing) column = columnOf(cell);
}

/** A grid must have a stop, also where the row that had it is gone. */
export function keepStop(grid: HTMLElement): void {
  const [first, ...others] = stopsOf(grid);
  for (const stop of others) stop.tabIndex = -1;
  const cell = grid.querySelector<HTMLElement>(CELLS);
  if (first === undefined && cell !== null) stopOf(cell).tabIndex = 0;
}

const stopsOf = (grid: HTMLElement) => grid.querySelectorAll<HTMLElement>("[tabindex='0']");

/** What is focused of a cell: the control in it, else itself. */
const stopOf = (cell: HTMLElement): HTMLElement =>
  cell.querySelector<HTMLElement>("input:enabled, button") ?? cell;

const columnOf = (cell: HTMLElement): number => Number(cell.ariaColIndex);

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
