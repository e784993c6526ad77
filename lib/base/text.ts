// text.ts: any value as text, for messages and the log. What was thrown or returned may be anything: an object whose own
// `inspect` or `stack` throws, a proxy whose target is gone. Whoever tells of it must not fail.

import { inspect, type InspectOptions } from 'node:util';

export function textOf(value: unknown, options?: InspectOptions): string {
  try {
    return inspect(value, options);
  } catch {
    return `<${typeof value} that cannot be shown>`;
  }
}

/** In one line, as an error says itself. */
export function shortTextOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return textOf(value, { depth: 0 });
  }
}

/** The name of a function. */
export function nameOf(callback: { readonly name: unknown }): string {
  try {
    if (typeof callback.name === 'string' && callback.name !== '') return callback.name;
  } catch {
    // It has none.
  }
  return '<anonymous>';
}
