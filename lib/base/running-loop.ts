// running-loop.ts: which loop is running in this thread, and which one was set for it. asyncio: events._get_running_loop,
// and what a policy keeps.

import type { BaseEventLoop } from '../loop/base-event-loop';

let running: BaseEventLoop | null = null;

/** The loop whose turn it is in this thread, or null. @internal */
export function _getRunningLoop(): BaseEventLoop | null {
  return running;
}

/** @internal */
export function _setRunningLoop(loop: BaseEventLoop | null): void {
  running = loop;
}

let current: BaseEventLoop | null = null;

/** The loop that was set for the time in which none is running, or null. @internal */
export function _getCurrentLoop(): BaseEventLoop | null {
  return current;
}

/** @internal */
export function _setCurrentLoop(loop: BaseEventLoop | null): void {
  current = loop;
}
