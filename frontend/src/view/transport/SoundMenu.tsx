/** The menu of the sound: it shows which one is chosen. */

import { settlePreset } from "../../model/runs";
import { chosenPreset, hearing } from "../../state/choices";
import { coverages } from "../../state/hearing";
import { Later } from "../parts/Later";
import { Menu } from "../parts/Menu";

export function SoundMenu() {
  const coverage = coverages[hearing.value].value;
  const preset = coverage === null ? null : settlePreset(coverage.presets, chosenPreset.value);
  const name = preset?.title.split(/[:(]/)[0]?.trim() ?? "Sound";
  return (
    <Menu
      id="sound-menu"
      name={`Sound settings, ${name}`}
      title="How it sounds: preset, speed, pitch range, layer groups"
      face={
        <>
          <span aria-hidden="true">♪</span> {name} <span aria-hidden="true">▾</span>
        </>
      }
    >
      <Later name="SoundSettings" />
    </Menu>
  );
}
