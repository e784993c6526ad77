// loop-options.ts: what a loop is made with.

import type { Clock } from '../base/clock';
import type { HostWatchMode } from '../native/types';

export interface LoopOptions {
  /** The clock of the loop: a VirtualClock makes runs jump from timer to timer instead of waiting (docs/testing.md). */
  clock?: Clock;
  /**
   * Lets synchronous runs keep the thread in Electron's main process and renderers, which refuse it otherwise: the windows
   * stand still meanwhile.
   */
  allowBlocking?: boolean | undefined;
  /**
   * How hosted runs hear that a descriptor is ready. 'nested': Node's own loop watches the selector's descriptor.
   * 'thread': a thread waits on the selector and wakes Node, a few microseconds later. Left out, it is 'nested' wherever
   * that can be had: not on Windows, not in Bun and Deno, and not for a selector without a descriptor (poll, select).
   */
  hostWatch?: HostWatchMode | undefined;
}
