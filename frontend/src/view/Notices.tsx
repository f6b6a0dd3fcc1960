/** What has to be told at the top of the page: problems of runs, faults of the server, loading. */

import { keyWords } from "../actions/commands";
import { goTo } from "../actions/moving";
import { answerOffer } from "../actions/sound";
import { refresh } from "../effects/index";
import { glyphOf } from "../model/landmarks";
import { problemWords } from "../model/watch";
import { shownName } from "../model/words";
import { runResource } from "../state/data";
import { sources } from "../state/hearing";
import { loadingWords, progress, serverProblem } from "../state/loading";
import { soundProblem } from "../state/playing";
import { chosenRuns } from "../state/runs";
import { calmOffered, problems } from "../state/watch";
import { SIDES } from "../units";
import { Menu } from "./parts/Button";

export function Problem() {
  const problem = serverProblem.value;
  return (
    <div role="alert" class="alerts">
      {problem !== null && (
        <p class="problem">
          <span>
            Not everything could be loaded: <bdi>{problem}</bdi>
          </span>
          <button type="button" onClick={refresh}>
            Retry
          </button>
        </p>
      )}
      {soundProblem.value !== null && (
        <p class="problem">
          <span>{soundProblem.value}</span>
          <button
            type="button"
            onClick={() => {
              soundProblem.value = null;
            }}
          >
            Close
          </button>
        </p>
      )}
    </div>
  );
}

/** Shown while a live run is followed, until it is answered. */
export function CalmOffer() {
  if (!calmOffered.value) return null;
  return (
    <section class="offer" aria-labelledby="offer-title">
      <h2 id="offer-title">Calm sound for a live run</h2>
      <p>Quiet while all is as before; what is unusual comes forward.</p>
      <button type="button" onClick={() => answerOffer(true)}>
        Use it
      </button>
      <button type="button" class="plain" onClick={() => answerOffer(false)}>
        Keep this sound
      </button>
    </section>
  );
}

/** A line along the top, which is there for those who have to wait long enough to see it. */
export function Loading() {
  const { done, all } = progress.value;
  return (
    <>
      {done < all && <progress value={done} max={all} aria-label="Loading" />}
      <p role="status" class="hidden">
        {words()}
      </p>
    </>
  );
}

/** The shape of what is to come. */
export function Skeleton() {
  const { value, error } = runResource.get([]);
  return value === null && error === null ? <div class="card skeleton" /> : null;
}

/** What is missing altogether, and otherwise how far loading has got. */
function words(): string {
  if (runResource.get([]).value?.length === 0) return "No runs yet";
  const chosen = chosenRuns.value;
  const scalars = chosen.length > 0 && chosen.every(({ hasNorms }) => !hasNorms);
  const heard = SIDES.some((side) => sources[side].value !== null);
  return scalars && heard ? "No gradient norms. The curve is heard instead" : loadingWords.value;
}

/** The runs that are broken, the worst first; each goes to where it broke. */
export function Problems() {
  const all = problems.value;
  if (all.length === 0) return null;
  const key = keyWords("goToWorst");
  return (
    <Menu
      id="problems-menu"
      name={`Problems ${all.length}`}
      title={key === null ? undefined : `Runs that are broken; ${key} goes to the worst`}
      face={
        <span class="problem-count">
          <span aria-hidden="true">▲</span> Problems {all.length}
        </span>
      }
    >
      <ul class="commands problems">
        {all.map((each) => (
          <li key={each.run}>
            <button
              type="button"
              class="plain"
              title={`${shownName(each.run)}: ${each.problem.sentence}`}
              onClick={() => goTo(each)}
            >
              <i aria-hidden="true">{glyphOf(each.problem.kind)}</i>
              <bdi>{shownName(each.run)}</bdi>{" "}
              <span class="what" dir="auto">
                {problemWords(each.problem)}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Menu>
  );
}
