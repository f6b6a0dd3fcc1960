/** The landscape in numbers: paths at the playhead, the snapshots of one, and strips. */

import { playSnapshot } from "../../actions/landscape";
import { playFrom } from "../../actions/transport";
import { headroomWords, lossHere, rounded } from "../../model/strips";
import { mapAt, type PlanePath, shareWords } from "../../model/surface";
import { formatStep, formatValue, shownName, spokenName } from "../../model/words";
import { stepsSeenOf } from "../../state/axis";
import {
  pathColour,
  pathHere,
  relief,
  snapshotHere,
  stepHere,
  stripsOf,
  surface,
} from "../../state/landscape";
import { runWords } from "../../state/playing";
import type { Side } from "../../units";

/** What every path has where it is: at its snapshot, on the map there, and how far that is off. */
export function PathTable() {
  const [shown, heights] = [surface.value, relief.value];
  if (shown === null || heights === null || shown.paths.length === 0) return null;
  return (
    <section class="scroller" tabIndex={0} aria-label="Paths">
      <table class="paths">
        <thead>
          <tr>
            <th scope="col">Path at step {formatStep(stepHere.value)}</th>
            <th scope="col" class="number">
              Loss
            </th>
            <th scope="col" class="number">
              Map
            </th>
            <th scope="col" class="number">
              Off the plane
            </th>
            <th scope="col" class="number">
              Variance held<small> (random walk {shareWords(shown.randomWalk)})</small>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.paths.map((path, at) => (
            <PathRow key={path.name} path={path} at={at} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function PathRow({ path, at }: { path: PlanePath; at: number }) {
  const [shown, heights] = [surface.value, relief.value];
  if (shown === null || heights === null) return null;
  const snapshot = snapshotHere(path, at);
  return (
    <tr aria-current={at === pathHere.value ? "true" : undefined}>
      <th scope="row">
        <button
          type="button"
          class="plain"
          aria-label={`Play ${spokenName(path.name)} from here`}
          onClick={() => playSnapshot(at, snapshot)}
        >
          <i class="dot" style={{ "--line": pathColour(at) }} />
          <span class="name" dir="auto" title={path.name}>
            {shownName(path.name)}
          </span>
        </button>
      </th>
      {valuesAt(path, snapshot).map((words, column) => (
        <td key={column} class="number">
          {words}
        </td>
      ))}
      <td class="number">{shareWords(path.explained)}</td>
    </tr>
  );
}

/** The loss at a snapshot, that of the map there, and how far it is off the plane. */
function valuesAt(path: PlanePath, snapshot: number): string[] {
  const [shown, heights] = [surface.value, relief.value];
  if (shown === null || heights === null) return [];
  const of = (values: Float64Array) => values[snapshot] ?? Number.NaN;
  const map = mapAt(shown, heights, of(path.xs), of(path.ys));
  return [
    formatValue(of(path.losses)),
    Number.isNaN(map) ? "off the map" : formatValue(rounded(map, 4)),
    formatValue(rounded(of(path.distance), 3)),
  ];
}

/** The snapshots of the path that keys are about, in numbers. */
export function SnapshotTable() {
  const [shown, heights, at] = [surface.value, relief.value, pathHere.value];
  const path = shown?.paths[at];
  if (shown === null || heights === null || path === undefined) return null;
  const current = snapshotHere(path, at);
  return (
    <details>
      <summary>
        Snapshots of <bdi>{shownName(path.name)}</bdi> as a table
      </summary>
      <table class="rows">
        <thead>
          <tr>
            {["Step", "Loss", "Map", "Off the plane"].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...path.steps].map((step, snapshot) => (
            <tr key={step} aria-current={snapshot === current ? "location" : undefined}>
              <th scope="row">
                <button
                  type="button"
                  class="plain"
                  aria-label={`Play from step ${formatStep(step)}`}
                  onClick={() => playSnapshot(at, snapshot)}
                >
                  {formatStep(step)}
                </button>
              </th>
              {valuesAt(path, snapshot).map((words, column) => (
                <td key={column}>{words}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

const MOST_ROWS = 200;

/** The strips that are seen, in numbers. */
export function StripTable({ side }: { side: Side }) {
  const strips = stripsOf[side].value;
  if (strips === null) return null;
  const [from, to] = stepsSeenOf(side);
  const seen = [...strips.steps.keys()].filter((at) => {
    const step = strips.steps[at] ?? 0;
    return step >= from && step <= to;
  });
  const alphas = (strip: number) => (strips.first[strip + 1] ?? 0) - (strips.first[strip] ?? 0);
  return (
    <details class="strip-table">
      <summary>Strips of {runWords(side)} as a table</summary>
      {seen.length > MOST_ROWS && (
        <p class="quiet">
          The first {MOST_ROWS} of {formatStep(seen.length)} that are seen: zoom in for others.
        </p>
      )}
      <table class="rows">
        <thead>
          <tr>
            {["Step", "Loss here", "Floor, steps ahead", "Headroom", "Losses measured"].map(
              (title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {seen.slice(0, MOST_ROWS).map((strip) => (
            <tr key={strip}>
              <th scope="row">
                <button
                  type="button"
                  class="plain"
                  aria-label={`Play from step ${formatStep(strips.steps[strip] ?? 0)}`}
                  onClick={() => playFrom(strips.steps[strip] ?? 0)}
                >
                  {formatStep(strips.steps[strip] ?? 0)}
                </button>
              </th>
              <td>{formatValue(lossHere(strips, strip))}</td>
              <td>{formatValue(rounded(strips.floors[strip] ?? Number.NaN, 3))}</td>
              <td>{headroomWords(strips, strip).replace("headroom ", "")}</td>
              <td>{alphas(strip)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
