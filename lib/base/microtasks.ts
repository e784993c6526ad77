// microtasks.ts: the one place that knows how promise jobs are run in the middle of a turn. The loop drains them after
// every handle, so that an async function goes on inside the handle that woke it, as a Python coroutine does.

const host = process as unknown as { _tickCallback?: () => void };

/**
 * Runs `process.nextTick` callbacks and promise jobs until none is left. Does nothing when called from inside a promise
 * job: the engine does not nest them.
 */
export const drainMicrotasks: () => void =
  host._tickCallback === undefined ? () => undefined : host._tickCallback.bind(process);

/** Whether `drainMicrotasks` works where we stand now, found out by trying. */
export function canDrainMicrotasks(): boolean {
  let drained = false;
  queueMicrotask(() => {
    drained = true;
  });
  drainMicrotasks();
  return drained;
}
