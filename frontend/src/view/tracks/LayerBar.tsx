/** Under the lanes: what colours mean, and which rows there are; and how the screen is laid out. */

import { keyWords } from "../../actions/commands";
import { filterLayers, setAllModules, toggleModule } from "../../actions/layers";
import { chooseMeasure, setLog, setSmoothing } from "../../actions/sound";
import { fit, zoomTo } from "../../actions/zoom";
import { formatX, MEASURES, type Measure } from "../../model/axis";
import { COLOURFUL } from "../../model/colours";
import { WORDS } from "../../model/quantity";
import { formatTick, shownName } from "../../model/words";
import { domain, seen } from "../../state/axis";
import {
  differenceWanted,
  layerFilter,
  measure,
  rowOrder,
  smoothing,
  viewport,
} from "../../state/choices";
import {
  decades,
  differenceShown,
  isClosed,
  layerCount,
  moduleNames,
  modules,
  sidesShown,
  someBeyond,
} from "../../state/layers";
import { forcedColours, log, manyRuns, quantity } from "../../state/runs";
import { Check, Choice, Field } from "../parts/Field";
import { MOST_DOUBLINGS } from "./LayerLane";

const FILTER_FROM = 30; // more layers than this are hard to find one in
const ORDERS = [
  ["depth", "by depth"],
  ["largest", "largest first"],
] as const;

export function LaneLegend() {
  if (sidesShown.value.length === 0) return null;
  const solo = keyWords("soloHere");
  return (
    <section class="lane-legend" aria-label="Layers over time">
      <p id="lane-keys" class="hidden">
        Up and Down change the layer, Home and End go to the first and the last,{" "}
        {solo !== null && `${solo} hears its stream alone, or all again,`} Escape returns to the
        timeline; all other keys are the timeline’s.
      </p>
      <Legend />
      {layerCount.value > FILTER_FROM && (
        <input
          type="search"
          placeholder={`Filter ${layerCount.value} layers`}
          aria-label="Filter layers"
          value={layerFilter.value}
          onInput={({ currentTarget }) => {
            filterLayers(currentTarget.value);
          }}
        />
      )}
      <Modules />
    </section>
  );
}

function Modules() {
  const names = moduleNames.value;
  if (names.length === 0) return null;
  return (
    <fieldset class="modules">
      <legend>Modules</legend>
      {names.length > 1 && (
        <>
          <button type="button" onClick={() => setAllModules(false)}>
            Open all
          </button>
          <button type="button" onClick={() => setAllModules(true)}>
            Close all
          </button>
        </>
      )}
      {modules.value.map(
        ({ name, layers }) =>
          name !== null && (
            <button
              key={name}
              type="button"
              class="module"
              aria-expanded={!isClosed(name)}
              onClick={() => toggleModule(name)}
            >
              <span class="name" dir="auto" title={name}>
                {shownName(name)}
              </span>
              <span class="count">{layers.length}</span>
            </button>
          ),
      )}
    </fieldset>
  );
}

function Legend() {
  const [low, high] = decades.value;
  const colours = (kind: "norms" | "differences") =>
    forcedColours.value ? {} : { background: COLOURFUL.legend[kind] };
  const times = 2 ** MOST_DOUBLINGS;
  return (
    <ul class="shades scale" aria-label="What the colours mean">
      <li>
        Largest {WORDS[quantity.value].value} {formatTick(10 ** low)}{" "}
        <i class="norms" style={colours("norms")} /> {formatTick(10 ** high)}
      </li>
      {someBeyond.value && (
        <li>
          <i class="hatch beyond" /> beyond
        </li>
      )}
      <li>
        <i class="hatch zero" /> 0
      </li>
      <li>
        <i class="hatch nan" /> NaN
      </li>
      <li>
        <i class="hatch inf" /> Inf
      </li>
      {differenceShown.value && (
        <>
          <li>
            B {times} times A <i class="differences" style={colours("differences")} /> A {times}{" "}
            times B
          </li>
          <li>
            <i class="hatch alone" /> only in one
          </li>
        </>
      )}
    </ul>
  );
}

const NAMES: Readonly<Record<Measure, string>> = {
  step: "Steps",
  time: "Time",
  clock: "Clock time",
  share: "Share of the run",
};

export function ViewSettings() {
  return (
    <div class="settings">
      <Choice
        id="measure"
        label="Along x"
        title="Runs that lie above one another are heard together"
        options={MEASURES.map((each) => [each, NAMES[each]])}
        value={measure.value}
        choose={chooseMeasure}
      />
      <Field id="log" label="Log y axis">
        <input
          id="log"
          type="checkbox"
          checked={log.value}
          onChange={(event) => setLog(event.currentTarget.checked)}
        />
      </Field>
      <Field id="smoothing" label="Smoothing">
        <input
          id="smoothing"
          type="range"
          min="0"
          max="0.99"
          step="0.01"
          value={smoothing.value}
          aria-valuetext={smoothing.value === 0 ? "none" : String(smoothing.value)}
          onInput={(event) => setSmoothing(event.currentTarget.valueAsNumber)}
        />
      </Field>
      <Edges />
      {sidesShown.value.length > 0 && <Rows />}
    </div>
  );
}

/** Which rows the lanes of layers have. */
function Rows() {
  const both = sidesShown.value.length > 1;
  return (
    <>
      <Choice
        id="row-order"
        label="Layers"
        options={ORDERS}
        value={rowOrder.value}
        choose={(order) => {
          rowOrder.value = order;
        }}
      />
      {manyRuns.value && (
        <Check
          on={differenceShown.value}
          set={(on) => {
            differenceWanted.value = on;
          }}
          disabled={!both}
          describedBy={both ? undefined : "no-difference"}
        >
          Difference of A and B
        </Check>
      )}
      {manyRuns.value && !both && (
        <p id="no-difference" class="quiet">
          needs {WORDS[quantity.value].value}s in both runs
        </p>
      )}
    </>
  );
}

/** The edges of what is seen as numbers, for those who cannot drag; in steps, or in the unit of x. */
function Edges() {
  const unit = measure.value === "share" ? 100 : 1;
  const [from, to] = seen.value;
  if (measure.value === "clock") {
    return (
      <p class="edges">
        {formatX("clock", from, to - from)} to {formatX("clock", to, to - from)} <FitButton />
      </p>
    );
  }
  const digits = Math.max(0, 2 - Math.floor(Math.log10(unit * (to - from))));
  const change = (edge: 0 | 1, value: number) => {
    if (!Number.isFinite(value)) return;
    const moved = edge === 0 ? [value / unit, to] : [from, value / unit];
    zoomTo([Math.min(...moved), Math.max(...moved)]);
  };
  return (
    <fieldset class="edges">
      <legend class="hidden">What is seen</legend>
      <Edge label="From" value={from * unit} digits={digits} change={(value) => change(0, value)} />
      <Edge label="to" value={to * unit} digits={digits} change={(value) => change(1, value)} />
      <FitButton />
    </fieldset>
  );
}

function Edge(props: {
  label: string;
  value: number;
  digits: number;
  change: (value: number) => void;
}) {
  const id = `edge-${props.label}`;
  return (
    <Field id={id} label={props.label}>
      <input
        id={id}
        type="number"
        step="any"
        value={String(Number(props.value.toFixed(props.digits)))}
        onChange={(event) => props.change(event.currentTarget.valueAsNumber)}
      />
    </Field>
  );
}

function FitButton() {
  const [from, to] = domain.value;
  return (
    <button
      type="button"
      class="plain"
      disabled={viewport.value === null || from >= to}
      onClick={fit}
    >
      Show all
    </button>
  );
}
