/** What is wrong with any run, the worst first; not there where nothing is. */

import { useSignal } from "@preact/signals";
import { goTo } from "../actions/triage";
import { glyphOf } from "../model/events";
import { shownName } from "../model/format";
import { problemWords } from "../model/watch";
import { keyWords } from "../state/preferences";
import { problems } from "../state/watch";

const FEW = 4;

export function Problems() {
  const open = useSignal(false);
  const all = problems.value;
  if (all.length === 0) return null;
  const key = keyWords("goToWorst");
  return (
    <section class="problems" aria-labelledby="problems-title">
      <h2 id="problems-title">
        Problems <span class="count">{all.length}</span>
      </h2>
      <ul class={open.value ? "open" : ""}>
        {all.slice(0, open.value ? all.length : FEW).map((each) => (
          <li key={each.run}>
            <button
              type="button"
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
      {all.length > FEW && (
        <button
          type="button"
          class="plain"
          aria-expanded={open.value}
          onClick={() => {
            open.value = !open.value;
          }}
        >
          {open.value ? "Fewer" : `All ${all.length}`}
        </button>
      )}
      {key !== null && <p class="quiet">{key} goes to the worst</p>}
    </section>
  );
}
