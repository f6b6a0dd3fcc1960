/** The requests of docs/http_api.md. The only place with URLs and snake_case. */

import {
  type Alignment,
  type Coverage,
  type Curve,
  type Heatmap,
  type Landmark,
  type LayerTable,
  type Lesson,
  type Newest,
  type NotesQuery,
  type NoteTable,
  PLAIN,
  type Run,
  type RunState,
  type Scalar,
  type Scalars,
  type Sound,
  type Summaries,
} from "../model/answers";
import type { Heard } from "../model/heard";
import { QUANTITIES, type Quantity } from "../model/quantity";
import { SIDES, type Step } from "../units";
import {
  arrayOf,
  asText,
  type Block,
  decodeBlock,
  type Fields,
  fieldsOf,
  list,
  number,
  orNull,
  text,
} from "./block";
import {
  doubles,
  readCoverage,
  readHeard,
  readLandmark,
  readLayers,
  readPair,
  readState,
  readSummaries,
} from "./readers";
import { request, requestPatiently } from "./request";
import { isHeld, noServer, urlOf } from "./site";

type Arguments = Readonly<Record<string, string | number>>;

/** Arguments in the form in which they are sent; equal ones are equal text. */
export type Query = string;

export const CURVE_POINTS = 5_000;

/** The arguments that say which notes are meant. */
export function viewQuery(view: NotesQuery): Query {
  return queryOf({
    run: view.run,
    ...(view.scalar === null ? quantityArguments(view.quantity) : scalarArguments(view.scalar)),
    ...(view.along === null ? {} : alongArguments(view.along)),
    ...(view.rows === null ? {} : { rows_from: view.rows[0], rows_to: view.rows[1] }),
    ...(view.together === 1 ? {} : { together: view.together }),
    ...(view.speed === null ? {} : { speed: view.speed }),
  });
}

/** Whether notes can be asked for: in a page without a server, not all can. */
export const holdsNotes = (view: NotesQuery): boolean => isHeld(`coverage?${viewQuery(view)}`);

/** What the norms are of; where nothing is said, of gradients. */
const quantityArguments = (quantity: Quantity): Arguments =>
  quantity === "gradient" ? {} : { quantity };

/** The runs that a view is made from. */
export const runsIn = (view: Query): readonly string[] =>
  [...new URLSearchParams(view)]
    .filter(([name]) => name === "run" || name === "along")
    .map(([, run]) => run);

const scalarArguments = ({ tag, beside, scale: { kind, low, high } }: Scalar): Arguments => ({
  tag,
  ...(beside === null ? {} : { beside }),
  scale: kind,
  low,
  high,
});

const alongArguments = ({ run, by, tag }: Alignment): Arguments => ({
  along: run,
  by,
  ...(tag === null ? {} : { lead_tag: tag }),
});

/** The arguments that say how notes are to sound, beside preset and speed. */
export function soundQuery(sound: Sound, muted: readonly number[]): Query {
  return queryOf({
    ...(sound.zoom === PLAIN.zoom ? {} : { zoom: sound.zoom }),
    ...(muted.length > 0 ? { muted: muted.join(",") } : {}),
    ...(sound.reference ? { reference: 1 } : {}),
  });
}

export async function fetchRuns(signal: AbortSignal): Promise<Run[]> {
  return list(await json("runs", {}, signal), "runs", (value) => {
    const run = fieldsOf(value, "a run");
    return {
      name: text(run, "run"),
      startTime: orNull(run, "start_time", number),
      hasNorms: run.norms === true,
      quantities: QUANTITIES.filter((each) => list(run, "quantities", asText).includes(each)),
      hasStrips: run.strips === true,
      surfaces: list(run, "surfaces", asText),
      trouble: orNull(run, "trouble", text),
      compared: SIDES.find((side) => side === run.compared) ?? null,
    };
  });
}

export async function fetchNewest(
  tag: string | null,
  runs: readonly string[],
  signal: AbortSignal,
): Promise<Newest> {
  const arguments_ = [...runs.map((run) => ["run", run]), ...(tag === null ? [] : [["tag", tag]])];
  const response = await request(`news?${new URLSearchParams(arguments_)}`, signal);
  const fields = fieldsOf(await response.json(), "news");
  const states = list(fields, "states", (value) => {
    const state = fieldsOf(value, "how far a run has got");
    return { norms: orNull(state, "norms", text), points: orNull(state, "points", text) };
  });
  return { runs: text(fields, "runs"), states };
}

/** How far all runs have got, and what broke in them. */
export async function fetchStates(signal: AbortSignal): Promise<RunState[]> {
  const fields = await json("states", {}, signal);
  const now = number(fields, "now");
  return list(fields, "runs", (value) => readState(value, now));
}

export async function fetchScalars(run: string, signal: AbortSignal): Promise<Scalars> {
  const fields = await json("signals", { run }, signal);
  return {
    scalars: list(fields, "scalars", asText),
    loss: orNull(fields, "loss", text),
    pairs: list(fields, "pairs", readPair),
  };
}

/** @param points how many there are at most */
export async function fetchCurve(
  run: string,
  tag: string,
  points: number,
  signal: AbortSignal,
): Promise<Curve> {
  const answer = await block("curve", { run, tag, points }, signal);
  return {
    tag,
    steps: doubles(answer, "steps"),
    times: doubles(answer, "wall_times"),
    min: doubles(answer, "min"),
    max: doubles(answer, "max"),
    lastStep: orNull(answer.header, "last_step", number),
  };
}

/** Where all runs that have a tag stand in it. */
export async function fetchSummaries(tag: string, signal: AbortSignal): Promise<Summaries> {
  return readSummaries(await block("summaries", { tag }, signal));
}

/** @param older what was known before, of which only what has changed since is sent again */
export async function fetchCoverage(
  view: Query,
  older: Coverage | null,
  signal: AbortSignal,
): Promise<Coverage> {
  const known = older === null ? "" : `&${queryOf({ known: older.key })}`;
  return readCoverage(decodeBlock(await bytes(`coverage?${view}${known}`, signal)), older);
}

export async function fetchNotes(
  view: Query,
  firstNote: number,
  notes: number,
  signal: AbortSignal,
): Promise<NoteTable> {
  const span = queryOf({ first_note: firstNote, notes });
  const answer = decodeBlock(await bytes(`notes?${view}&${span}`, signal));
  return {
    firstNote: number(answer.header, "first_note"),
    notes: Math.max(0, arrayOf(answer, "steps").length - 1),
    layers: list(answer.header, "layers", asText),
    median: arrayOf(answer, "median"),
    max: arrayOf(answer, "max"),
    nan: arrayOf(answer, "nan"),
    inf: arrayOf(answer, "inf"),
  };
}

/** The bytes of a WAV file; who plays waits for them. */
export async function fetchClip(
  sound: Query,
  firstNote: number,
  notes: number,
  signal: AbortSignal,
): Promise<ArrayBuffer> {
  const path = `clip?${sound}&${queryOf({ first_note: firstNote, notes })}`;
  return (await requestPatiently(path, signal)).arrayBuffer();
}

/** All that says how a view sounds: what is asked of a clip but for its notes. */
export const clipQuery = (view: Query, preset: string, sound: Query): Query =>
  [view, queryOf({ preset }), sound].filter((part) => part !== "").join("&");

/** What is asked of what sounds: all that is asked of a clip but who is silent, and the tone at norm 1. */
export function heardQuery(sound: Query): Query {
  const query = new URLSearchParams(sound);
  query.delete("muted");
  query.delete("reference");
  return query.toString();
}

/** What the clip of some notes sounds like, in at most so many columns. */
export async function fetchHeard(
  sound: Query,
  firstNote: number,
  notes: number,
  columns: number,
  signal: AbortSignal,
): Promise<Heard> {
  const span = queryOf({ first_note: firstNote, notes, columns });
  return readHeard(decodeBlock(await bytes(`heard?${sound}&${span}`, signal)));
}

export async function fetchHeatmap(
  run: string,
  from: number,
  to: number,
  columns: number,
  quantity: Quantity,
  signal: AbortSignal,
): Promise<Heatmap> {
  const answer = await block(
    "heatmap",
    { run, from, to, columns, ...quantityArguments(quantity) },
    signal,
  );
  const { header } = answer;
  const heatmap = {
    layers: list(header, "layers", asText),
    from: number(header, "from"),
    to: number(header, "to"),
    columns: number(header, "columns"),
    max: arrayOf(answer, "max"),
    low: orNull(header, "low", number),
    high: orNull(header, "high", number),
  };
  if (noServer === null) return heatmap;
  return (await import("../model/resample")).resampled(heatmap, from, to, columns);
}

export async function fetchLayers(
  run: string,
  from: Step,
  to: Step,
  quantity: Quantity,
  signal: AbortSignal,
): Promise<LayerTable> {
  const query = { run, from, to, ...quantityArguments(quantity) };
  return readLayers(await block("layers", query, signal));
}

export async function fetchLandmarks(
  run: string,
  quantity: Quantity,
  against: string | null,
  signal: AbortSignal,
): Promise<Landmark[]> {
  const query = { run, ...quantityArguments(quantity), ...(against === null ? {} : { against }) };
  return list(await json("landmarks", query, signal), "landmarks", readLandmark);
}

/** The run in words, one fact per line. */
export async function fetchDescription(
  run: string,
  quantity: Quantity,
  signal: AbortSignal,
): Promise<string> {
  const query = queryOf({ run, ...quantityArguments(quantity) });
  return (await request(`describe?${query}`, signal)).text();
}

/** Where notes can be had as a file to keep. */
export const soundUrl = (sound: Query, format: string, firstNote: number, notes: number): string =>
  `./sound?${sound}&${queryOf({ first_note: firstNote, notes, format })}`;

/** What each sound means. */
export async function fetchLessons(signal: AbortSignal): Promise<Lesson[]> {
  return list(await json("lessons", {}, signal), "lessons", (value) => {
    const lesson = fieldsOf(value, "a lesson");
    return { name: text(lesson, "name"), meaning: text(lesson, "meaning") };
  });
}

/** Where the sound of a lesson can be heard. */
export const lessonUrl = (name: string): string => urlOf(`lesson?${queryOf({ name })}`);

/** Where the numbers of a run can be had as a file to keep. */
export const tableUrl = (
  run: string,
  quantity: Quantity,
  tag: string | null,
  from: Step,
  to: Step,
): string =>
  `./table?${queryOf({ run, ...quantityArguments(quantity), ...(tag === null ? {} : { tag }), from, to })}`;

export const queryOf = (query: Arguments): Query =>
  new URLSearchParams(
    Object.entries(query).map(([name, value]) => [name, String(value)]),
  ).toString();

async function json(route: string, query: Arguments, signal: AbortSignal): Promise<Fields> {
  const response = await request(`${route}?${queryOf(query)}`, signal);
  return fieldsOf(await response.json(), `the answer of ${route}`);
}

export async function block(route: string, query: Arguments, signal: AbortSignal): Promise<Block> {
  return decodeBlock(await bytes(`${route}?${queryOf(query)}`, signal));
}

const bytes = async (path: string, signal: AbortSignal): Promise<ArrayBuffer> =>
  (await request(path, signal)).arrayBuffer();
