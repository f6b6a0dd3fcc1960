/** Readers for the fields of JSON from the server: the value with its type, or a clear error. */

export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Error(`${what} must be an object, got ${shown(value)}`);
}

export function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === "string") return value;
  throw new Error(`${name} must be text, got ${shown(value)}`);
}

export function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === "number") return value;
  throw new Error(`${name} must be a number, got ${shown(value)}`);
}

export function list<T>(fields: Fields, name: string, item: (value: unknown) => T): T[] {
  const value = fields[name];
  if (Array.isArray(value)) return value.map(item);
  throw new Error(`${name} must be a list, got ${shown(value)}`);
}

export function orNull<T>(fields: Fields, name: string, read: (fields: Fields, name: string) => T) {
  return fields[name] === null || fields[name] === undefined ? null : read(fields, name);
}

export function asText(value: unknown): string {
  if (typeof value === "string") return value;
  throw new Error(`expected text, got ${shown(value)}`);
}

const shown = (value: unknown): string => String(JSON.stringify(value)).slice(0, 80);
