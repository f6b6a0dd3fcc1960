/** How it sounds: preset, speed, notes, pitch, volume. */

import {
  choosePitchZoom,
  choosePreset,
  chooseSpeed,
  chooseTogether,
  chooseWhole,
  setVolume,
  toggleReference,
} from "../../actions/choose";
import { settlePreset } from "../../model/choices";
import { PITCH_ZOOMS, SPEEDS, TOGETHER } from "../../model/view";
import { chosenPreset, hearing, sound, volume } from "../../state/choices";
import { coverages } from "../../state/sources";
import { runsExpected } from "../../state/store";
import { Choice } from "./Choice";
import { Field } from "./Field";

const WHOLE = "whole";

export function SoundBar() {
  const coverage = coverages[hearing.value].value;
  const preset = coverage === null ? null : settlePreset(coverage.presets, chosenPreset.value);
  if (!runsExpected.value) return null;
  const { speed, together, zoom, reference } = sound.value;
  const known = preset !== null;
  return (
    <section
      class={known ? "toolbar second" : "toolbar second awaited"}
      aria-label="Sound settings"
    >
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
      <Field id="reference" label="Tone at norm 1">
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
