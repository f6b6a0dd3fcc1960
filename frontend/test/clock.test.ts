import { expect, test } from "vitest";
import { Clock, heardBy } from "../src/audio/output";

const stamp = { contextTime: 9.97, performanceTime: 100 };

test("the output timestamp, carried on to now, says what is at the ear", () => {
  expect(heardBy({ now: 100.02, currentTime: 10.02, latency: 0.032, stamp })).toBeCloseTo(9.99, 9);
});

test("before the first sound, or with an absurd timestamp, the latency is taken off the time", () => {
  const none = { contextTime: 0, performanceTime: 0 };
  expect(heardBy({ now: 100, currentTime: 10, latency: 0.032, stamp: none })).toBeCloseTo(9.968, 9);
  expect(heardBy({ now: 250, currentTime: 10, latency: 0.032, stamp })).toBeCloseTo(9.968, 9);
});

test("jitter of a reading is smoothed away, and the clock never goes back", () => {
  const clock = new Clock();
  let last = 0;
  for (let picture = 0; picture < 200; picture++) {
    const now = 100 + picture / 60;
    const currentTime = 10 + picture / 60;
    const jitter = picture % 7 === 0 ? 0.02 : 0;
    const reading = { contextTime: currentTime - 0.03 - jitter, performanceTime: now };
    const heard = clock.heard({ now, currentTime, latency: 0.03, stamp: reading });
    expect(heard).toBeGreaterThanOrEqual(last);
    if (picture > 3) expect(Math.abs(heard - (currentTime - 0.03))).toBeLessThan(1e-9);
    last = heard;
  }
});
