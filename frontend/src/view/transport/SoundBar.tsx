/** How it sounds: preset, speed, notes, pitch, volume. */

import {
  choosePitchZoom,
  choosePreset,
  chooseQuantity,
  chooseSpeed,
  chooseTogether,
  chooseWhole,
  setVolume,
  toggleReference,
} from "../../actions/sound";
import { QUANTITIES, type Quantity, WORDS } from "../../model/quantity";
import { PITCH_ZOOMS, SPEEDS, TOGETHER } from "../../model/query";
import { settlePreset } from "../../model/runs";
import { formatValue } from "../../model/words";
import { chosenPreset, hearing, sound, volume } from "../../state/choices";
import { coverages } from "../../state/hearing";
import { chosenRuns, manyRuns, quantity, runsExpected, sides } from "../../state/runs";
import { SIDES } from "../../units";
import { Choice, Field } from "../parts/Field";

const WHOLE = "whole";

export function SoundBar() {
  const coverage = coverages[hearing.value].value;
  const preset = coverage === null ? null : settlePreset(coverage.presets, chosenPreset.value);
  if (!runsExpected.value) return null;
  const { speed, together, zoom, reference } = sound.value;
  const { short, at440Hz } = WORDS[quantity.value];
  const known = preset !== null;
  return (
    <section
      class={known ? "toolbar second" : "toolbar second awaited"}
      aria-label="Sound settings"
    >
      <Choice
        id="quantity"
        label="Quantity"
        title="What of the layers is heard and shown"
        disabled={!chosenRuns.value.some(({ hasNorms }) => hasNorms)}
        options={QUANTITIES.map(offerOf)}
        value={quantity.value}
        choose={chooseQuantity}
      />
      <Choice
        id="preset"
        label="Sound"
        options={(coverage?.presets ?? []).map(({ name, title }) => [name, title])}
        value={preset?.name ?? ""}
        choose={choosePreset}
      />
      <Choice
        id="speed"
        label="Speed"
        disabled={preset?.takesSpeed !== true}
        options={SPEEDS.map((each) => [each, each === null ? "normal" : `${each} notes/s`])}
        value={speed}
        choose={chooseSpeed}
      />
      <Choice<number | typeof WHOLE>
        id="together"
        label="Sum up"
        options={[
          [WHOLE, "the whole run in 10 s"],
          ...TOGETHER.map(
            (each) => [each, each === 1 ? "nothing" : `${each} notes as one`] as const,
          ),
        ]}
        value={together}
        choose={(each) => (each === WHOLE ? chooseWhole() : chooseTogether(each))}
      />
      <Choice
        id="pitch"
        label="Pitch zoom"
        disabled={preset?.takesZoom !== true}
        options={PITCH_ZOOMS.map((each) => [each, `${each}×`])}
        value={zoom}
        choose={choosePitchZoom}
      />
      <Field id="reference" label={`Tone at ${short} ${formatValue(at440Hz)}`}>
        <input
          id="reference"
          type="checkbox"
          disabled={preset?.takesZoom !== true}
          checked={reference}
          onChange={toggleReference}
        />
      </Field>
      <div class="aside">
        <Volume />
      </div>
    </section>
  );
}

/** A quantity, and which runs lack it; none of them may have it. */
function offerOf(each: Quantity): readonly [Quantity, string, boolean] {
  const normed = chosenRuns.value.filter(({ hasNorms }) => hasNorms);
  const lacking = normed.filter(({ quantities }) => !quantities.includes(each));
  const missing = lacking.map((run) => (manyRuns.value ? sideOf(run.name) : "this run"));
  const words = missing.length > 0 ? ` (not in ${missing.join(" or ")})` : "";
  return [each, `${WORDS[each].name}${words}`, lacking.length < normed.length];
}

const sideOf = (name: string): string =>
  (SIDES.find((side) => sides.value[side] === name) ?? "").toUpperCase();

function Volume() {
  return (
    <Field id="volume" label="Volume">
      <input
        id="volume"
        type="range"
        min="0"
        max="1"
        step="0.01"
        value={volume.value}
        aria-valuetext={`${Math.round(volume.value * 100)} percent`}
        onInput={(event) => setVolume(event.currentTarget.valueAsNumber)}
      />
    </Field>
  );
}
