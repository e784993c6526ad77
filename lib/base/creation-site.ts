// creation-site.ts: where an object was made, for debug mode: the caller's lines, not the library's own.

import * as path from 'node:path';

const DEBUG_STACK_DEPTH = 10;

const LIBRARY = path.dirname(__dirname) + path.sep;

/** The stack of whoever made an object, without the library's own frames; at most ten lines. */
export function creationSite(): string {
  const lines = (new Error().stack ?? '').split('\n').slice(1);
  const first = Math.max(
    lines.findIndex((line) => !line.includes(LIBRARY)),
    0,
  );
  return lines.slice(first, first + DEBUG_STACK_DEPTH).join('\n');
}

/** The first line of a creation site, as `inspect` shows it. */
export function firstLine(site: string): string {
  return site.split('\n')[0].trim();
}
