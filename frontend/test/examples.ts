/** Small values of the dashboard's types, for tests. */

import type { Curve, Landmark, Preset, Run } from "../src/model/answers";

export const preset = (changes: Partial<Preset> = {}): Preset => ({
  name: "smooth",
  title: "Smooth",
  sampleRate: 24_000,
  hop: 1440,
  tail: 96,
  channels: 2,
  streams: 3,
  takesSpeed: true,
  takesZoom: true,
  ...changes,
});

export const run = (name: string, hasNorms = true, startTime: number | null = null): Run => ({
  name,
  startTime,
  hasNorms,
  quantities: hasNorms ? ["gradient"] : [],
  hasStrips: false,
  surfaces: [],
  trouble: null,
  compared: null,
});

export const landmark = (kind: string, step: number, layer: string | null): Landmark => ({
  kind,
  step,
  layer,
  sentence: layer === null ? kind : `${kind} in ${layer}`,
});

export const curve = (steps: number[], min: number[], max = min): Curve => ({
  tag: "loss",
  steps: Float64Array.from(steps),
  times: Float64Array.from(steps),
  min: Float64Array.from(min),
  max: Float64Array.from(max),
  lastStep: steps.at(-1) ?? null,
});
