import { expect, test } from "vitest";
import { Cache } from "../src/audio/clips";
import { parseWav } from "../src/audio/wav";

/** The bytes of a WAV file at 24 kHz, with a LIST chunk before the samples. */
function wav(samples: number[], channels: number, extra = "", bits = 16): ArrayBuffer {
  const u16 = (value: number) => [value & 255, (value >> 8) & 255];
  const u32 = (value: number) => [...u16(value), ...u16(value >> 16)];
  const word = (text: string) => [...text].map((letter) => letter.charCodeAt(0));
  const chunk = (name: string, bytes: number[]) => [...word(name), ...u32(bytes.length), ...bytes];
  const body = [
    ...word("WAVE"),
    ...chunk(
      "fmt ",
      [1, channels].flatMap(u16).concat([24_000, 48_000].flatMap(u32), u16(2), u16(bits)),
    ),
    ...chunk("LIST", word(extra)),
    ...chunk("data", samples.flatMap(u16)),
  ];
  return Uint8Array.from(chunk("RIFF", body)).buffer;
}

test("samples come apart by channel, full scale is 1", () => {
  const { sampleRate, channels } = parseWav(wav([0, 16_384, -32_768, 8_192], 2));
  expect(sampleRate).toBe(24_000);
  expect(channels.map((each) => [...each])).toEqual([
    [0, -1],
    [0.5, 0.25],
  ]);
});

test("other chunks are passed over", () => {
  expect(parseWav(wav([16_384], 1, "abcd")).channels[0]?.[0]).toBe(0.5);
});

test("what is not a 16-bit PCM WAV file is refused", () => {
  expect(() => parseWav(new ArrayBuffer(100))).toThrow("a WAV file starts with RIFF");
  expect(() => parseWav(wav([0], 1, "", 24))).toThrow(
    "clips must be 16-bit PCM, got format 1 with 24",
  );
  expect(() => parseWav(wav([0, 0, 0], 1).slice(0, 54))).toThrow("the WAV file is cut short");
});

test("the cache drops what was used longest ago", () => {
  const cache = new Cache<string>(10);
  cache.set("one", "1", 4);
  cache.set("two", "2", 4);
  expect(cache.get("one")).toBe("1");
  cache.set("three", "3", 4);
  expect(["one", "two", "three"].filter((key) => cache.has(key))).toEqual(["one", "three"]);
});

test("the cache keeps the newest even if it is too large, and counts what is put anew once", () => {
  const cache = new Cache<string>(10);
  cache.set("large", "0", 100);
  expect(cache.get("large")).toBe("0");
  cache.set("small", "1", 6);
  cache.set("small", "2", 6);
  cache.set("other", "3", 4);
  expect([cache.has("large"), cache.get("small"), cache.get("other")]).toEqual([false, "2", "3"]);
});
