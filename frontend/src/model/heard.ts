/** What is heard, as numbers: pitch, texture and earcons of each stream, and where they are drawn. */

import type { Scale } from "./answers";
import { clamp } from "./notes";
import { formatNorm, type Quantity, WORDS } from "./quantity";
import { formatValue } from "./words";

export type HeardStream = {
  /** Null where the preset groups layers in a way of its own. */
  readonly name: string | null;
  readonly layers: readonly string[];
  /** Pitch of norm 1, and the lowest and the highest that there are. */
  readonly hzAt1: number;
  readonly hzLow: number;
  readonly hzHigh: number;
};

/** Columns of equally many notes; the tables have one row per column and one entry per stream. */
export type Heard = {
  readonly firstNote: number;
  readonly notes: number;
  readonly notesPerColumn: number;
  readonly columns: number;
  readonly streams: readonly HeardStream[];
  /** Semitones for each doubling of the norm; null where pitch follows it otherwise. */
  readonly slope: number | null;
  /** Names, by the bits of `earcons`. */
  readonly names: readonly string[];
  /** In Hz; NaN where a stream is silent. */
  readonly low: Float32Array;
  readonly mean: Float32Array;
  readonly high: Float32Array;
  /** Depth of modulation, 0 to 1. */
  readonly roughness: Float32Array;
  readonly tremolo: Float32Array;
  readonly earcons: Uint16Array;
};

export type Earcon = {
  /** The sound, and what it means. */
  readonly word: string;
  readonly meaning: string;
  /** An SVG path around the origin, 5 to each side. */
  readonly path: string;
  readonly drawn: "fill" | "stroke";
  readonly tone: "alarm" | "ink" | "quiet";
  /** Whether it comes again while its cause lasts. */
  readonly lasts: boolean;
};

/** The sounds without a pitch, by the server's names, the least grave first. */
export const EARCONS: Readonly<Record<string, Earcon>> = {
  "no gradient": {
    word: "tick",
    meaning: "no gradient",
    path: "M0-3V3",
    drawn: "stroke",
    tone: "quiet",
    lasts: true,
  },
  below: {
    word: "low ticks",
    meaning: "below the range of the pitch",
    path: "M-4-2 0 2 4-2",
    drawn: "stroke",
    tone: "ink",
    lasts: true,
  },
  above: {
    word: "high ticks",
    meaning: "above the range of the pitch",
    path: "M-4 2 0-2 4 2",
    drawn: "stroke",
    tone: "ink",
    lasts: true,
  },
  rises: {
    word: "two tones, up",
    meaning: "crosses its line upwards",
    path: "M-4 3 3-4M-1-4H3V0",
    drawn: "stroke",
    tone: "ink",
    lasts: false,
  },
  falls: {
    word: "two tones, down",
    meaning: "crosses its line downwards",
    path: "M-4-4 3 3M3-1V3H-1",
    drawn: "stroke",
    tone: "ink",
    lasts: false,
  },
  chime: {
    word: "chime",
    meaning: "unusual",
    path: "M0-5 1.3-1.3 5 0 1.3 1.3 0 5-1.3 1.3-5 0-1.3-1.3Z",
    drawn: "fill",
    tone: "ink",
    lasts: false,
  },
  zero: {
    word: "thud",
    meaning: "exactly zero",
    path: "M-4-3H4L0 4Z",
    drawn: "fill",
    tone: "ink",
    lasts: true,
  },
  spike: {
    word: "bell",
    meaning: "a spike",
    path: "M-4 3C-2.5 1.5-3-4 0-4S2.5 1.5 4 3ZM-1.2 3.6A1.2 1.2 0 0 0 1.2 3.6Z",
    drawn: "fill",
    tone: "alarm",
    lasts: false,
  },
  inf: {
    word: "sweep",
    meaning: "infinity",
    path: "M-4 3H4L0-4Z",
    drawn: "fill",
    tone: "alarm",
    lasts: true,
  },
  nan: {
    word: "clash",
    meaning: "NaN",
    path: "M-4-4 4 4M-4 4 4-4",
    drawn: "stroke",
    tone: "alarm",
    lasts: true,
  },
};

const REACHES = [6, 12, 27] as const; // semitones; the last is all that there is
const WITHIN = 0.9; // of what sounds

/** How many semitones a band reaches up and down, so that most of what is heard lies in it. */
export function reachOf(all: readonly Heard[]): number {
  const counts = REACHES.map(() => 0);
  let sounding = 0;
  for (const { mean, streams } of all) {
    mean.forEach((hz, at) => {
      if (Number.isNaN(hz)) return;
      sounding += 1;
      const apart = Math.abs(semitones(hz, streams[at % streams.length]));
      REACHES.forEach((reach, which) => {
        if (apart <= reach) counts[which] = (counts[which] ?? 0) + 1;
      });
    });
  }
  return REACHES.find((_, which) => (counts[which] ?? 0) >= WITHIN * sounding) ?? 27;
}

const semitones = (hz: number, stream: HeardStream | undefined): number =>
  12 * Math.log2(hz / (stream?.hzAt1 ?? 440));

/** Where a stream is drawn: the line of norm 1, and how far from it pitch goes, in pixels. */
export type StreamBand = {
  readonly middle: number;
  readonly half: number;
  readonly perSemitone: number;
};

const INSET = 4; // pixels that a band keeps free at either edge

/** The bands of all streams, the last one at the top. */
export function streamBands(streams: number, height: number, reach: number): StreamBand[] {
  const share = height / Math.max(streams, 1);
  return Array.from({ length: streams }, (_, stream) => {
    const half = share / 2 - Math.min(INSET, share / 6);
    return { middle: height - (stream + 0.5) * share, half, perSemitone: half / reach };
  });
}

/** Where a pitch is drawn; beyond its band, at the edge. */
export function pitchY(band: StreamBand, hz: number, stream: HeardStream | undefined): number {
  const up = semitones(hz, stream) * band.perSemitone;
  return band.middle - clamp(up, -band.half, band.half);
}

/** The column that has a note; -1 where none has. */
export function columnOf(heard: Heard, note: number): number {
  const column = Math.floor((note - heard.firstNote) / heard.notesPerColumn);
  return note >= heard.firstNote && column < heard.columns ? column : -1;
}

/** The names of the earcons in a column of a stream, the gravest first. */
export function earconsAt({ names, earcons, streams }: Heard, column: number, stream: number) {
  const bits = earcons[column * streams.length + stream] ?? 0;
  return ORDER.filter((name) => (bits >> names.indexOf(name)) & 1);
}

const ORDER = Object.keys(EARCONS).reverse();

/** How notes are valued: a scalar on its scale, or norms of what is measured. */
export type Valued = { readonly quantity: Quantity; readonly scale: Scale | null };

/** "Late layers: 871 Hz, norm 0.85, rough; bell: a spike". */
export function heardWords(heard: Heard, column: number, stream: number, valued: Valued): string {
  const of = heard.streams[stream];
  const at = column * heard.streams.length + stream;
  const [low, mean, high] = [heard.low[at], heard.mean[at], heard.high[at]].map((hz) => hz ?? NaN);
  const pitch = pitchWords(of, [low, mean, high] as Triple, heard.slope, valued);
  const texture = [
    (heard.roughness[at] ?? 0) > 0 ? "rough: it grows" : "",
    (heard.tremolo[at] ?? 0) > 0 ? "pulsating: it swings" : "",
  ];
  const signs = earconsAt(heard, column, stream).map(
    (name) => `${EARCONS[name]?.word}: ${EARCONS[name]?.meaning}`,
  );
  const words = [pitch, ...(Number.isNaN(mean) ? [] : texture)].filter((each) => each !== "");
  return `${streamWords(of)}: ${[words.join(", "), ...signs].join("; ")}`;
}

type Triple = readonly [number, number, number];

function pitchWords(
  stream: HeardStream | undefined,
  [low, mean, high]: Triple,
  slope: number | null,
  { quantity, scale }: Valued,
): string {
  if (stream === undefined || Number.isNaN(mean)) return "silent";
  const value = (hz: number) => {
    const found = valueAt(stream, hz, slope, scale, WORDS[quantity].at440Hz);
    return scale === null ? formatNorm(Number(found.toPrecision(3)), quantity) : formatValue(found);
  };
  const both = (words: (hz: number) => string) =>
    words(low) === words(high) ? words(mean) : `${words(low)} to ${words(high)}`;
  const noun = scale === null ? `${WORDS[quantity].short} ` : "";
  return `${both((hz) => hz.toFixed(0))} Hz, ${noun}${both(value)}`;
}

/** The value that has a pitch. */
function valueAt(
  stream: HeardStream,
  hz: number,
  slope: number | null,
  scale: Scale | null,
  unit: number,
): number {
  if (slope === null) return (unit * (hz - stream.hzLow)) / (stream.hzAt1 - stream.hzLow);
  const doublings = semitones(hz, stream) / slope;
  if (scale === null) return unit * 2 ** doublings;
  const share = (doublings + 24) / 48;
  if (scale.kind === "log") return scale.low * (scale.high / scale.low) ** share;
  return scale.low + share * (scale.high - scale.low);
}

/** "Late layers", "fc2", "conv1 to conv3". */
export function streamWords(stream: HeardStream | undefined): string {
  if (stream === undefined) return "";
  const { name, layers } = stream;
  if (name !== null && layers.length > 1) return `${name[0]?.toUpperCase()}${name.slice(1)} layers`;
  const [first, last] = [layers[0] ?? "", layers.at(-1) ?? ""];
  const own = first === last ? first : `${first} to ${last}`;
  return name === null ? own : `${name[0]?.toUpperCase()}${name.slice(1)}, ${own}`;
}

/** Consecutive columns in which a stream is silent. */
export type Stretch = { readonly from: number; readonly to: number; readonly words: string };

/** Why a stream is silent over some columns, and what of it is heard instead: "dead: a thud every 8 notes". */
export function silentStretches(heard: Heard, stream: number, from: number, to: number): Stretch[] {
  const found: Stretch[] = [];
  const size = heard.streams.length;
  for (let column = from; column < to; column++) {
    if (!Number.isNaN(heard.mean[column * size + stream])) continue;
    let end = column;
    while (end < to && Number.isNaN(heard.mean[end * size + stream])) end += 1;
    found.push({ from: column, to: end, words: silentWords(heard, stream, column, end) });
    column = end;
  }
  return found;
}

function silentWords(heard: Heard, stream: number, from: number, to: number): string {
  const at = new Map<string, number[]>();
  for (let column = from; column < to; column++) {
    for (const name of earconsAt(heard, column, stream)) {
      at.set(name, [...(at.get(name) ?? []), column]);
    }
  }
  const [name, columns] = [...at].sort(([, one], [, other]) => other.length - one.length)[0] ?? [];
  const earcon = EARCONS[name ?? ""];
  if (earcon === undefined || columns === undefined) return "silent";
  const why = name === "zero" ? "dead" : earcon.meaning;
  const gaps = columns.slice(1).map((column, index) => column - (columns[index] ?? 0));
  const usual = gaps.sort((one, other) => one - other)[gaps.length >> 1];
  if (heard.notesPerColumn > 1 || usual === undefined) return `${why}: a ${earcon.word}`;
  return `${why}: a ${earcon.word} every ${usual === 1 ? "note" : `${usual} notes`}`;
}
