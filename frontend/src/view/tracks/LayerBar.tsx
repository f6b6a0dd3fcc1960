/** Under the lanes: what is under the pointer, how rows are laid out, what colours mean. */

import { keyWords } from "../../actions/commands";
import { filterLayers, setAllModules, toggleModule } from "../../actions/layers";
import { COLOURFUL } from "../../model/colours";
import { WORDS } from "../../model/quantity";
import { formatTick, shownName } from "../../model/words";
import { differenceWanted, layerFilter, rowOrder } from "../../state/choices";
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
import { forcedColours, manyRuns, quantity } from "../../state/runs";
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
    <section class="lane-bar" aria-label="Layers over time">
      <p id="lane-keys" class="hidden">
        Up and Down change the layer, Home and End go to the first and the last,{" "}
        {solo !== null && `${solo} hears its stream alone, or all again,`} Escape returns to the
        timeline; all other keys are the timeline’s.
      </p>
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
              filterLayers(currentTarget.value);
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
