/** Following live runs: staying at the end, watching all runs, rows one by one where there are few. */

import { soundAlarm } from "../actions/alarm";
import { playLiveEnd } from "../actions/transport";
import { rowByRowFor } from "../model/notes";
import { type Told, watch } from "../model/watch";
import { fetchStates, viewQuery } from "../server/api";
import { following, hearing } from "../state/choices";
import { coverageResource } from "../state/data";
import { coverages, noteQueries, rowByRow, sources } from "../state/hearing";
import { stepsOf } from "../state/layers";
import { announcer, isPlaying, player } from "../state/playing";
import { calmOffered, forgetTold, isTold, watched } from "../state/watch";
import { type Range, type Seconds, SIDES, type Side } from "../units";

const MOST_BEHIND: Seconds = 12;

/** To be run as an effect: skip what would be heard too late, where a run grows faster than it sounds. */
export function keepUp(): void {
  player.live = following.value;
  const source = sources[hearing.value].value;
  if (!following.value || source === null || !isPlaying()) return;
  const { timeline, preset } = source;
  const reached = player.shown.peek().frame;
  const behind = (timeline.notes * timeline.hop - reached) / preset.sampleRate;
  if (behind < MOST_BEHIND) return;
  playLiveEnd();
  announcer.tell("round", "Skipped to the live end");
}

/** To be run as an effect: what appears by itself is said. */
export function sayOffer(): void {
  if (calmOffered.value)
    announcer.tell("run", "Calm sound for a live run: offered below the controls");
}

/** To be run as an effect: what is heard changes when the answer for it is here. */
export function updateRowByRow(): void {
  for (const side of SIDES) {
    const rows = rowsFor(side);
    const view = noteQueries[side].value;
    if (view === null || sameRange(rows, rowByRow[side].value)) continue;
    const key = [viewQuery({ ...view, rows })] as const;
    coverageResource.ensure(key);
    if (coverageResource.get(key).value !== null) rowByRow[side].value = rows;
  }
}

function rowsFor(side: Side): Range | null {
  const steps = stepsOf(side);
  const coverage = coverages[side].value;
  const last = rowByRow[side].value;
  if (coverage === null) return null;
  return steps === null ? last : rowByRowFor(coverage, [steps[1], steps[2]], last);
}

const sameRange = (one: Range | null, other: Range | null): boolean =>
  one === other || (one !== null && other !== null && one[0] === other[0] && one[1] === other[1]);

const HIDDEN_MS = 10_000;

let asked = Number.NEGATIVE_INFINITY;
let asking = false;

/** To be called every second: look at all runs, less often where nobody sees it. */
export async function lookAfterRuns(): Promise<void> {
  const now = performance.now();
  if (asking || (document.hidden && now < asked + HIDDEN_MS)) return;
  asking = true;
  asked = now;
  // Whatever keeps the server from answering is told by what is asked for beside this.
  const states = await fetchStates(new AbortController().signal).catch(() => null);
  asking = false;
  if (states === null) return;
  const { after, told } = watch(watched.peek(), states, performance.now());
  watched.value = after;
  tell(told);
}

/** Problems first; what was heard, and so told, at the live end is not told again. */
function tell(all: readonly Told[]): void {
  for (const { run, kind } of all) if (kind === "restarted") forgetTold(run);
  const isNews = ({ run, problem }: Told) =>
    problem === null || !isTold(run, problem.kind, problem.step);
  const news = all.filter(isNews);
  const ordered = [...news].sort((one, other) => rank(one) - rank(other));
  for (const { text, problem } of ordered) {
    announcer.tell(problem === null ? "run" : "problem", text);
  }
  soundAlarm(ordered);
}

const rank = ({ problem }: Told): number => (problem === null ? 1 : 0);
