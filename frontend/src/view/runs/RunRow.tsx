/** A run at the desk: a line, and a channel strip where it is in A or B. */

import {
  LEAST_GAIN,
  MOST_GAIN,
  prefix,
  setGain,
  setPan,
  shown,
  sideOf,
  statesOfRun,
  toggleMute,
  toggleShown,
  toggleSolo,
} from "../../actions/runs";
import { chooseRun } from "../../actions/sound";
import type { Run } from "../../model/answers";
import { gainWords, panWords, type State } from "../../model/runs";
import { formatValue, shownName, spokenName } from "../../model/words";
import { gains, mutedRuns, pans, soloed } from "../../state/choices";
import { ownPan } from "../../state/mix";
import { colours, dark, manyRuns, sides, summaries } from "../../state/runs";
import { SIDES, type Side } from "../../units";
import { CellSlider } from "../parts/CellSlider";
import { Icon } from "../parts/Icon";

type Props = { readonly run: Run; readonly number: number };

export function DeskRow({ run, number }: Props) {
  const side = sideOf(run.name);
  const summary = summaries.value?.get(run.name);
  return (
    <div
      role="row"
      aria-rowindex={number}
      data-row={run.name}
      class={side === null ? "line" : "line strip"}
    >
      {manyRuns.value &&
        SIDES.map((each, index) => (
          <div role="gridcell" aria-colindex={index + 1} key={each}>
            <Choice side={each} run={run.name} />
          </div>
        ))}
      <div role="gridcell" aria-colindex={3}>
        <Eye run={run.name} fixed={side !== null} />
      </div>
      <Name run={run.name} />
      <div role="gridcell" aria-colindex={5} class="number" tabIndex={-1}>
        {summary === undefined ? "—" : formatValue(summary.lastValue)}
      </div>
      <States states={statesOfRun(run)} />
      {side !== null && <Strip side={side} run={run.name} />}
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
  const colour = colours.value.get(run);
  const full = shownName(run);
  return (
    <div role="rowheader" aria-colindex={4} class="run" tabIndex={-1} aria-label={full}>
      <span
        class="swatch"
        style={{ background: dark.value ? colour?.dark : colour?.light }}
        aria-hidden="true"
      />
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
    </label>
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

function Strip({ side, run }: { side: Side; run: string }) {
  const spoken = spokenName(run);
  const gain = gains.value.get(run) ?? 0;
  const pan = pans.value.get(run) ?? null;
  return (
    <div class="channel" role="presentation">
      <div role="gridcell" aria-colindex={7}>
        <Key
          letter="S"
          does={`Solo ${spoken}`}
          on={soloed.value.has(run)}
          press={() => toggleSolo(run)}
        />
      </div>
      <div role="gridcell" aria-colindex={8}>
        <Key
          letter="M"
          does={`Mute ${spoken}`}
          on={mutedRuns.value.has(run)}
          press={() => toggleMute(run)}
        />
      </div>
      <div role="gridcell" aria-colindex={9}>
        <CellSlider
          label={`Gain of ${spoken}`}
          value={gain}
          words={gainWords(gain)}
          min={LEAST_GAIN}
          max={MOST_GAIN}
          step={1}
          change={(value) => setGain(run, value)}
          reset={() => setGain(run, 0)}
        />
        <span aria-hidden="true" class="setting">
          {gainWords(gain)}
        </span>
      </div>
      <div role="gridcell" aria-colindex={10}>
        <span aria-hidden="true">L</span>
        <CellSlider
          label={`Pan of ${spoken}`}
          value={pan ?? ownPan(side)}
          words={panWords(pan)}
          min={-1}
          max={1}
          step={0.1}
          change={(value) => setPan(run, Math.round(value * 10) / 10)}
          reset={() => setPan(run, null)}
        />
        <span aria-hidden="true">R</span>
        <span aria-hidden="true" class="setting">
          {pan === null ? "auto" : panWords(pan)}
        </span>
      </div>
    </div>
  );
}

type KeyProps = {
  readonly letter: "S" | "M";
  readonly does: string;
  readonly on: boolean;
  readonly press: () => void;
  /** The element that says why it can't be pressed; null where it can. */
  readonly off?: string | null;
  readonly tabIndex?: number;
};

/** A key of the desk, which stays down. */
export function Key({ letter, does, on, press, off = null, tabIndex = -1 }: KeyProps) {
  return (
    <button
      type="button"
      class={`key ${letter === "S" ? "solo" : "mute"}`}
      tabIndex={tabIndex}
      aria-pressed={on}
      aria-label={does}
      title={does}
      disabled={off !== null}
      aria-describedby={off ?? undefined}
      onClick={press}
    >
      {letter}
    </button>
  );
}
