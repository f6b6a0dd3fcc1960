/** The curve as a line of braille, or the last message as text with a caret. */

import { useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { moveTo } from "../../actions/moving";
import { toggleReview } from "../../actions/review";
import { brailleOf, CELLS } from "../../model/braille";
import { clamp } from "../../model/notes";
import { formatStep } from "../../model/words";
import { laidCurves, seen, stepAt, stepsSeen, xAt } from "../../state/axis";
import { hearing, reviewField } from "../../state/choices";
import { announcer, playheadStep, runWords } from "../../state/playing";
import { log } from "../../state/runs";

/** Go to the first step in a cell of the braille line; to the left, at least by a step. */
export function moveToCell(cell: number): void {
  const [from, to] = seen.value;
  const x = from + ((to - from) * clamp(cell, 0, CELLS - 1)) / CELLS;
  const step = Math.ceil(stepAt(hearing.value, x) - 1e-6);
  moveTo(cell < cellHere() ? Math.min(step, Math.ceil(playheadStep.value) - 1) : step);
}

/** The cell of the playhead. */
export function cellHere(): number {
  const [from, to] = seen.value;
  const share = (xAt(hearing.value, playheadStep.value) - from) / (to - from);
  return clamp(Math.floor(share * CELLS + 1e-6), 0, CELLS - 1);
}

export function ReviewField() {
  if (reviewField.value === null) return null;
  return reviewField.value === "text" ? <LastMessage /> : <BrailleLine />;
}

/** As a field that can be edited has a caret, but changes are refused. */
const READ_ONLY = {
  "aria-readonly": true,
  autocomplete: "off",
  spellcheck: false,
  onBeforeInput: (event: Event) => event.preventDefault(),
} as const;

/** Its keys are the text's, but for what leaves it. */
function LastMessage() {
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  return (
    <input
      {...READ_ONLY}
      ref={field}
      class="review"
      aria-label="Last message"
      value={announcer.text.value.trim()}
      onKeyDown={(event) => {
        event.stopPropagation();
        const alone = !event.ctrlKey && !event.altKey && !event.metaKey;
        if (event.key === "Escape" || (alone && event.key.toLowerCase() === "r")) {
          event.preventDefault();
          toggleReview("text");
        }
      }}
    />
  );
}

/** Its caret is the playhead: arrows and cursor routing keys move it. Other keys are the timeline's. */
function BrailleLine() {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current?.focus();
    const follow = () => {
      const at = field.current?.selectionStart ?? 0;
      if (document.activeElement === field.current && at !== cellHere() && at < CELLS)
        moveToCell(at);
    };
    document.addEventListener("selectionchange", follow);
    return () => document.removeEventListener("selectionchange", follow);
  }, []);
  const curve = laidCurves[hearing.value].value;
  const line = curve === null ? "" : brailleOf(curve, stepsSeen.value, log.value);
  useSignalEffect(() => {
    const at = cellHere();
    if (field.current?.selectionStart !== at) field.current?.setSelectionRange(at, at);
  });
  const cells: Readonly<Record<string, number>> = {
    ArrowLeft: cellHere() - 1,
    ArrowRight: cellHere() + 1,
    Home: 0,
    End: CELLS - 1,
  };
  const [from, to] = stepsSeen.value;
  return (
    <input
      {...READ_ONLY}
      ref={field}
      class="review"
      aria-label={`Curve of ${runWords(hearing.value)} in braille, steps ${formatStep(from)} to ${formatStep(to)}`}
      value={line}
      onKeyDown={(event) => {
        const cell = cells[event.key];
        if (event.key === "Escape") toggleReview("braille");
        else if (cell !== undefined && !event.ctrlKey && !event.shiftKey) moveToCell(cell);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    />
  );
}
