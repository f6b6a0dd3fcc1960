/** Decodes FLAC, in which pages without a server keep their clips. */

import type { Pcm } from "./wav";

/**
 * The samples of a file; throws where the browser cannot decode it.
 *
 * @param sampleRate that of the file in Hz: at another one, the browser would resample
 */
export async function decodeFlac(data: ArrayBuffer, sampleRate: number): Promise<Pcm> {
  const context = new OfflineAudioContext(1, 1, sampleRate);
  const buffer = await context.decodeAudioData(data).catch(() => {
    throw new Error("this browser cannot decode FLAC: have the page exported with --format wav");
  });
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, channel) =>
    buffer.getChannelData(channel),
  );
  return { sampleRate, channels };
}
