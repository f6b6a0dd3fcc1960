/** The numbers at the playhead, as text. Fixed in place, and never spoken by themselves. */

import { type LayerNorm, layerNorms, pitchRange } from "../../model/norms";
import { noteAtStep } from "../../model/notes";
import { titleOf, WORDS } from "../../model/quantity";
import { formatDifference, formatRange, formatStep, shownName } from "../../model/words";
import { soundUrl, tableUrl } from "../../server/api";
import { noServer } from "../../server/site";
import { laidOut, laidPartners, steps, stepsSeen } from "../../state/axis";
import { hearing } from "../../state/choices";
import { coverageError, coverages, sources } from "../../state/hearing";
import { lackWords, noteTable, playheadStep, valueHere } from "../../state/playing";
import {
  manyRuns,
  partnerTag,
  quantity,
  quantityOf,
  runOf,
  scalarsOf,
  sides,
  tag,
} from "../../state/runs";
import { SIDES, type Side } from "../../units";
import { Letter } from "../parts/Button";

export function Readout() {
  return (
    <div class="readout">
      <Values />
      <Norms />
    </div>
  );
}

function Values() {
  const chosen = SIDES.filter((side) => sides.value[side] !== null);
  const [a, b] = [valueHere("a"), valueHere("b")];
  return (
    <section aria-labelledby="values-title">
      <h2 id="values-title">At the playhead</h2>
      <p class="step">
        step <strong>{laidOut.value ? formatStep(playheadStep.value) : "—"}</strong>
        {laidOut.value && ` of ${formatStep(steps.value[1])}`}
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col" class="number">
              <span class="name" dir="auto" title={tag.value ?? ""}>
                {shownName(tag.value ?? "value")}
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {chosen.flatMap((side) => [
            <tr key={side}>
              <th scope="row" class="run">
                <Letter side={side} />
                <span class="name" dir="auto" title={sides.value[side] ?? ""}>
                  {shownName(sides.value[side] ?? "")}
                </span>
              </th>
              <td class="number">{formatRange(side === "a" ? a : b)}</td>
            </tr>,
            <Validation key={`${side} validation`} side={side} />,
          ])}
          {chosen.length > 1 && (
            <tr>
              <th scope="row">Difference, B − A</th>
              <td class="number">
                {a === null || b === null ? "—" : formatDifference(b.max, a.max)}
              </td>
            </tr>
          )}
        </tbody>
      </table>
      <Downloads />
    </section>
  );
}

/** The validation loss beside a training loss. */
function Validation({ side }: { side: Side }) {
  const tag = partnerTag[side].value;
  if (tag === null) return null;
  return (
    <tr class="beside">
      <th scope="row" class="run">
        <span class="name" dir="auto" title={tag}>
          {shownName(tag)}
        </span>
      </th>
      <td class="number">{formatRange(valueHere(side, laidPartners[side].value))}</td>
    </tr>
  );
}

function Norms() {
  const side = hearing.value;
  const source = sources[side].value;
  const table = noteTable.value;
  const scalar = runOf(side)?.hasNorms === false;
  const norms =
    source === null || table === null || scalar
      ? []
      : layerNorms(table, noteAtStep(source.timeline, playheadStep.value), quantity.value);
  const title = titleOf(quantity.value);
  const { short, at440Hz } = WORDS[quantity.value];
  const [least, most] = pitchRange(quantity.value);
  return (
    <section class="norms" aria-labelledby="norms-title">
      <h2 id="norms-title">
        {title}
        <Letter side={side} />
        <span class="name" dir="auto" title={sides.value[side] ?? ""}>
          {sides.value[side] ?? ""}
        </span>
      </h2>
      {source === null || scalar ? (
        <p class="quiet">{whyNone(side)}</p>
      ) : (
        <section class="scroller" tabIndex={0} aria-label={`${title} by layer`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Layer</th>
                <th scope="col">Stream</th>
                <th scope="col" class="number">
                  {short === "norm" ? "Norm" : "Ratio"}
                </th>
                <td class="meter scale" aria-hidden="true">
                  <span>{decade(least)}</span>
                  <span>{decade(at440Hz)}</span>
                  <span>{decade(most)}</span>
                </td>
              </tr>
            </thead>
            <tbody>
              {norms.map((norm) => (
                <NormRow key={norm.layer} norm={norm} stream={streamOf(side, norm.layer)} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}

const decade = (value: number): string =>
  value === 1 ? "1" : `1e${Math.round(Math.log10(value))}`.replace("-", "−");

function whyNone(side: Side): string {
  const run = sides.value[side];
  if (run === null) return "No run is chosen.";
  const known = runOf(side);
  if (known?.hasNorms === false) return known.trouble ?? "None were logged for this run.";
  const lack = lackWords(side);
  if (lack !== null) return `${lack}.`;
  return coverageError(side) === null ? "Loading…" : "They could not be loaded.";
}

function NormRow({ norm, stream }: { norm: LayerNorm; stream: string }) {
  return (
    <tr class={norm.alarm ?? ""}>
      <th scope="row" class="run">
        <span class="name" dir="auto" title={norm.layer}>
          {shownName(norm.layer)}
        </span>
      </th>
      <td>{stream}</td>
      <td class="number">{norm.text}</td>
      <td class="meter" aria-hidden="true">
        <i>{norm.level !== null && <b style={{ left: `${100 * norm.level}%` }} />}</i>
      </td>
    </tr>
  );
}

function streamOf(side: Side, layer: string): string {
  const streams = coverages[side].value?.streams ?? [];
  return streams.find(({ layers }) => layers.includes(layer))?.name ?? "";
}

const MOST_NOTES = 5_000; // of a file, five minutes

export function Downloads() {
  const source = sources[hearing.value].value;
  const run = runOf(hearing.value);
  if (source === null || run === null || noServer !== null) return null;
  const [from, to] = stepsSeen.value;
  const first = noteAtStep(source.timeline, from);
  const notes = Math.min(noteAtStep(source.timeline, to) - first + 1, MOST_NOTES);
  const drawn = scalarsOf(hearing.value)?.scalars.includes(tag.value ?? "") ? tag.value : null;
  return (
    <p class="downloads">
      Keep what is seen{manyRuns.value && ` of ${hearing.value.toUpperCase()}`}:{" "}
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
