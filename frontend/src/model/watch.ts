/** What happens to all runs while the page is open, each once: from answers to how they are. */

import type { Step } from "../units";
import type { Landmark, RunState } from "./answers";
import { KINDS, kindWords } from "./landmarks";
import { formatStep, spokenName } from "./words";

export const QUIET_MS = 60_000; // without anything written, a run has stalled
const PAUSES = 2; // times the longest pause: some write in bursts of minutes
const GONE_MS = 15_000; // a server that was started anew lists few runs at first

/** What is known of a run; times in milliseconds since the page was opened. */
export type Watched = {
  readonly last: RunState;
  /** When its last point was written: by the server's clock or, where that is later, as it came. */
  readonly grownAt: number;
  /** The longest time from one growth to the next. */
  readonly pause: number;
  readonly state: "live" | "stalled" | "ended" | "old" | "gone";
  readonly missingSince: number | null;
  readonly wentBack: boolean;
  /** Kinds and steps of problems that are no news, and of those that were told. */
  readonly known: ReadonlyMap<string, Step>;
  /** Those that were told, the most severe first. */
  readonly alarms: readonly Landmark[];
  /** How far it had got when it was first seen; null where it began since, so that all is news. */
  readonly seen: Pick<RunState, "newestStep" | "lastTime"> | null;
};

export type Watch = ReadonlyMap<string, Watched>;

export type Told = {
  readonly run: string;
  /** A problem, or that a run began, ended, ... */
  readonly kind: string;
  readonly problem: Landmark | null;
  /** A sentence that begins with the run. */
  readonly text: string;
};

/** How runs are after an answer, and what is to be told of them; nothing at the first answer. */
export function watch(
  before: Watch | null,
  states: readonly RunState[],
  now: number,
): { readonly after: Watch; readonly told: readonly Told[] } {
  const told: Told[] = [];
  if (before !== null && states.length === 0) return { after: before, told };
  const after = new Map<string, Watched>();
  for (const state of states) {
    const known = before?.get(state.run);
    if (known !== undefined && state.lastTime < known.last.lastTime) {
      after.set(state.run, known); // a server that was started anew has not read all of it yet
      continue;
    }
    const next = watched(known, state, now, before !== null);
    after.set(state.run, next.run);
    told.push(...next.told);
  }
  for (const [run, known] of before ?? []) {
    if (!after.has(run)) after.set(run, missed(known, now, told));
  }
  return { after, told };
}

function watched(before: Watched | undefined, last: RunState, now: number, open: boolean) {
  const moved = before !== undefined && last.lastTime !== before.last.lastTime;
  const written = now - Math.max(0, last.age);
  const grownAt = moved ? now : (before?.grownAt ?? written);
  const pause = Math.max(before?.pause ?? 0, moved ? now - before.grownAt : 0);
  const quiet = now - grownAt;
  const fresh = quiet < Math.max(QUIET_MS, PAUSES * (before?.pause ?? 0));
  const state = stateOf(before, last, fresh);
  const back = isBack(before, last);
  const begun = before === undefined && open && quiet < QUIET_MS;
  const news = [
    begun && "began",
    back && `went back to step ${formatStep(last.lastStep ?? 0)}`,
    before !== undefined && before.state !== "live" && state === "live" && "writes again",
    before?.state === "live" && state === "stalled" && `has written nothing for ${minutes(quiet)}`,
    state === "ended" &&
      (begun || before?.state === "live" || before?.state === "stalled") &&
      `ended${last.lastStep === null ? "" : ` at step ${formatStep(last.lastStep)}`}`,
  ];
  const kinds = ["began", "restarted", "writing", "stalled", "ended"];
  const told: Told[] = news.flatMap((words, at) =>
    typeof words === "string" ? [tellOf(last.run, kinds[at] ?? "", words)] : [],
  );
  const seen = before === undefined ? (begun ? null : last) : before.seen;
  const known = new Map(before?.known);
  if (back) for (const [kind, step] of known) if (step > (last.lastStep ?? 0)) known.delete(kind);
  const unknown = (last.problems ?? []).filter(({ kind }) => !known.has(kind));
  for (const { kind, step } of unknown) known.set(kind, step);
  const first = (before?.last.problems ?? null) === null; // that it is looked into
  const isOld = ({ step }: Landmark) =>
    first && seen !== null && (last.lastTime === seen.lastTime || step <= seen.newestStep);
  const alarms = unknown.filter((each) => !isOld(each));
  told.push(...alarms.map((each) => problemTold(last.run, each)));
  const lasting = (before?.alarms ?? []).filter(({ kind }) => known.has(kind));
  const run: Watched = {
    last:
      last.problems === null && before !== undefined
        ? { ...last, problems: before.last.problems }
        : last,
    grownAt,
    pause,
    state,
    missingSince: null,
    wentBack: back || before?.wentBack === true,
    known,
    alarms: [...lasting, ...alarms].sort(bySeverity),
    seen,
  };
  return { run, told };
}

function stateOf(
  before: Watched | undefined,
  { ended }: RunState,
  fresh: boolean,
): Watched["state"] {
  if (ended) return "ended";
  if (fresh) return "live";
  return before?.state === "live" || before?.state === "stalled" ? "stalled" : "old";
}

const isBack = (before: Watched | undefined, { lastStep }: RunState): boolean =>
  lastStep !== null && lastStep < (before?.last.lastStep ?? Number.NEGATIVE_INFINITY);

function missed(known: Watched, now: number, told: Told[]): Watched {
  const missingSince = known.missingSince ?? now;
  if (now - missingSince < GONE_MS || known.state === "gone") return { ...known, missingSince };
  if (known.state === "live" || known.state === "stalled")
    told.push(tellOf(known.last.run, "gone", "is gone"));
  return { ...known, missingSince, state: "gone" };
}

const tellOf = (run: string, kind: string, words: string): Told => ({
  run,
  kind,
  problem: null,
  text: `${spokenName(run)} ${words}`,
});

const problemTold = (run: string, problem: Landmark): Told => ({
  run,
  kind: problem.kind,
  problem,
  text: `${spokenName(run)}, step ${formatStep(problem.step)}: ${problem.sentence}`,
});

const minutes = (quiet: number): string =>
  quiet < 2 * QUIET_MS ? "60 s" : `${Math.floor(quiet / QUIET_MS)} minutes`;

export const bySeverity = (one: Landmark, other: Landmark): number =>
  KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind) || one.step - other.step;

/** A problem and its run. */
export type RunProblem = { readonly run: string; readonly problem: Landmark };

/** The worst problem of each run that has any, the worst run first. */
export const worstOf = (watch: Watch): RunProblem[] =>
  [...watch]
    .flatMap(([run, { last, state }]) => {
      const problem = state === "gone" ? undefined : last.problems?.[0];
      return problem === undefined ? [] : [{ run, problem }];
    })
    .sort((one, other) => bySeverity(one.problem, other.problem));

/** "NaN at step 445 in fc1". */
export const problemWords = ({ kind, step, layer }: Omit<Landmark, "sentence">): string =>
  `${kindWords(kind)} at step ${formatStep(step)}${layer === null ? "" : ` in ${layer}`}`;

/** What is wrong with runs that were seen to break or to stall, for a title; null where nothing is. */
export function alarmTitle(watch: Watch): string | null {
  const wrong = [...watch].flatMap(([run, { alarms, state }]) => {
    const [worst] = alarms;
    if (state === "gone" || (worst === undefined && state !== "stalled")) return [];
    return [
      {
        run,
        rank: worst === undefined ? KINDS.length : KINDS.indexOf(worst.kind),
        words: worst === undefined ? "stalled" : kindWords(worst.kind),
      },
    ];
  });
  const [first, ...others] = wrong.sort((one, other) => one.rank - other.rank);
  if (first === undefined) return null;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return `⚠ ${first.words}, ${first.run}${more}`;
}
