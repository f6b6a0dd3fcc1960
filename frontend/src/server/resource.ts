/** Answers of the server, each under its key: the last one is kept until there is a newer one. */

import { type Signal, signal } from "@preact/signals";

export type Entry<Value> = {
  readonly value: Value | null;
  readonly error: string | null;
  readonly loading: boolean;
};

type Key = readonly (string | number | null)[];

export class Resource<K extends Key, Value> {
  private readonly entries = new Map<string, Signal<Entry<Value>>>();
  private readonly loads = new Map<string, AbortController>();
  /** Those that are to be asked for again as soon as they are here. */
  private readonly again = new Set<string>();

  /**
   * @param fetchValue asks the server; it may make use of the answer that is here
   * @param same whether a newer answer says nothing new; then the older object stays
   */
  constructor(
    private readonly fetchValue: (
      key: K,
      signal: AbortSignal,
      older: Value | null,
    ) => Promise<Value>,
    private readonly same: (older: Value, newer: Value) => boolean,
  ) {}

  /** What is known; to be read in a component or an effect, which then follows it. */
  get(key: K): Entry<Value> {
    return this.entry(key).value;
  }

  /** Load what was never loaded. */
  ensure(key: K): void {
    const { value, error, loading } = this.entry(key).peek();
    if (value === null && error === null && !loading) this.load(key);
  }

  /** Load what was never loaded of these, and stop loading all others. */
  only(keys: readonly K[]): void {
    const names = new Set(keys.map(nameOf));
    for (const [name, controller] of this.loads) {
      if (!names.has(name)) controller.abort();
    }
    for (const key of keys) this.ensure(key);
  }

  /** Ask for these again and forget all others. */
  refresh(keys: readonly K[]): void {
    const names = new Set(keys.map(nameOf));
    for (const [name, controller] of this.loads) {
      if (!names.has(name)) controller.abort();
    }
    for (const name of this.entries.keys()) {
      if (!names.has(name)) this.entries.delete(name);
    }
    this.renew(keys);
  }

  /** Ask for these again; an answer that is on its way may be older than what is wanted. */
  renew(keys: readonly K[]): void {
    for (const key of keys) {
      if (this.loads.has(nameOf(key))) this.again.add(nameOf(key));
      else this.load(key);
    }
  }

  private load(key: K): void {
    const name = nameOf(key);
    if (this.loads.has(name)) return;
    const entry = this.entry(key);
    const controller = new AbortController();
    this.loads.set(name, controller);
    entry.value = { ...entry.peek(), loading: true };
    this.fetchValue(key, controller.signal, entry.peek().value)
      .then((newer) => {
        const older = entry.peek().value;
        const value = older !== null && this.same(older, newer) ? older : newer;
        entry.value = { value, error: null, loading: false };
      })
      .catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        const aborted = controller.signal.aborted;
        entry.value = { ...entry.peek(), error: aborted ? null : message, loading: false };
      })
      .finally(() => {
        this.loads.delete(name);
        if (this.again.delete(name) && !controller.signal.aborted) this.load(key);
      });
  }

  private entry(key: K): Signal<Entry<Value>> {
    const name = nameOf(key);
    const known = this.entries.get(name);
    if (known !== undefined) return known;
    const created = signal<Entry<Value>>({ value: null, error: null, loading: false });
    this.entries.set(name, created);
    return created;
  }
}

const nameOf = (key: Key): string => JSON.stringify(key);
