/** Under the lanes: what is under the pointer, how rows are laid out, what colours mean. */

import { keyWords } from "../../actions/commands";
import { pointed, rowHere, setAllModules, toggleModule, wordsHere } from "../../actions/layers";
import { COLOURFUL } from "../../model/colours";
import { comparedWords, normWords, pool } from "../../model/norms";
import { WORDS } from "../../model/quantity";
import { formatStep, formatTick, shownName } from "../../model/words";
import { axis, stepAt } from "../../state/axis";
import { differenceWanted, layerFilter, layersTabled, rowOrder } from "../../state/choices";
import {
  decades,
  differenceShown,
  heatmaps,
  isClosed,
  layerCount,
  moduleNames,
  modules,
  sidesShown,
  someBeyond,
} from "../../state/layers";
import { playheadStep } from "../../state/playing";
import { forcedColours, manyRuns, quantity } from "../../state/runs";
import type { Range, Side } from "../../units";
import { Choice } from "../parts/Field";
import { MOST_DOUBLINGS } from "./LayerLane";

const FILTER_FROM = 30; // more layers than this are hard to find one in
const ORDERS = [
  ["depth", "by depth"],
  ["largest", "largest first"],
] as const;

export function LaneBar() {
  if (sidesShown.value.length === 0) return null;
  const both = sidesShown.value.length > 1;
  const solo = keyWords("soloHere");
  return (
    <section class="lane-bar" aria-label="Heat-maps">
      <p id="lane-keys" class="hidden">
        Up and Down change the layer,{" "}
        {solo !== null && `${solo} hears its stream alone, or all again,`} Escape returns to the
        timeline; all other keys are the timeline’s.
      </p>
      <Pointed />
      <Legend />
      <div class="lane-controls">
        <Choice
          id="row-order"
          label="Layers"
          options={ORDERS}
          value={rowOrder.value}
          choose={(order) => {
            rowOrder.value = order;
          }}
        />
        {layerCount.value > FILTER_FROM && (
          <input
            type="search"
            placeholder={`Filter ${layerCount.value} layers`}
            aria-label="Filter layers"
            value={layerFilter.value}
            onInput={({ currentTarget }) => {
              layerFilter.value = currentTarget.value;
            }}
          />
        )}
        {manyRuns.value && (
          <label class="check">
            <input
              type="checkbox"
              checked={differenceShown.value}
              disabled={!both}
              aria-describedby={both ? undefined : "no-difference"}
              onChange={({ currentTarget }) => {
                differenceWanted.value = currentTarget.checked;
              }}
            />
            Difference of A and B
          </label>
        )}
        {manyRuns.value && !both && (
          <span id="no-difference" class="quiet">
            needs {WORDS[quantity.value].value}s in both runs
          </span>
        )}
        <button
          type="button"
          aria-expanded={layersTabled.value}
          onClick={() => {
            layersTabled.value = !layersTabled.value;
          }}
        >
          Layers as a table
        </button>
      </div>
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

/** Fixed in its place, and never spoken by itself; where nothing is pointed at, of the focused row. */
function Pointed() {
  const at = pointed.value;
  if (at !== null) {
    const [a, b] = [cellUnder("a"), cellUnder("b")];
    const cell = at.lane === "b" ? b : a;
    return (
      <Line
        lane={at.lane}
        name={at.row.name}
        steps={stepWords(cell.steps)}
        words={
          at.lane === "difference"
            ? comparedWords(a.norm, b.norm, quantity.value)
            : normWords(cell.norm, quantity.value)
        }
      />
    );
  }
  const [lane] = sidesShown.value;
  const row = lane === undefined ? undefined : rowHere(lane);
  if (lane === undefined || row === undefined) return <p class="pointed" />;
  return (
    <Line
      lane={lane}
      name={row.name}
      steps={`step ${formatStep(playheadStep.value)}`}
      words={wordsHere(lane, row)}
    />
  );
}

function Line(props: { lane: string; name: string; steps: string; words: string }) {
  return (
    <p class="pointed">
      {manyRuns.value && (
        <b>{props.lane === "difference" ? "A and B" : props.lane.toUpperCase()}</b>
      )}
      <span class="name" dir="auto">
        {shownName(props.name)}
      </span>
      <span>{props.steps}</span>
      <span class="number">{props.words}</span>
    </p>
  );
}

/** What a side has under the pointer: the worst norm of the row in the pixel, and the pixel's steps. */
function cellUnder(side: Side): { norm: number; steps: Range } {
  const place = axis.value;
  const at = pointed.value;
  const heatmap = heatmaps[side].value?.heatmap;
  if (at === null) return { norm: -1, steps: [0, 0] };
  const stepOf = (pixel: number) =>
    stepAt(side, place.from + ((place.to - place.from) * pixel) / place.width);
  const edges = Float64Array.of(stepOf(at.pixel), stepOf(at.pixel + 1));
  const [norm = -1] = heatmap === undefined ? [] : pool(heatmap, [at.row.layers], edges);
  return { norm, steps: [edges[0] ?? 0, edges[1] ?? 0] };
}

function stepWords([from, to]: Range): string {
  const [first, last] = [formatStep(from), formatStep(Math.ceil(to - 1e-6) - 1)];
  return first === last ? `step ${first}` : `steps ${first} to ${last}`;
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
