/** A run in the list: its name, its curve in small, and how it fares. A click hears it. */

import { prefix, shown, sideOf, statesOfRun, toggleShown } from "../../actions/runs";
import { chooseRun } from "../../actions/sound";
import type { Run } from "../../model/answers";
import { sparkOf } from "../../model/curve";
import type { State } from "../../model/runs";
import { formatValue, shownName, spokenName } from "../../model/words";
import { curveOf, lineColourOf, log, manyRuns, sides, summaries } from "../../state/runs";
import { SIDES, type Side } from "../../units";
import { Icon } from "../parts/Icon";

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
