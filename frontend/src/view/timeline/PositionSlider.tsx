/** Where the playhead is, as a slider of the browser's own: for touch, voice and switches. */

import { moveTo, stopHere, stops } from "../../actions/moving";
import { describePlace } from "../../model/describe";
import { formatStep } from "../../model/format";
import { laidOut, steps } from "../../state/axes";
import { isPlaying, placeHere } from "../../state/playing";

export function PositionSlider() {
  const all = stops();
  if (!laidOut.value || all.length < 2) return null;
  const [step, ...value] = describePlace({ ...placeHere(), run: null }).split(", ");
  const words = [`${step} of ${formatStep(steps.value[1])}`, ...value].join(", ");
  return (
    <input
      class="position"
      type="range"
      aria-label="Position"
      min="0"
      max={all.length - 1}
      value={stopHere(all)}
      // A screen reader speaks each change while this has the focus, and would talk over the sound.
      aria-valuetext={isPlaying() ? "playing" : words}
      onInput={({ currentTarget }) => moveTo(all[currentTarget.valueAsNumber] ?? 0)}
    />
  );
}
