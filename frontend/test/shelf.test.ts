import { expect, test } from "vitest";
import { Resource } from "../src/server/resource";

test("what is not wanted any more is not waited for, and can be asked for again", async () => {
  const asked: string[] = [];
  const stopped: string[] = [];
  const shelf = new Resource(
    ([key]: readonly [string], signal) =>
      new Promise<string>((resolve, reject) => {
        asked.push(key);
        if (key === "here") resolve(key);
        signal.addEventListener("abort", () => {
          stopped.push(key);
          reject(signal.reason);
        });
      }),
    () => true,
  );
  shelf.only([["here"], ["far"]]);
  shelf.only([["here"], ["near"]]);
  await Promise.resolve();
  expect(asked).toEqual(["here", "far", "near"]);
  expect(stopped).toEqual(["far"]);
  await new Promise((resolve) => setTimeout(resolve));
  expect(shelf.get(["far"])).toEqual({ value: null, error: null, loading: false });
  expect(shelf.get(["here"]).value).toBe("here");
  shelf.only([["far"]]);
  expect(asked.at(-1)).toBe("far");
  expect(stopped).toEqual(["far", "near"]);
});

test("what is to be renewed while it is on its way is asked for once more", async () => {
  const answers: ((text: string) => void)[] = [];
  const shelf = new Resource(
    (_: readonly [string]) => new Promise<string>((resolve) => answers.push(resolve)),
    () => false,
  );
  const settled = () => new Promise((resolve) => setTimeout(resolve));
  shelf.ensure(["key"]);
  shelf.renew([["key"]]);
  shelf.renew([["key"]]);
  expect(answers.length).toBe(1);
  answers[0]?.("old");
  await settled();
  expect(shelf.get(["key"])).toEqual({ value: "old", error: null, loading: true });
  answers[1]?.("new");
  await settled();
  expect(shelf.get(["key"])).toEqual({ value: "new", error: null, loading: false });
  expect(answers.length).toBe(2);
});
