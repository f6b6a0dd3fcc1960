/** Landmarks as flags on the ruler, with a thin line down through the lanes. */

import { playLandmark } from "../../actions/review";
import { zoomTo } from "../../actions/zoom";
import { pixelOf } from "../../model/axis";
import { eventWords, type Flag, flagsOf, glyphOf, KINDS, kindWords } from "../../model/landmarks";
import { formatStep, shownName } from "../../model/words";
import { axis, drawable, xAt } from "../../state/axis";
import { landmarks, type SideLandmark } from "../../state/playing";
import { lineColours, manyRuns } from "../../state/runs";

const MOST_SENTENCES = 6; // in the note of a flag

export function Flags() {
  const { from, to, left, width } = axis.value;
  if (!drawable.value) return null;
  const seen = landmarks.value.filter((landmark) => {
    const x = placeOf(landmark);
    return from <= x && x <= to;
  });
  const flags = flagsOf(seen, (landmark) => pixelOf(axis.value, placeOf(landmark)), left + width);
  if (flags.length === 0) return null;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would be announced as a form
    <div class="flags" role="group" aria-label="Landmarks on the ruler" onKeyDown={walk}>
      {flags.map((flag, index) => (
        <FlagButton key={keyOf(flag)} flag={flag} reached={index === 0} />
      ))}
    </div>
  );
}

const placeOf = ({ side, step }: SideLandmark): number => xAt(side, step);

const keyOf = ({ items: [first] }: Flag<SideLandmark>): string =>
  `${first?.side} ${first?.step} ${first?.sentence}`;

/** One stop of Tab for all flags: arrow keys go from one to the next. */
function walk(event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void {
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>(".flag")];
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by !== undefined) {
    const at = all.indexOf(event.target as HTMLElement);
    all[Math.max(0, Math.min(all.length - 1, at + by))]?.focus();
    event.preventDefault();
  } else if (event.key === "Escape") {
    event.currentTarget.closest<HTMLElement>(".timeline")?.focus();
  } else if (event.key !== "Enter" && event.key !== " ") return;
  event.stopPropagation();
}

function FlagButton({ flag, reached }: { flag: Flag<SideLandmark>; reached: boolean }) {
  const [first] = flag.items;
  if (first === undefined) return null;
  const alone = flag.items.length === 1;
  const { kind, layer } = worst(flag.items) ?? first;
  const { side } = first;
  const several = new Set(flag.items.map((item) => item.side)).size > 1;
  const late = flag.pixel > axis.value.left + axis.value.width / 2;
  return (
    <div
      class={`flag-place ${side}`}
      style={{
        "--line": several ? "var(--ink-2)" : lineColours[side].value,
        transform: `translateX(${flag.pixel.toFixed(1)}px)`,
      }}
    >
      <button
        type="button"
        class={alone ? "flag" : "flag group"}
        tabIndex={reached ? 0 : -1}
        style={{ maxWidth: `${Math.floor(flag.room) - 2}px` }}
        aria-label={alone ? nameOf(first) : groupName(flag)}
        onClick={() => open(flag)}
      >
        <span class="glyph">{alone ? glyphOf(kind) : flag.items.length}</span>
        {flag.room > 44 && (
          <bdi class="flag-words">
            {kindWords(kind)}
            {layer !== null && ` ${shownName(layer)}`}
          </bdi>
        )}
      </button>
      <div class={late ? "note left" : "note"} aria-hidden="true">
        {flag.items.slice(0, MOST_SENTENCES).map((item) => (
          <p key={`${item.side} ${item.step} ${item.sentence}`}>{nameOf(item)}</p>
        ))}
        {flag.items.length > MOST_SENTENCES && <p>and {flag.items.length - MOST_SENTENCES} more</p>}
      </div>
    </div>
  );
}

/** The one that stands for a group: the most severe, and of these the first. */
function worst(items: readonly SideLandmark[]): SideLandmark | undefined {
  const severity = ({ kind }: SideLandmark) => KINDS.indexOf(kind);
  return [...items].sort((one, other) => severity(one) - severity(other))[0];
}

/** "A, step 12: NaN, first in fc1". */
const nameOf = (landmark: SideLandmark): string =>
  (manyRuns.value ? `${landmark.side.toUpperCase()}, ` : "") + eventWords(landmark);

function groupName({ items }: Flag<SideLandmark>): string {
  const steps = items.map(({ step }) => step);
  const [first, last] = [Math.min(...steps), Math.max(...steps)].map(formatStep);
  return `${items.length} landmarks, steps ${first} to ${last}`;
}

/** Play a landmark; of several at different places, show these apart. */
function open({ items }: Flag<SideLandmark>): void {
  const xs = items.map(placeOf);
  const [from, to] = [Math.min(...xs), Math.max(...xs)];
  const wide = axis.value.to - axis.value.from;
  const [item] = items;
  if (from < to && 2 * (to - from) < wide) zoomTo([from - (to - from) / 4, to + (to - from) / 4]);
  else if (item !== undefined) playLandmark(item);
}
