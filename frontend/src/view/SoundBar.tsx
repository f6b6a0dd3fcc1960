/** How it sounds: speed, notes, pitch. */

import { chosenPreset, hearing, sound } from "../choices";
import { choosePitchZoom, chooseSpeed, chooseTogether, toggleReference } from "../choose";
import { settlePreset } from "../model/choices";
import { PITCH_ZOOMS, SPEEDS, TOGETHER } from "../model/view";
import { coverages } from "../sources";
import { Field } from "./Field";

export function SoundBar() {
  const coverage = coverages[hearing.value].value;
  const preset = coverage === null ? null : settlePreset(coverage.presets, chosenPreset.value);
  if (coverage === null || preset === null) return null;
  const { speed, together, zoom, reference } = sound.value;
  return (
    <section class="toolbar second" aria-label="Sound settings">
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
          onChange={({ currentTarget }) => chooseTogether(Number(currentTarget.value))}
        >
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
    </section>
  );
}
