// microtasks.ts: the one place that knows how promise jobs are run in the middle of a turn. The loop drains them after
// every handle, so that an async function goes on inside the handle that woke it, as a Python coroutine does.

import { createRequire } from 'node:module';

import { queueMicrotask } from './host';

interface DenoLike {
  readonly internal: symbol;
  readonly [internals: symbol]: { readonly core?: { runNextTicks?: (this: void) => void } } | undefined;
}

interface BunJsc {
  drainMicrotasks?: (this: void) => void;
}

/** What each runtime has for it; null where that is nothing. */
function findDrain(): (() => void) | null {
  // Bun has Node's function too, but there it does nothing. The name is no literal: bundlers for Node do not know it.
  const bun = 'bun:jsc';
  if (process.versions.bun !== undefined) {
    return (createRequire(__filename)(bun) as BunJsc).drainMicrotasks ?? null;
  }
  const host = process as unknown as { _tickCallback?: () => void };
  if (host._tickCallback !== undefined) return host._tickCallback.bind(process);
  const { Deno: deno } = globalThis as { Deno?: DenoLike };
  return deno?.[deno.internal]?.core?.runNextTicks ?? null;
}

const drain = findDrain();

/** Whether this runtime has a way at all. */
export const hasDrain: boolean = drain !== null;

/**
 * Runs `process.nextTick` callbacks and promise jobs until none is left. Does nothing when called from inside a promise
 * job: the engine does not nest them.
 */
export const drainMicrotasks: () => void = drain ?? (() => undefined);

/** Whether `drainMicrotasks` works where we stand now, found out by trying. */
export function canDrainMicrotasks(): boolean {
  let drained = false;
  queueMicrotask(() => {
    drained = true;
  });
  drainMicrotasks();
  return drained;
}
