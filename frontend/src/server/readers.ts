/** Parts of the answers of the server, checked: what is not as specified must not get any further. */

import type {
  Coverage,
  Landmark,
  LayerTable,
  Preset,
  RunState,
  Scale,
  Segment,
  Stream,
  Summaries,
} from "../model/answers";
import type { Heard } from "../model/heard";
import type { Range } from "../units";
import {
  arrayOf,
  asText,
  type Block,
  type Fields,
  fieldsOf,
  list,
  number,
  orNull,
  text,
} from "./block";

function readStream(value: unknown): Stream {
  const fields = fieldsOf(value, "a stream");
  return { name: text(fields, "name"), layers: list(fields, "layers", asText) };
}

function readSegment(value: unknown): Segment {
  const fields = fieldsOf(value, "a segment");
  return {
    firstNote: number(fields, "first_note"),
    notes: number(fields, "notes"),
    digest: text(fields, "digest"),
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
    streams: number(fields, "streams"),
    takesSpeed: fields.speed === true,
    takesZoom: fields.zoom === true,
  };
}

function readScale(fields: Fields, name: string): Scale {
  const scale = fieldsOf(fields[name], "a scale");
  const kind = text(scale, "kind");
  if (kind !== "log" && kind !== "linear") throw new Error(`no scale is ${kind}`);
  return { kind, low: number(scale, "low"), high: number(scale, "high") };
}

/** A training loss and its validation loss. */
export function readPair(value: unknown): readonly [string, string] {
  if (!Array.isArray(value) || value.length !== 2) throw new Error("a pair must be two names");
  return [asText(value[0]), asText(value[1])];
}

export function readLandmark(value: unknown): Landmark {
  const fields = fieldsOf(value, "a landmark");
  return {
    kind: text(fields, "kind"),
    step: number(fields, "step"),
    layer: orNull(fields, "layer", text),
    sentence: text(fields, "sentence"),
  };
}

/** @param now the server's time, in seconds since the epoch */
export function readState(value: unknown, now: number): RunState {
  const fields = fieldsOf(value, "a state");
  const lastTime = number(fields, "last_time");
  return {
    run: text(fields, "run"),
    lastStep: orNull(fields, "last_step", number),
    newestStep: number(fields, "newest_step"),
    lastTime,
    age: 1_000 * (now - lastTime),
    ended: fields.ended === true,
    problems: fields.problems === null ? null : list(fields, "problems", readLandmark),
  };
}

function readRange(value: unknown): Range {
  if (!Array.isArray(value) || value.length !== 2) throw new Error("a range must be [from, to]");
  return [Number(value[0]), Number(value[1])];
}

export function readSummaries(block: Block): Summaries {
  const now = number(block.header, "now");
  const rows = list(block.header, "runs", asText).map((run, row) => {
    const of = (name: string) => arrayOf(block, name)[row] ?? Number.NaN;
    const brokenAt = of("first_broken");
    const summary = {
      lastStep: of("last_steps"),
      lastValue: of("last_values"),
      age: 1_000 * (now - of("last_times")),
      ended: of("ended") === 1,
      brokenAt: Number.isNaN(brokenAt) ? null : brokenAt,
      brokenValue: of("broken_values"),
      points: of("points"),
      finite: of("finite"),
    };
    return [run, summary] as const;
  });
  return new Map(rows);
}

export function readLayers(answer: Block): LayerTable {
  const columns = ["min", "median", "max", "nan", "inf", "step_of_max"] as const;
  const [min, median, max, nan, inf, step] = columns.map((name) => arrayOf(answer, name));
  const known = (value = -1) => (value >= 0 ? value : null);
  const layers = list(answer.header, "layers", asText).map((layer, at) => ({
    layer,
    min: known(min?.[at]),
    median: known(median?.[at]),
    max: known(max?.[at]),
    nan: nan?.[at] ?? 0,
    inf: inf?.[at] ?? 0,
    stepOfMax: Number.isNaN(step?.[at]) ? null : (step?.[at] ?? null),
  }));
  return { layers, mostRows: number(answer.header, "most_rows") };
}

/** @param older what was known before: an answer may begin after the notes that its key stands for */
export function readCoverage(answer: Block, older: Coverage | null): Coverage {
  const { header } = answer;
  const firstNote = number(header, "first_note");
  const before = firstNote > 0 ? older : null;
  if (firstNote > (before?.steps.length ?? 0)) throw new Error("an answer begins too late");
  const whole = (name: "steps" | "times"): Float64Array => {
    const added = doubles(answer, name);
    if (before === null) return added;
    const all = new Float64Array(firstNote + added.length);
    all.set(before[name].subarray(0, firstNote));
    all.set(added, firstNote);
    return all;
  };
  const kept = before?.segments.filter((segment) => segment.firstNote < firstNote) ?? [];
  return {
    key: text(header, "key"),
    layers: list(header, "layers", asText),
    streams: list(header, "streams", readStream),
    steps: whole("steps"),
    times: whole("times"),
    rowsPerNote: readRange(header.rows_per_note),
    scale: orNull(header, "scale", readScale),
    segments: [...kept, ...list(header, "segments", readSegment)],
    presets: list(header, "presets", readPreset),
    formats: list(header, "formats", asText),
    missing: list(header, "missing", readRange),
    sampled: list(header, "sampled", readRange),
    pointsKept: orNull(header, "points_kept", number),
  };
}

export function readHeard(answer: Block): Heard {
  const { header } = answer;
  const singles = (name: string): Float32Array => Float32Array.from(arrayOf(answer, name));
  const streams = list(header, "streams", (value) => {
    const stream = fieldsOf(value, "a stream");
    return {
      name: orNull(stream, "name", text),
      layers: list(stream, "layers", asText),
      hzAt1: number(stream, "hz_at_1"),
      hzLow: number(stream, "hz_low"),
      hzHigh: number(stream, "hz_high"),
    };
  });
  const mean = singles("hz_mean");
  return {
    firstNote: number(header, "first_note"),
    notes: number(header, "notes"),
    notesPerColumn: number(header, "notes_per_column"),
    columns: mean.length / Math.max(streams.length, 1),
    streams,
    slope: orNull(header, "slope", number),
    names: list(header, "earcons", asText),
    low: singles("hz_low"),
    mean,
    high: singles("hz_high"),
    roughness: singles("roughness"),
    tremolo: singles("tremolo"),
    earcons: Uint16Array.from(arrayOf(answer, "earcons")),
  };
}

export function doubles(answer: Block, name: string): Float64Array {
  const array = arrayOf(answer, name);
  return array instanceof Float64Array ? array : Float64Array.from(array);
}
