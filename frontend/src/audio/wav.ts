/** Reads WAV files, which the browser's own decoder would resample, and FLAC by that decoder. */

export type Pcm = {
  /** In Hz. */
  readonly sampleRate: number;
  /** One array per channel, within [-1, 1). */
  readonly channels: readonly Float32Array<ArrayBuffer>[];
};

const PCM = 1;
const FLAC = 0x664c6143; // "fLaC"
const FULL_SCALE = 32_768;

/**
 * The samples of a sound; throws where it is none that can be read.
 *
 * @param sampleRate at which the browser's own decoder is to give them, in Hz
 */
export async function decodeSound(data: ArrayBuffer, sampleRate: number): Promise<Pcm> {
  if (data.byteLength < 4 || new DataView(data).getUint32(0) !== FLAC) return parseWav(data);
  return decodeFlac(data, sampleRate);
}

/** At the rate of the file, as at another one the browser would resample. */
async function decodeFlac(data: ArrayBuffer, sampleRate: number): Promise<Pcm> {
  const context = new OfflineAudioContext(1, 1, sampleRate);
  const buffer = await context.decodeAudioData(data).catch(() => {
    throw new Error("this browser cannot decode FLAC: have the page exported with --format wav");
  });
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, channel) =>
    buffer.getChannelData(channel),
  );
  return { sampleRate, channels };
}

/** The samples of a 16-bit PCM WAV file; throws where it is anything else. */
export function parseWav(data: ArrayBuffer): Pcm {
  const view = new DataView(data);
  if (data.byteLength < 12 || word(view, 0) !== "RIFF" || word(view, 8) !== "WAVE") {
    throw new Error(`a WAV file starts with RIFF and WAVE, got ${data.byteLength} other bytes`);
  }
  const chunks = chunksOf(view);
  const format = chunks.get("fmt ");
  const samples = chunks.get("data");
  if (format === undefined || samples === undefined) {
    throw new Error(`a WAV file has the chunks fmt and data, got ${[...chunks.keys()].join(", ")}`);
  }
  const kind = view.getUint16(format.at, true);
  const bits = view.getUint16(format.at + 14, true);
  if (kind !== PCM || bits !== 16) {
    throw new Error(`clips must be 16-bit PCM, got format ${kind} with ${bits} bits`);
  }
  const channels = view.getUint16(format.at + 2, true);
  return {
    sampleRate: view.getUint32(format.at + 4, true),
    channels: deinterleave(view, samples.at, samples.bytes, channels),
  };
}

type Chunk = { readonly at: number; readonly bytes: number };

function chunksOf(view: DataView): Map<string, Chunk> {
  const chunks = new Map<string, Chunk>();
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const bytes = view.getUint32(at + 4, true);
    if (at + 8 + bytes > view.byteLength) throw new Error("the WAV file is cut short");
    chunks.set(word(view, at), { at: at + 8, bytes });
    at += 8 + bytes + (bytes % 2);
  }
  return chunks;
}

function deinterleave(view: DataView, at: number, bytes: number, channels: number) {
  const frames = Math.floor(bytes / (2 * channels));
  return Array.from({ length: channels }, (_, channel) => {
    const samples = new Float32Array(frames);
    for (let frame = 0; frame < frames; frame++) {
      samples[frame] = view.getInt16(at + 2 * (frame * channels + channel), true) / FULL_SCALE;
    }
    return samples;
  });
}

function word(view: DataView, at: number): string {
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, 4));
}
