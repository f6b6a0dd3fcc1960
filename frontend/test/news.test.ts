import { expect, test } from "vitest";
import {
  isSaid,
  logged,
  readVerbosity,
  type Topic,
  tenthAt,
  VERBOSITIES,
} from "../src/model/landmarks";

const NEWS: Topic[] = [
  "trouble",
  "newest",
  "problem",
  "run",
  "end",
  "landmark",
  "progress",
  "round",
];

test("what is said follows from how much is asked for", () => {
  const said = VERBOSITIES.map((each) => NEWS.filter((news) => isSaid(news, each)));
  expect(said).toEqual([
    ["trouble", "newest"],
    ["trouble", "newest", "problem", "run", "end", "progress"],
    ["trouble", "newest", "problem", "run", "end", "landmark"],
    NEWS,
  ]);
  expect(readVerbosity("verbose")).toBe("verbose");
  expect(readVerbosity("garbage")).toBe("events");
  expect(readVerbosity(null)).toBe("events");
});

test("the log keeps the last fifty, and counts what repeats", () => {
  let log: ReturnType<typeof logged> = [];
  for (let number = 0; number < 60; number++) log = logged(log, `event ${number}`);
  log = logged(logged(log, "again"), "again");
  expect(log).toHaveLength(50);
  expect(log.at(-1)).toMatchObject({ text: "again", times: 2 });
  expect(new Set(log.map(({ number }) => number)).size).toBe(50);
});

test("tenths are counted from the first step of a run, which need not be 0", () => {
  expect([100, 109, 110, 199, 200].map((step) => tenthAt(step, [100, 200]))).toEqual([
    0, 0, 1, 9, 10,
  ]);
  expect(tenthAt(5, [5, 5])).toBe(0);
});
