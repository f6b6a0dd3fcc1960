/** Settings kept between visits, where the browser lets us. */

const PREFIX = "tb_sonify.";

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
