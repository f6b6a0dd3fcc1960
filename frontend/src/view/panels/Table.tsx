/** What is seen of the curves, in numbers, for those who do not see it: a page of rows at a time. */

import { computed, useSignal } from "@preact/signals";
import { playFrom } from "../../actions/transport";
import { pagesOf, pointAt, ROWS_PER_PAGE, stepsIn, worstLayer } from "../../model/curve";
import { clamp, lastNotAfter } from "../../model/notes";
import { formatNorm, WORDS } from "../../model/quantity";
import { formatDifference, formatRange, formatStep, shownName } from "../../model/words";
import { across, laidCurves, stepsSeen } from "../../state/axis";
import { hearing, measure } from "../../state/choices";
import { heatmaps } from "../../state/layers";
import { playheadStep } from "../../state/playing";
import { nonNull, quantity, sides, tag } from "../../state/runs";
import { SIDES, type Step } from "../../units";
import { Letter } from "../parts/Button";

/** The steps of the run that is heard; those of the other one among them where they are the same. */
const steps = computed(() => {
  const same = measure.value === "step" || measure.value === "clock";
  const listed = same ? SIDES : [hearing.value];
  return stepsIn(nonNull(listed.map((side) => laidCurves[side].value)), stepsSeen.value);
});

export function TableTwin() {
  const page = useSignal(0);
  const all = steps.value;
  const pages = pagesOf(all.length);
  const shown = clamp(page.value, 0, pages - 1);
  const current = lastNotAfter(all, playheadStep.value, all.length);
  const turns = [
    { name: "First", to: 0, off: shown === 0 },
    { name: "Previous", to: shown - 1, off: shown === 0 },
    { name: "Next", to: shown + 1, off: shown === pages - 1 },
    { name: "Last", to: pages - 1, off: shown === pages - 1 },
    { name: "At the playhead", to: Math.floor(Math.max(0, current) / ROWS_PER_PAGE), off: false },
  ];
  const first = shown * ROWS_PER_PAGE;
  return (
    <section class="twin" id="table" aria-labelledby="table-title">
      <h2 id="table-title">Table of what is seen</h2>
      <nav aria-label="Pages of the table">
        {turns.map(({ name, to, off }) => (
          <button
            key={name}
            type="button"
            aria-disabled={off}
            onClick={() => {
              if (!off) page.value = to;
            }}
          >
            {name}
          </button>
        ))}
        <span role="status">
          Page {shown + 1} of {pages}
        </span>
      </nav>
      <section class="scroller" tabIndex={0} aria-label="Rows of the table">
        <table>
          <caption class="hidden">
            {tag.value ?? "Value"}, steps {formatStep(stepsSeen.value[0])} to{" "}
            {formatStep(stepsSeen.value[1])}, {formatStep(all.length)} rows
          </caption>
          <Head />
          <tbody>
            {[...all.subarray(first, first + ROWS_PER_PAGE)].map((step, at) => (
              <Row key={step} step={step} current={first + at === current} />
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

const columns = () => SIDES.filter((side) => sides.value[side] !== null);

function Head() {
  return (
    <thead>
      <tr>
        <th scope="col">Step</th>
        {columns().map((side) => (
          <th key={side} scope="col" class="number">
            <Letter side={side} />{" "}
            <span class="name" dir="auto" title={sides.value[side] ?? ""}>
              {shownName(sides.value[side] ?? "")}
            </span>
          </th>
        ))}
        {columns().length > 1 && (
          <th scope="col" class="number">
            B − A
          </th>
        )}
        {worstIn() !== null && <th scope="col">{worstTitle()}</th>}
      </tr>
    </thead>
  );
}

function Row({ step, current }: { step: Step; current: boolean }) {
  const [a, b] = SIDES.map((side) =>
    pointAt(laidCurves[side].value, across(step, hearing.value, side)),
  );
  const heatmap = worstIn();
  const worst = heatmap === null ? null : worstLayer(heatmap, step);
  return (
    <tr aria-current={current ? "location" : undefined}>
      <th scope="row">
        <button
          type="button"
          class="plain"
          aria-label={`Play from step ${formatStep(step)}`}
          onClick={() => playFrom(step)}
        >
          {formatStep(step)}
        </button>
      </th>
      {columns().map((side) => (
        <td key={side} class="number">
          {formatRange((side === "a" ? a : b) ?? null)}
        </td>
      ))}
      {columns().length > 1 && (
        <td class="number">{!a || !b ? "—" : formatDifference(b.max, a.max)}</td>
      )}
      {heatmap !== null && (
        <td>
          {worst === null ? (
            "—"
          ) : (
            <>
              {formatNorm(worst.norm, quantity.value)} <bdi>{worst.layer}</bdi>
            </>
          )}
        </td>
      )}
    </tr>
  );
}

const worstTitle = (): string =>
  `Largest ${WORDS[quantity.value].value}, ${hearing.value.toUpperCase()}`;

/** The norms at hand of the run that is heard, as they are drawn. */
function worstIn() {
  return heatmaps[hearing.value].value?.heatmap ?? null;
}
