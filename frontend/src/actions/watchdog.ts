/** Looks after all runs, whether anything plays or not, and tells what happens to them. */

import { type Told, watch } from "../model/watch";
import { fetchStates } from "../server/api";
import { announcer } from "../state/playing";
import { forgetTold, isTold, watched } from "../state/watch";
import { soundAlarm } from "./alarm";

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
