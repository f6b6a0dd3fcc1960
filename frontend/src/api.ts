/** The requests of docs/http_api.md. The only place with URLs and snake_case. */

import type {
  Coverage,
  Curve,
  NoteTable,
  Preset,
  Run,
  Segment,
  Signals,
  Stream,
} from "./model/answers";
import { arrayOf, type Block, decodeBlock } from "./model/block";
import { asText, type Fields, fieldsOf, list, number, orNull, text } from "./model/fields";

type Arguments = Readonly<Record<string, string | number>>;

/** What the server answered instead of what was asked for, in its own words. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    /** HTTP status; 0 where no answer came. */
    readonly status: number,
  ) {
    super(message);
  }
}

export async function fetchRuns(signal: AbortSignal): Promise<Run[]> {
  return list(await json("runs", {}, signal), "runs", (value) => {
    const run = fieldsOf(value, "a run");
    return {
      name: text(run, "run"),
      startTime: orNull(run, "start_time", number),
      hasNorms: run.norms === true,
    };
  });
}

export async function fetchSignals(run: string, signal: AbortSignal): Promise<Signals> {
  const fields = await json("signals", { run }, signal);
  return { scalars: list(fields, "scalars", asText), loss: orNull(fields, "loss", text) };
}

export async function fetchCurve(run: string, tag: string, signal: AbortSignal): Promise<Curve> {
  const answer = await block("curve", { run, tag }, signal);
  return {
    tag,
    steps: doubles(answer, "steps"),
    min: doubles(answer, "min"),
    max: doubles(answer, "max"),
    lastStep: orNull(answer.header, "last_step", number),
  };
}

export async function fetchCoverage(run: string, signal: AbortSignal): Promise<Coverage> {
  const answer = await block("coverage", { run }, signal);
  return {
    layers: list(answer.header, "layers", asText),
    streams: list(answer.header, "streams", readStream),
    steps: doubles(answer, "steps"),
    segments: list(answer.header, "segments", readSegment),
    presets: list(answer.header, "presets", readPreset),
    missing: list(answer.header, "missing", readSpan),
  };
}

export async function fetchNotes(
  run: string,
  firstNote: number,
  notes: number,
  signal: AbortSignal,
): Promise<NoteTable> {
  const answer = await block("notes", { run, first_note: firstNote, notes }, signal);
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

/** The bytes of a WAV file. */
export async function fetchClip(
  run: string,
  preset: string,
  firstNote: number,
  notes: number,
  signal: AbortSignal,
): Promise<ArrayBuffer> {
  const query = { run, preset, first_note: firstNote, notes };
  return (await request("clip", query, signal)).arrayBuffer();
}

async function request(route: string, query: Arguments, signal: AbortSignal): Promise<Response> {
  const entries = Object.entries(query).map(([name, value]) => [name, String(value)]);
  const search = entries.length > 0 ? `?${new URLSearchParams(entries)}` : "";
  let response: Response;
  try {
    response = await fetch(`./${route}${search}`, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError("TensorBoard does not answer: is it still running?", 0);
  }
  if (!response.ok) {
    const said = (await response.text()).trim().slice(0, 500);
    throw new ApiError(said || `${route}: ${response.statusText}`, response.status);
  }
  return response;
}

async function json(route: string, query: Arguments, signal: AbortSignal): Promise<Fields> {
  const response = await request(route, query, signal);
  return fieldsOf(await response.json(), `the answer of ${route}`);
}

async function block(route: string, query: Arguments, signal: AbortSignal): Promise<Block> {
  return decodeBlock(await (await request(route, query, signal)).arrayBuffer());
}

function doubles(answer: Block, name: string): Float64Array {
  const array = arrayOf(answer, name);
  return array instanceof Float64Array ? array : Float64Array.from(array);
}

function readStream(value: unknown): Stream {
  const fields = fieldsOf(value, "a stream");
  return { name: text(fields, "name"), layers: list(fields, "layers", asText) };
}

function readSegment(value: unknown): Segment {
  const fields = fieldsOf(value, "a segment");
  return {
    firstNote: number(fields, "first_note"),
    notes: number(fields, "notes"),
    rowsPerNote: number(fields, "rows_per_note"),
    open: text(fields, "state") === "open",
  };
}

function readPreset(value: unknown): Preset {
  const fields = fieldsOf(value, "a preset");
  return {
    name: text(fields, "name"),
    title: text(fields, "title"),
    sampleRate: number(fields, "sample_rate"),
    hop: number(fields, "hop"),
    tail: number(fields, "tail"),
    channels: number(fields, "channels"),
  };
}

function readSpan(value: unknown): readonly [number, number] {
  if (!Array.isArray(value) || value.length !== 2) throw new Error("missing must list [from, to]");
  return [Number(value[0]), Number(value[1])];
}
