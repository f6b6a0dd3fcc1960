/** What is seen and said while the server has not answered everything yet. */

import { runShelf } from "../server/data";
import { loadingWords, progress } from "../state/progress";
import { sources } from "../state/sources";
import { chosenRuns } from "../state/store";
import { SIDES } from "../units";

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
  const { value, error } = runShelf.get([]);
  return value === null && error === null ? <div class="card skeleton" /> : null;
}

/** What is missing altogether, and otherwise how far loading has got. */
function words(): string {
  if (runShelf.get([]).value?.length === 0) return "No runs yet";
  const chosen = chosenRuns.value;
  const scalars = chosen.length > 0 && chosen.every(({ hasNorms }) => !hasNorms);
  const heard = SIDES.some((side) => sources[side].value !== null);
  return scalars && heard ? "No gradient norms. The curve is heard instead" : loadingWords.value;
}
