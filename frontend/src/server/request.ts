/** One request to the server: its errors in words, and few at once. */

import { noServer, urlOf } from "./site";

const LONGEST_MS = 30_000; // a server that says nothing for so long will not say anything
const BREATH_MS = 1_000; // a machine that wakes up, a proxy that is started anew

/** A refusal that says after how many seconds to ask again. */
class NotNow extends Error {
  constructor(
    said: string,
    readonly seconds: number,
  ) {
    super(said);
  }
}

/** What the server answers, as soon as it can: it is asked again for as long as it says when to. */
export async function requestPatiently(path: string, signal: AbortSignal): Promise<Response> {
  for (;;) {
    try {
      return await request(path, signal);
    } catch (error) {
      if (!(error instanceof NotNow)) throw error;
      await pause(1_000 * error.seconds, signal);
    }
  }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    window.setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => reject(signal.reason));
  });

/** What the server answers at a path, relative to its other routes; what breaks is tried again, once. */
export async function request(path: string, signal: AbortSignal): Promise<Response> {
  const url = urlOf(path);
  const given = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]);
  const ask = async () => {
    const answer = await fetch(url, { signal: given });
    return new Response(await answer.arrayBuffer(), answer); // the connection may break in it, too
  };
  let response: Response;
  try {
    response = await ask().catch(async (error: unknown) => {
      if (given.aborted) throw error;
      await pause(BREATH_MS, given);
      return ask();
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error(
      noServer === null
        ? "TensorBoard does not answer: is it still running?"
        : "A file of this page could not be loaded",
    );
  }
  if (!response.ok) {
    const said = (await response.text()).trim().slice(0, 500);
    const message = said || `${path.split("?")[0]}: ${response.statusText}`;
    const seconds = Number(response.headers.get("Retry-After"));
    throw seconds > 0 ? new NotNow(message, seconds) : new Error(message);
  }
  return response;
}

/** A way to do so many things at once, and no more; the others wait for their turn. */
export function turns(most: number): <Value>(work: () => Promise<Value>) => Promise<Value> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running === most) await new Promise<void>((start) => waiting.push(start));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
