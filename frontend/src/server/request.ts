/** Asking the server, and why it does not answer. */

const LONGEST_MS = 30_000; // a server that says nothing for so long will not say anything

/** What the server answers at a path, relative to its other routes. */
export async function request(path: string, signal: AbortSignal): Promise<Response> {
  const longest = AbortSignal.timeout(LONGEST_MS);
  let response: Response;
  try {
    response = await fetch(`./${path}`, { signal: AbortSignal.any([signal, longest]) });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error("TensorBoard does not answer: is it still running?");
  }
  if (!response.ok) {
    const said = (await response.text()).trim().slice(0, 500);
    throw new Error(said || `${path.split("?")[0]}: ${response.statusText}`);
  }
  return response;
}
