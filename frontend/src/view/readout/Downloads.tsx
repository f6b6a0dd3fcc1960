/** What is seen of the run that is heard, as files to keep. */

import { noteAtStep } from "../../model/timeline";
import { soundUrl, tableUrl } from "../../server/api";
import { stepsSeen } from "../../state/axes";
import { hearing } from "../../state/choices";
import { coverages, sources } from "../../state/sources";
import { quantityOf, runOf, several, signalsOf, tag } from "../../state/store";

const MOST_NOTES = 5_000; // of a file, five minutes

export function Downloads() {
  const source = sources[hearing.value].value;
  const run = runOf(hearing.value);
  if (source === null || run === null) return null;
  const [from, to] = stepsSeen.value;
  const first = noteAtStep(source.timeline, from);
  const notes = Math.min(noteAtStep(source.timeline, to) - first + 1, MOST_NOTES);
  const drawn = signalsOf(hearing.value)?.scalars.includes(tag.value ?? "") ? tag.value : null;
  return (
    <p class="downloads">
      Keep what is seen{several.value && ` of ${hearing.value.toUpperCase()}`}:{" "}
      {coverages[hearing.value].value?.formats.map((format) => (
        <a key={format} href={soundUrl(source.sound, format, first, notes)} download="">
          sound ({format.toUpperCase()})
        </a>
      ))}{" "}
      <a href={tableUrl(run.name, quantityOf(hearing.value), drawn, from, to)} download="">
        numbers (CSV)
      </a>
    </p>
  );
}
