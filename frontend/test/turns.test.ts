import { expect, test } from "vitest";
import { turns } from "../src/server/request";

test("no more than so many are done at once, in their order, and a failure holds nothing up", async () => {
  const taking = turns(2);
  const started: number[] = [];
  let most = 0;
  let running = 0;
  const work = (number: number) =>
    taking(async () => {
      started.push(number);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
      if (number === 2) throw new Error("no");
      return number;
    });
  const done = await Promise.allSettled([0, 1, 2, 3, 4, 5].map(work));
  expect(done.map(({ status }) => status === "fulfilled")).toEqual([
    true,
    true,
    false,
    true,
    true,
    true,
  ]);
  expect(started).toEqual([0, 1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});
