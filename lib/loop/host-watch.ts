// host-watch.ts: how Node's loop, or whatever host there is, hears that a selector has something. What is done then is
// hosted-driver.ts's business.
//
//   nested   the host's loop watches the selector's own descriptor: no thread, no detour
//   thread   a thread waits on the selector, and wakes the host: for hosts without libuv, selectors without a descriptor

import { inspect } from 'node:util';

import { EVENT_READ } from '../base/constants';
import { RuntimeError, ValueError } from '../base/errors';
import { binding } from '../native/binding';
import { check, errorFor } from '../native/check';
import type { HostWatchMode, NativeHostWatch } from '../native/types';
import { NativeSelectorBase } from '../selectors/native-selector';
import type { SelectorLike } from './ready';

const modes: readonly HostWatchMode[] = ['nested', 'thread'];

/** Bun ends the process when libuv's functions for this are called, and those of Deno lose wake-ups. */
const hostCanNest = process.versions.bun === undefined && !('Deno' in globalThis);

/** The descriptor that says whether the selector has something; -1 if there is none. */
function descriptorOf(selector: SelectorLike): number {
  if (selector instanceof NativeSelectorBase) return selector._native.fd;
  return typeof selector.fileno === 'function' ? selector.fileno() : -1;
}

/**
 * @param selector the one that is to be watched, if it is none of the standard ones
 * @throws ValueError for what is no mode, RuntimeError (ERR_HOST_WATCH) for one that cannot be had here
 * @internal
 */
export function checkHostWatch(mode: unknown, selector: SelectorLike | undefined): void {
  if (!modes.includes(mode as HostWatchMode)) {
    throw new ValueError(`hostWatch is one of '${modes.join("', '")}', not ${inspect(mode)}`);
  }
  if (mode !== 'nested') return;
  if (!hostCanNest) throw new RuntimeError("this host cannot watch a selector: use 'thread'", 'ERR_HOST_WATCH');
  if (selector !== undefined && descriptorOf(selector) < 0) {
    throw new RuntimeError("a selector without a descriptor cannot be nested: use 'thread'", 'ERR_HOST_WATCH');
  }
}

/** A selector of ours that watches the descriptor of a foreign one, for a thread to wait on. */
function watchByThread(fd: number, onReady: () => boolean): NativeHostWatch {
  const outer = binding.createSelector(binding.selectorNames[0]);
  if (typeof outer === 'number') throw errorFor(outer, 'host watch');
  let watch: NativeHostWatch | number;
  try {
    check(binding.addTo(outer.number, fd, EVENT_READ), 'host watch');
    watch = binding.createHostWatch(outer, 'thread', onReady);
    if (typeof watch === 'number') throw errorFor(watch, 'host watch');
  } catch (error) {
    outer.close();
    throw error;
  }
  const inner = watch;
  return {
    arm: () => inner.arm(),
    disarm: () => inner.disarm(),
    ref: () => inner.ref(),
    unref: () => inner.unref(),
    close: () => {
      inner.close();
      outer.close();
    },
  };
}

/**
 * A watch of the host on a selector, not armed yet. It and its callback keep each other alive while it is armed.
 * @param onReady gives whether the watch is to be armed again
 * @param mode the best one that can be had if left out
 * @throws RuntimeError (ERR_SELECTOR_NOT_HOSTABLE), OSError
 * @internal
 */
export function watchSelector(selector: SelectorLike, onReady: () => boolean, mode?: HostWatchMode): NativeHostWatch {
  const fd = descriptorOf(selector);
  const wanted = mode ?? (hostCanNest && fd >= 0 ? 'nested' : 'thread');
  let watch: NativeHostWatch | number;
  if (selector instanceof NativeSelectorBase) watch = binding.createHostWatch(selector._native, wanted, onReady);
  else if (fd < 0) {
    throw new RuntimeError(
      'a selector that has no descriptor of its own cannot be hosted: give it a fileno(), or use the Sync verbs',
      'ERR_SELECTOR_NOT_HOSTABLE',
    );
  } else watch = wanted === 'nested' ? binding.createHostWatchForFd(fd, onReady) : watchByThread(fd, onReady);
  if (typeof watch === 'number') throw errorFor(watch, 'host watch');
  return watch;
}
