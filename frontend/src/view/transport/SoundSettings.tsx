/** How it sounds: preset, speed, notes, pitch; and the mix of layer groups and of the two sides. */

import {
  choosePitchZoom,
  choosePreset,
  chooseSpeed,
  chooseTogether,
  chooseWhole,
  toggleReference,
} from "../../actions/sound";
import { WORDS } from "../../model/quantity";
import { PITCH_ZOOMS, SPEEDS, TOGETHER } from "../../model/query";
import { settlePreset } from "../../model/runs";
import { formatValue } from "../../model/words";
import { chosenPreset, hearing, sound } from "../../state/choices";
import { coverages } from "../../state/hearing";
import { quantity } from "../../state/runs";
import { Check, Choice } from "../parts/Field";
import { Streams } from "./Streams";

const WHOLE = "whole";

export function SoundSettings() {
  const coverage = coverages[hearing.value].value;
  const preset = coverage === null ? null : settlePreset(coverage.presets, chosenPreset.value);
  const { speed, together, zoom, reference } = sound.value;
  const { short, at440Hz } = WORDS[quantity.value];
  return (
    <div class="settings">
      <Choice
        id="preset"
        label="Sound"
        options={(coverage?.presets ?? []).map((each) => [each.name, each.title])}
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
        label="Skim"
        title="Several notes are merged into one, which keeps the worst of them"
        options={[
          [WHOLE, "the whole run in 10 s"],
          ...TOGETHER.map((each) => [each, each === 1 ? "off" : `${each} notes as one`] as const),
        ]}
        value={together}
        choose={(each) => (each === WHOLE ? chooseWhole() : chooseTogether(each))}
      />
      <Choice
        id="pitch"
        label="Pitch range"
        disabled={preset?.takesZoom !== true}
        options={PITCH_ZOOMS.map((each) => [each, each === 1 ? "normal" : `${each} times as wide`])}
        value={zoom}
        choose={choosePitchZoom}
      />
      <Check
        on={reference}
        set={toggleReference}
        disabled={preset?.takesZoom !== true}
      >{`Reference tone at ${short} ${formatValue(at440Hz)}`}</Check>
      <Streams />
    </div>
  );
}
