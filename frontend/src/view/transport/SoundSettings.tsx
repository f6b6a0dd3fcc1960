/** How it sounds: preset, speed, notes, pitch; and which layer groups are heard. */

import {
  choosePitchZoom,
  choosePreset,
  chooseSpeed,
  chooseTogether,
  chooseWhole,
  toggleReference,
} from "../../actions/sound";
import { preview } from "../../actions/transport";
import { PITCH_ZOOMS, TOGETHER } from "../../model/answers";
import { WORDS } from "../../model/quantity";
import { settlePreset } from "../../model/runs";
import { formatValue } from "../../model/words";
import { noServer } from "../../server/site";
import { chosenPreset, hearing, soloedStreams, sound } from "../../state/choices";
import { CURVE, coverages, speedsOf } from "../../state/hearing";
import { isMuted, soloStream, streams, toggleStream } from "../../state/mix";
import { quantity, tag } from "../../state/runs";
import { Key } from "../parts/Button";
import { Check, Choice } from "../parts/Field";

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
        choose={(name) => {
          choosePreset(name);
          preview();
        }}
      />
      <Choice
        id="speed"
        label="Speed"
        disabled={preset?.takesSpeed !== true || speedsOf(hearing.value).length === 1}
        options={speedsOf(hearing.value).map((each) => [
          each,
          each === null ? "normal" : `${each} notes/s`,
        ])}
        value={speed}
        choose={chooseSpeed}
      />
      <Choice<number | typeof WHOLE>
        id="together"
        label="Skim"
        disabled={noServer !== null}
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
        disabled={noServer !== null || preset?.takesZoom !== true}
        options={PITCH_ZOOMS.map((each) => [each, each === 1 ? "normal" : `${each} times as wide`])}
        value={zoom}
        choose={choosePitchZoom}
      />
      <Check
        on={reference}
        set={toggleReference}
        disabled={noServer !== null || preset?.takesZoom !== true}
      >{`Reference tone at ${short} ${formatValue(at440Hz)}`}</Check>
      {noServer !== null && <p class="quiet">Speeds, pitch ranges and groups: {noServer}.</p>}
      <Streams />
    </div>
  );
}

export function Streams() {
  const desk = streams.value;
  if (desk === null) return null;
  const { names, fixed, mute } = desk;
  return (
    <section class="streams" aria-labelledby="streams-title">
      <h2 id="streams-title">Layer groups</h2>
      <ul>
        {names.length > 1 &&
          names.map((name) => (
            <Stream key={name} name={name} off={fixed === null ? null : "streams-fixed"} />
          ))}
        <Stream name={CURVE} words={tag.value ?? ""} off={mute === null ? null : "curve-silent"} />
      </ul>
      {fixed !== null && (
        <p class="quiet" id="streams-fixed">
          {fixed}
        </p>
      )}
      {mute !== null && (
        <p class="quiet" id="curve-silent">
          {mute}
        </p>
      )}
    </section>
  );
}

type Props = {
  readonly name: string;
  readonly words?: string;
  /** The element that says why nothing can be done here; null where it can. */
  readonly off: string | null;
};

function Stream({ name, words, off }: Props) {
  const does = words === undefined ? name : `${name}, ${words}`;
  return (
    <li>
      <span class="name" dir="auto" title={does}>
        {words ?? name}
      </span>
      <Key
        letter="S"
        does={`Solo ${does}`}
        on={soloedStreams.value.has(name)}
        press={() => soloStream(name)}
        off={off}
        tabIndex={0}
      />
      <Key
        letter="M"
        does={`Mute ${does}`}
        on={(off === null || name === CURVE) && isMuted(name)}
        press={() => toggleStream(name)}
        off={off}
        tabIndex={0}
      />
    </li>
  );
}
