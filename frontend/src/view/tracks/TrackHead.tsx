/** The head of a track, on the rows of its lanes: the run, its place in the mix, its layers. */

import { wordsHere } from "../../actions/layers";
import { LEAST_GAIN, MOST_GAIN, setGain, setPan, toggleMute, toggleSolo } from "../../actions/runs";
import { rowEdges } from "../../model/layers";
import { gainWords, panWords } from "../../model/runs";
import { shownName, spokenName } from "../../model/words";
import { gains, mutedRuns, pans, soloed } from "../../state/choices";
import { coverages, heardHeight } from "../../state/hearing";
import { focusedIndex, type Lane, lanes, rows, streamsOf } from "../../state/layers";
import { ownPan } from "../../state/mix";
import { lineColours, sides } from "../../state/runs";
import type { Side } from "../../units";
import { Key, Letter } from "../parts/Button";
import { Slider } from "../parts/Field";
import { Later } from "../parts/Later";

export function TrackHead({ side }: { side: Side }) {
  const run = sides.value[side];
  if (run === null) return null;
  const name = shownName(run);
  return (
    <section
      class={`head ${side}`}
      aria-label={`Track ${side.toUpperCase()}`}
      style={{ "--line": lineColours[side].value }}
    >
      <div class="mix" style={{ minHeight: `${heardHeight(side)}px` }}>
        <h3>
          <Letter side={side} />
          <span class="name" dir="auto" title={name}>
            {name}
          </span>
        </h3>
        {coverages[side].value !== null && <Channel side={side} run={run} />}
      </div>
      {lanes.value.includes(side) && <LayerNames lane={side} />}
      <Later name="StripHead" side={side} />
    </section>
  );
}

/** Solo, mute, gain and pan: the same for every run that is put in this place. */
function Channel({ side, run }: { side: Side; run: string }) {
  const spoken = spokenName(run);
  const gain = gains.value.get(run) ?? 0;
  const pan = pans.value.get(run) ?? null;
  return (
    <div class="channel">
      <Key
        letter="S"
        does={`Solo ${spoken}`}
        on={soloed.value.has(run)}
        press={() => toggleSolo(run)}
      />
      <Key
        letter="M"
        does={`Mute ${spoken}`}
        on={mutedRuns.value.has(run)}
        press={() => toggleMute(run)}
      />
      <Slider
        label={`Gain of ${spoken}`}
        value={gain}
        words={gainWords(gain)}
        min={LEAST_GAIN}
        max={MOST_GAIN}
        step={1}
        change={(value) => setGain(run, value)}
        reset={() => setGain(run, 0)}
      />
      <span class="quiet" aria-hidden="true">
        pan
      </span>
      <Slider
        label={`Pan of ${spoken}`}
        value={pan ?? ownPan(side)}
        words={panWords(pan)}
        min={-1}
        max={1}
        step={0.1}
        change={(value) => setPan(run, Math.round(value * 10) / 10)}
        reset={() => setPan(run, null)}
      />
    </div>
  );
}

const NAMED_PIXELS = 11; // that a row must have to be named

/** The layers of a lane, each on its row, with what it has at the playhead. */
export function LayerNames({ lane }: { lane: Lane }) {
  const own = rows[lane].value;
  const edges = rowEdges(own.length, focusedIndex(lane));
  const height = (at: number) => (edges[at + 1] ?? 0) - (edges[at] ?? 0);
  return (
    <ul class="layer-names" aria-hidden="true" style={{ height: `${edges[own.length] ?? 0}px` }}>
      {own.map((row, at) =>
        height(at) < NAMED_PIXELS ? null : (
          <li key={row.key} style={{ top: `${edges[at]}px`, height: `${height(at)}px` }}>
            <span class="quiet">{streamsOf(lane, row.layers).join(", ")}</span>
            <span class="name" dir="auto" title={row.name}>
              {shownName(row.name)}
            </span>
            <ValueHere lane={lane} row={row} />
          </li>
        ),
      )}
    </ul>
  );
}

/** A component of its own: it follows the playhead. */
function ValueHere({ lane, row }: { lane: Lane; row: Parameters<typeof wordsHere>[1] }) {
  return <span class="number">{wordsHere(lane, row)}</span>;
}
