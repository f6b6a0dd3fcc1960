/** What happens by itself while something plays, and how much of it is said. */

export type News =
  /** Playing cannot go on, or goes on otherwise than asked for. */
  | "trouble"
  /** A run has been heard to its end. */
  | "end"
  /** A NaN, a spike or the like has been passed. */
  | "landmark"
  /** A run broke, while it is watched, whether it plays or not. */
  | "problem"
  /** A run began, stalled, ended. */
  | "run"
  /** A point has come of a run that is monitored. */
  | "newest"
  /** Another tenth of the run has been heard. */
  | "progress"
  /** The loop, or the live end, is gone to once more. */
  | "round";

export type Verbosity = "off" | "tenths" | "events" | "verbose";

export const VERBOSITIES: readonly Verbosity[] = ["off", "tenths", "events", "verbose"];

export const VERBOSITY_TITLES: Readonly<Record<Verbosity, string>> = {
  off: "nothing by itself",
  tenths: "every 10 %",
  events: "what happens",
  verbose: "all of it",
};

const SAID: Readonly<Record<Verbosity, readonly News[]>> = {
  off: ["trouble", "newest"],
  tenths: ["trouble", "newest", "problem", "run", "end", "progress"],
  events: ["trouble", "newest", "problem", "run", "end", "landmark"],
  verbose: ["trouble", "newest", "problem", "run", "end", "landmark", "progress", "round"],
};

/** Of these, only the latest is of interest. */
export const PASSING: readonly News[] = ["newest", "progress", "round"];

export const isSaid = (news: News, verbosity: Verbosity): boolean => SAID[verbosity].includes(news);

export const readVerbosity = (text: string | null): Verbosity =>
  VERBOSITIES.find((each) => each === text) ?? "events";

/** Something that has happened, and how many times in a row. */
export type Entry = { readonly number: number; readonly text: string; readonly times: number };

const MOST_ENTRIES = 50;

/** A log with one more entry; what happens again and again is one. */
export function logged(log: readonly Entry[], text: string): readonly Entry[] {
  const last = log.at(-1);
  if (last?.text === text) return [...log.slice(0, -1), { ...last, times: last.times + 1 }];
  return [...log, { number: (last?.number ?? 0) + 1, text, times: 1 }].slice(-MOST_ENTRIES);
}

/** Which tenth of a range a step is in, from 0 to 10. */
export function tenthAt(step: number, [from, to]: readonly [number, number]): number {
  return from < to ? Math.floor((10 * (step - from)) / (to - from) + 1e-9) : 0;
}
