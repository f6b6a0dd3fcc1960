/** What is seen, in sentences. */

import { formatStep, formatValue, spokenName } from "../model/format";
import { WORDS } from "../model/quantity";
import { pointAt, stepsIn } from "../model/table";
import { SIDES, type Side } from "../units";
import { laidCurves, stepsSeen, stepsSeenOf } from "./axes";
import { events } from "./landmarks";
import { runWords } from "./playing";
import { log } from "./shown";
import { hasQuantity, quantity, tag } from "./store";

export function seenWords(): string {
  const [from, to] = stepsSeen.value;
  const marks = events.value.filter(({ side, step }) => {
    const [first, last] = stepsSeenOf(side);
    return first <= step && step <= last;
  }).length;
  const axis = log.value ? "logarithmic" : "linear";
  return [
    `Steps ${formatStep(from)} to ${formatStep(to)} of ${spokenName(tag.value ?? "no scalar")}, on a ${axis} axis.`,
    ...SIDES.map(curveWords).filter((words) => words !== ""),
    ...(SIDES.some(hasQuantity) ? [`Of the layers, the ${WORDS[quantity.value].value}s.`] : []),
    `${marks} landmark${marks === 1 ? "" : "s"} among them.`,
  ].join("\n");
}

/** "A, sgd: from 2.3 to 0.4; lowest 0.39 at step 480; 3 values are not numbers." */
function curveWords(side: Side): string {
  const curve = laidCurves[side].value;
  if (curve === null) return "";
  const steps = stepsIn([curve], stepsSeenOf(side));
  const points = [...steps].map((step) => ({
    step,
    value: pointAt(curve, step)?.max ?? Number.NaN,
  }));
  const finite = points.filter(({ value }) => Number.isFinite(value));
  const [first, last] = [finite[0], finite.at(-1)];
  if (first === undefined || last === undefined)
    return `${runWords(side)}: nothing finite is drawn.`;
  const [least, most] = [1, -1].map((sign) =>
    finite.reduce((one, other) => (sign * other.value < sign * one.value ? other : one)),
  );
  const extremes = [
    ["lowest", least],
    ["highest", most],
  ] as const;
  const gaps = points.length - finite.length;
  return [
    `${runWords(side)}: from ${formatValue(first.value)} to ${formatValue(last.value)}`,
    ...extremes.map(([word, point]) =>
      point === undefined
        ? ""
        : `${word} ${formatValue(point.value)} at step ${formatStep(point.step)}`,
    ),
    gaps > 0 ? `${gaps} ${gaps === 1 ? "value is not a number" : "values are not numbers"}` : "",
  ]
    .filter((part) => part !== "")
    .join("; ")
    .concat(".");
}
