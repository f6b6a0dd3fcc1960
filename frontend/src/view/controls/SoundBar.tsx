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
import { Field } from "./Field";

const WHOLE = "whole";

export function SoundBar() {
  const coverage = coverages[hearing.value].value;
  const preset = coverage === null ? null : settlePreset(coverage.presets, chosenPreset.value);
  if (coverage === null || preset === null) return null;
  const { speed, together, zoom, reference } = sound.value;
  return (
    <section class="toolbar second" aria-label="Sound settings">
      <PresetSelect />
      <Field id="speed" label="Speed">
        <select
          id="speed"
          disabled={!preset.takesSpeed}
          value={String(speed)}
          onChange={({ currentTarget }) =>
            chooseSpeed(currentTarget.value === "null" ? null : Number(currentTarget.value))
          }
        >
          {SPEEDS.map((each) => (
            <option key={each} value={String(each)}>
              {each === null ? "normal" : `${each} notes/s`}
            </option>
          ))}
        </select>
      </Field>
      <Field id="together" label="Sum up">
        <select
          id="together"
          value={String(together)}
          onChange={({ currentTarget }) => {
            if (currentTarget.value === WHOLE) chooseWhole();
            else chooseTogether(Number(currentTarget.value));
            currentTarget.value = String(sound.value.together);
          }}
        >
          <option value={WHOLE}>the whole run in 10 s</option>
          {TOGETHER.map((each) => (
            <option key={each} value={String(each)}>
              {each === 1 ? "nothing" : `${each} notes as one`}
            </option>
          ))}
        </select>
      </Field>
      <Field id="pitch" label="Pitch zoom">
        <select
          id="pitch"
          disabled={!preset.takesZoom}
          value={String(zoom)}
          onChange={({ currentTarget }) =>
            choosePitchZoom(PITCH_ZOOMS.find((each) => String(each) === currentTarget.value) ?? 1)
          }
        >
          {PITCH_ZOOMS.map((each) => (
            <option key={each} value={String(each)}>
              {each}×
            </option>
          ))}
        </select>
      </Field>
      <Field id="reference" label="Tone at norm 1">
        <input
          id="reference"
          type="checkbox"
          disabled={!preset.takesZoom}
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

function PresetSelect() {
  const presets = coverages[hearing.value].value?.presets ?? [];
  if (presets.length === 0) return null;
  return (
    <Field id="preset" label="Sound">
      <select
        id="preset"
        value={settlePreset(presets, chosenPreset.value)?.name ?? ""}
        onChange={(event) => choosePreset(event.currentTarget.value)}
      >
        {presets.map(({ name, title }) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </Field>
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
