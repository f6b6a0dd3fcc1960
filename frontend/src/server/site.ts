/** A page without a server: a table in it says in which file each answer lies. */

type Site = {
  /** Names of answers, by route and sorted arguments, each on a line of its own. */
  readonly answers: Readonly<Record<string, string>>;
  /** Addresses of answers by name; where there is none, the name is the address. */
  readonly addresses: Readonly<Record<string, string>>;
  /** By route: arguments to pass over where there is no answer to all of them. */
  readonly loose: Readonly<Record<string, readonly string[]>>;
};

// Some of its importers are tested where there is no document.
const table = globalThis.document?.getElementById("sonify-site");

/** Null where there is a server. */
const site: Site | null = JSON.parse(table?.textContent ?? "null");

/** Why something cannot be done in a page without a server; null where there is one. */
export const noServer = site && "Not in this copy of the dashboard, which has no server";

/** Whether something can be asked for. */
export const isHeld = (path: string): boolean => site === null || nameOf(site, path) !== undefined;

/** Where the answer to a request is. */
export function urlOf(path: string): string {
  if (site === null) return `./${path}`;
  const name = nameOf(site, path);
  if (name === undefined) throw new Error("This copy of the dashboard does not hold it");
  return site.addresses[name] ?? name;
}

function nameOf({ answers, loose }: Site, path: string): string | undefined {
  const [route = "", query] = path.split("?");
  const all = [...new URLSearchParams(query)];
  const key = (without: readonly string[]) => {
    const kept = all.filter(([name]) => !without.includes(name));
    return [route, ...kept.map((each) => each.join("=")).sort()].join("\n");
  };
  return answers[key([])] ?? answers[key(loose[route] ?? [])];
}
