/** The runs: names, order, search and state; and which of them are A and B where nobody has chosen. */

import { SIDES, type Side } from "../units";
import type { Landmark, Preset, Run, Scalars, Summaries, Summary } from "./answers";
import { glyphOf, KINDS } from "./landmarks";
import { problemWords, type Watched } from "./watch";

export type Sort = "name" | "value" | "broken" | "newest";

export const SORTS: readonly (readonly [Sort, string])[] = [
  ["name", "name"],
  ["value", "last value"],
  ["broken", "problems first"],
  ["newest", "newest"],
];

export const BEST = 5;

const SEPARATOR = /[/_\- ]/;

/** What all names begin with, up to a separator, and none of them is. */
export function sharedPrefix(names: readonly string[]): string {
  const [first = "", ...others] = names;
  let length = 0;
  for (let end = 1; end < first.length && others.length > 0; end++) {
    const prefix = first.slice(0, end);
    if (!others.every((name) => name.length > end && name.startsWith(prefix))) break;
    if (SEPARATOR.test(prefix.at(-1) ?? "")) length = end;
  }
  return first.slice(0, length);
}

export type Search = {
  readonly matches: (name: string) => boolean;
  /** Why it cannot be looked for; null where it can. */
  readonly problem: string | null;
};

/** Text that a name contains, or a /regular expression/ that it matches, in any case of letters. */
export function searchOf(text: string): Search {
  const wanted = text.trim().toLowerCase();
  const pattern = /^\/(.+)\/[iu]*$/s.exec(text.trim())?.[1];
  if (pattern === undefined) {
    return { matches: (name) => name.toLowerCase().includes(wanted), problem: null };
  }
  try {
    const expression = new RegExp(pattern, "i");
    return { matches: (name) => expression.test(name), problem: null };
  } catch (error) {
    const { message } = error as SyntaxError;
    return { matches: () => true, problem: message.split(": ").at(-1) ?? message };
  }
}

/** Whether a larger value of a tag is a better one. */
export const largerIsBetter = (tag: string): boolean =>
  !/loss|err/i.test(tag) &&
  /acc|auc|f1|bleu|rouge|score|reward|return|precision|recall|iou|psnr|ssim|r2/i.test(tag);

/**
 * Runs in the order that was asked for; the better value first.
 *
 * @param problems the worst of each run that has any
 */
export function sorted(
  runs: readonly Run[],
  by: Sort,
  summaries: Summaries | null,
  tag: string,
  problems: ReadonlyMap<string, Landmark> = new Map(),
): Run[] {
  const rank = (run: Run): number => {
    const summary = summaries?.get(run.name);
    if (by === "newest") return -(run.startTime ?? Number.NEGATIVE_INFINITY);
    if (by === "broken") return gravity(problems.get(run.name), summary);
    const value = summary?.lastValue ?? Number.NaN;
    if (by === "name" || !Number.isFinite(value)) return by === "name" ? 0 : Number.MAX_VALUE;
    return largerIsBetter(tag) ? -value : value;
  };
  const ranks = new Map(runs.map((run) => [run, rank(run)]));
  const less = (one: Run, other: Run) => {
    const [left, right] = [ranks.get(one) ?? 0, ranks.get(other) ?? 0];
    return left === right ? byName(one.name, other.name) : left < right ? -1 : 1;
  };
  return [...runs].sort(less);
}

/** Less is worse: by kind, then by step. */
function gravity(problem: Landmark | undefined, summary: Summary | undefined): number {
  const of = (kind: string, step: number) => KINDS.indexOf(kind) * MOST_STEPS + step;
  const found = problem === undefined ? Number.POSITIVE_INFINITY : of(problem.kind, problem.step);
  if (summary === undefined || summary.brokenAt === null) return found;
  return Math.min(found, of(Number.isNaN(summary.brokenValue) ? "nan" : "inf", summary.brokenAt));
}

const MOST_STEPS = 1e12;

const byName = new Intl.Collator("en", { numeric: true }).compare;

/** The few runs with the best last values. */
export const bestOf = (runs: readonly Run[], summaries: Summaries | null, tag: string): string[] =>
  sorted(runs, "value", summaries, tag)
    .filter(({ name }) => Number.isFinite(summaries?.get(name)?.lastValue))
    .slice(0, BEST)
    .map(({ name }) => name);

/** Those of some channels that are not heard: muted, or not among those that are to be alone. */
export function silentAmong(
  channels: readonly string[],
  muted: ReadonlySet<string>,
  soloed: ReadonlySet<string>,
): string[] {
  const alone = channels.some((channel) => soloed.has(channel));
  return channels.filter((channel) => muted.has(channel) || (alone && !soloed.has(channel)));
}

/** What is known of a run. */
export type Facts = {
  readonly gone: boolean;
  /** Whether its curve could not be loaded, is being loaded. */
  readonly failed: boolean;
  readonly loading: boolean;
  readonly summary: Summary | null;
  /** The worst thing that happened in it; null: none, or not known. */
  readonly problem: Landmark | null;
  readonly playing: "playing" | "heard" | "silent" | null;
  readonly growth: Watched["state"] | null;
  readonly restarted: boolean;
  readonly hasNorms: boolean;
};

export type State = { readonly glyph: string; readonly words: string; readonly alarm?: true };

/** How a run fares, in words and shapes, the most important first. */
export function statesOf(facts: Facts): State[] {
  if (facts.gone) return [{ glyph: "–", words: "gone", alarm: true }];
  const states: (State | null | false)[] = [
    facts.failed && { glyph: "!", words: "error", alarm: true },
    brokenState(facts),
    facts.loading && { glyph: "…", words: "loading" },
    facts.playing && { glyph: PLAYING[facts.playing], words: facts.playing },
    facts.growth === "live" && { glyph: "●", words: "live" },
    facts.growth === "stalled" && { glyph: "◔", words: "stalled", alarm: true },
    facts.restarted && { glyph: "↺", words: "restarted" },
    !facts.hasNorms && { glyph: "∅", words: "no norms" },
  ];
  return states.filter((state) => state !== null && state !== false);
}

const PLAYING = { playing: "▶", heard: "♪", silent: "◌" } as const;

function brokenState({ summary, problem }: Facts): State | null {
  if (summary !== null && summary.points > 0 && summary.finite === 0) {
    const all = Number.isNaN(summary.brokenValue) ? "all NaN" : "never finite";
    return { glyph: "✕", words: all, alarm: true };
  }
  const at = summary?.brokenAt ?? null;
  // What is drawn may be NaN before, or without, what was found in the run.
  const drawn = summary !== null && at !== null && (isFatal(problem) ? at < problem.step : true);
  if (!drawn) {
    if (problem === null) return null;
    return { glyph: glyphOf(problem.kind), words: problemWords(problem), alarm: true };
  }
  const kind = Number.isNaN(summary.brokenValue) ? "nan" : "inf";
  const words = problemWords({ kind, step: at, layer: null });
  return { glyph: glyphOf(kind), words, alarm: true };
}

const isFatal = (problem: Landmark | null): problem is Landmark =>
  problem?.kind === "nan" || problem?.kind === "inf";

/** Decibels and places as they are read and heard. */
export const gainWords = (gain: number): string =>
  `${gain > 0 ? "+" : gain < 0 ? "−" : ""}${Math.abs(gain)} dB`;

export function panWords(pan: number | null): string {
  if (pan === null) return "automatic";
  const percent = Math.round(Math.abs(pan) * 100);
  return percent === 0 ? "centre" : `${percent} % ${pan < 0 ? "left" : "right"}`;
}

export type Sides = Readonly<Record<Side, string | null>>;

/** The runs in A and B: what was chosen, as far as it is there; else what differs most, or comes first. */
export function settleSides(runs: readonly Run[], chosen: Sides): Sides {
  const there = (name: string | null) => (runs.some((run) => run.name === name) ? name : null);
  const audible = runs.filter((run) => run.hasNorms);
  const first = SIDES.flatMap((side) => audible.filter((run) => run.compared === side));
  const candidates = [...first, ...(audible.length > 0 ? audible : runs)].map((run) => run.name);
  const a =
    there(chosen.a) ?? candidates.find((name) => name !== chosen.b) ?? candidates[0] ?? null;
  const other = there(chosen.b);
  // No run is compared with itself: nothing would differ.
  const b = other !== null && other !== a ? other : (candidates.find((name) => name !== a) ?? null);
  return { a, b };
}

/** All tags of the runs, sorted. */
export function tagsOf(signals: readonly Scalars[]): string[] {
  return [...new Set(signals.flatMap(({ scalars }) => scalars))].sort();
}

/** The tag to draw: the chosen one where a run has it, else what the first run suggests. */
export function settleTag(signals: readonly Scalars[], chosen: string | null): string | null {
  const tags = tagsOf(signals);
  if (chosen !== null && tags.includes(chosen)) return chosen;
  return signals.map(({ loss }) => loss).find((loss) => loss !== null) ?? tags[0] ?? null;
}

export function settlePreset(presets: readonly Preset[], chosen: string | null): Preset | null {
  return presets.find(({ name }) => name === chosen) ?? presets[0] ?? null;
}

const FEW = 5;

/** The runs to draw: those that were chosen, else the first few; A and B are always among them. */
export function settleShown(
  runs: readonly string[],
  { a, b }: Sides,
  chosen: ReadonlySet<string> | null,
): string[] {
  const first = [a, b].filter((run) => run !== null);
  const few = [...new Set([...first, ...runs])].slice(0, FEW);
  const shown = new Set([...first, ...(chosen ?? few)]);
  return runs.filter((run) => shown.has(run));
}
