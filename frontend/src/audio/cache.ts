/** Keeps what was used last, up to a number of bytes. */

export class Cache<Value> {
  private readonly entries = new Map<string, { value: Value; bytes: number }>();
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  get(key: string): Value | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key); // a map keeps the order of insertion: put it at the young end
    this.entries.set(key, entry);
    return entry.value;
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  set(key: string, value: Value, bytes: number): void {
    this.drop(key);
    this.entries.set(key, { value, bytes });
    this.bytes += bytes;
    for (const old of this.entries.keys()) {
      if (this.bytes <= this.maxBytes || old === key) break;
      this.drop(old);
    }
  }

  private drop(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.bytes -= entry.bytes;
  }
}
