// running-loop.ts: which loop is running in this thread. asyncio: events._get_running_loop.

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
