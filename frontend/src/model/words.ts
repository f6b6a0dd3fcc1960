/** Numbers and names as people read and hear them. */

import type { Step } from "../units";

const steps = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** A step without its fraction: the row that is heard. */
export const formatStep = (step: Step): string => steps.format(Math.floor(step + 1e-6));

/** A value in about four figures; not-a-number in words. */
export function formatValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Inf" : "−Inf";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text =
    size < 1e-3 || size >= 1e6 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replace("e+", "e").replaceAll("-", "−");
}

/** A value at an axis, where it is round. */
export const formatTick = (value: number): string => formatValue(value).replace(/\.?0+e/, "e");

/** One value, or the smallest and the largest of several. */
export function formatRange(range: { min: number; max: number } | null): string {
  if (range === null) return "—";
  const { min, max } = range;
  if (Object.is(min, max)) return formatValue(min);
  return `${formatValue(min)} to ${formatValue(max)}`;
}

const factors = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });

/** "a factor of 96,000", of one above 1. */
export const factorWords = (factor: number): string =>
  factor < 1e6 ? `a factor of ${factors.format(factor)}` : "more than a million times";

/**
 * How well a text answers to what was typed, the lower the better; null: not at all. The beginning
 * of a word goes before its middle, and that before letters with others between them.
 */
export function matchRank(typed: string, text: string): number | null {
  const [wanted, words] = [typed.trim().toLowerCase(), text.toLowerCase()];
  const at = words.indexOf(wanted);
  if (at >= 0) return at === 0 || words[at - 1] === " " ? at : 1_000 + at;
  let from = 0;
  for (const letter of wanted.replaceAll(" ", "")) {
    const found = words.indexOf(letter, from);
    if (found < 0) return null;
    from = found + 1;
  }
  return 2_000 + from;
}

/** A difference with its sign, where both are numbers. */
export function formatDifference(value: number, reference: number): string {
  const difference = value - reference;
  if (!Number.isFinite(difference)) return "—";
  return difference > 0 ? `+${formatValue(difference)}` : formatValue(difference);
}

const RIGHT_TO_LEFT = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]/;

/**
 * A name inside a sentence: kept short, and isolated where it is written from right to left and
 * would turn the sentence around. Elsewhere, braille displays would write the isolates out.
 */
export function spokenName(name: string): string {
  const characters = [...name];
  const short = characters.length > 60 ? `${characters.slice(0, 59).join("")}…` : name;
  return RIGHT_TO_LEFT.test(short) ? `\u2068${shownName(short)}\u2069` : shownName(short);
}

/** A name as it is seen: what has nothing but spaces and marks of direction must still be something. */
export const shownName = (name: string): string =>
  /[^\p{Cc}\p{Cf}\p{Z}]/u.test(name) ? name : "(no name)";
