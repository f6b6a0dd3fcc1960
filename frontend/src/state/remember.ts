/** Settings kept between visits, where the browser lets us. */

const PREFIX = "tb_sonify.";
const MOST_NUMBERS = 1_000;

export function recall(name: string): string | null {
  try {
    return window.localStorage.getItem(PREFIX + name);
  } catch {
    return null; // storage is blocked in some frames, and nothing depends on it
  }
}

export function remember(name: string, value: string): void {
  try {
    window.localStorage.setItem(PREFIX + name, value);
  } catch {
    // As above: the setting holds until the page is closed.
  }
}

/** Numbers by name; what is not such a thing is not taken. */
export function recallNumbers(name: string): ReadonlyMap<string, number> {
  try {
    const entries: unknown[] = JSON.parse(recall(name) ?? "[]");
    return new Map(entries.filter(isNumberByName));
  } catch {
    return new Map();
  }
}

export const rememberNumbers = (name: string, numbers: ReadonlyMap<string, number>): void =>
  remember(name, JSON.stringify([...numbers].slice(-MOST_NUMBERS)));

const isNumberByName = (entry: unknown): entry is [string, number] =>
  Array.isArray(entry) && typeof entry[0] === "string" && Number.isFinite(entry[1]);
