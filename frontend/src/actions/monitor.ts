/** Monitoring, as in MAIDR: the newest point is said and heard as it comes, and the playhead stays. */

import { untracked } from "@preact/signals";
import { describePlace } from "../model/describe";
import { noteAtStep } from "../model/timeline";
import { laidCurves } from "../state/axes";
import { hearing, monitoring } from "../state/choices";
import { announcer, isPlaying, player, runWords } from "../state/playing";
import { score } from "../state/scores";
import { sources } from "../state/sources";
import { sides, tag } from "../state/store";
import type { Step } from "../units";

let last: { readonly of: string; readonly step: Step } | null = null;

export function toggleMonitor(): void {
  monitoring.value = !monitoring.value;
  const on = `Monitoring ${runWords(hearing.value)}: its newest point is said as it comes`;
  announcer.say(monitoring.value ? on : "Monitoring off");
}

/** To be run as an effect. */
export function sayNewest(): void {
  const side = hearing.value;
  const curve = laidCurves[side].value;
  const at = (curve?.steps.length ?? 0) - 1;
  const [step, min, max] = [curve?.steps[at], curve?.min[at], curve?.max[at]];
  if (!monitoring.value || step === undefined || min === undefined || max === undefined) {
    last = null;
    return;
  }
  const of = `${sides.value[side]} ${tag.value}`;
  const before = last?.of === of ? last.step : step;
  last = { of, step };
  if (step <= before) return;
  announcer.tell(
    "newest",
    describePlace({ run: null, step, tag: tag.peek(), value: { min, max } }),
  );
  const source = untracked(() => sources[side].value);
  if (source !== null && !untracked(isPlaying))
    player.stage.hearNote(score.peek(), noteAtStep(source.timeline, step));
}
