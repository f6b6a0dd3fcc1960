/** One sentence for each run that is compared: what has happened; its clauses play their moments. */

import { playLandmark } from "../../actions/review";
import { type Course, storyOf } from "../../model/landmarks";
import { largerIsBetter } from "../../model/runs";
import { shownName } from "../../model/words";
import { laidCurves } from "../../state/axis";
import { landmarks } from "../../state/playing";
import { runsExpected, sides, tag } from "../../state/runs";
import { SIDES, type Side } from "../../units";
import { Problems } from "../Notices";
import { Letter } from "../parts/Button";

export function Story() {
  if (!runsExpected.value) return null;
  return (
    <section class="story" aria-label="What happened">
      <div class="sentences">
        {SIDES.map((side) => sides.value[side] !== null && <Sentence key={side} side={side} />)}
      </div>
      <Problems />
    </section>
  );
}

function Sentence({ side }: { side: Side }) {
  const own = landmarks.value.filter((event) => event.side === side);
  const clauses = storyOf(own, courseOf(side));
  if (clauses.length === 0) return null;
  return (
    <p>
      <Letter side={side} />{" "}
      {clauses[0]?.moment === null && tag.value !== null && (
        <bdi class="quiet">{shownName(tag.value)} </bdi>
      )}
      {clauses.map(({ words, moment }, at) => (
        <span key={words}>
          {moment === null ? (
            words
          ) : (
            <button
              type="button"
              class="clause"
              dir="auto"
              title={`${moment.sentence}: play it`}
              onClick={() => playLandmark({ ...moment, side })}
            >
              {words}
            </button>
          )}
          {at < clauses.length - 1 ? ", " : "."}
        </span>
      ))}
    </p>
  );
}

/** How the drawn curve went; null where it has no finite value. */
function courseOf(side: Side): Course | null {
  const curve = laidCurves[side].value;
  if (curve === null || tag.value === null) return null;
  const upwards = largerIsBetter(tag.value);
  const values = upwards ? curve.max : curve.min;
  const finite = Array.from(values.keys()).filter((at) => Number.isFinite(values[at]));
  const [first, last] = [finite[0], finite.at(-1)];
  if (first === undefined || last === undefined) return null;
  const valueAt = (at: number) => values[at] ?? Number.NaN;
  const isBetter = (one: number, other: number) => (upwards ? one > other : one < other);
  const best = finite.reduce((one, other) =>
    isBetter(valueAt(other), valueAt(one)) ? other : one,
  );
  const words = upwards ? "highest" : "lowest";
  return {
    first: valueAt(first),
    last: valueAt(last),
    best:
      best === last || best === first
        ? null
        : { step: curve.steps[best] ?? 0, value: valueAt(best), words },
  };
}
