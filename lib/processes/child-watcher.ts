// child-watcher.ts: how a loop hears that a child has ended. asyncio: unix_events.PidfdChildWatcher, ThreadedChildWatcher.
//
//   a descriptor of the process   readable at its end; Linux 5.3 and later
//   a waiting thread per child    writes to the self-pipe at its end; elsewhere
//
// Either way the child is reaped here, in the loop's own thread. Nobody else's children are touched: Node's child_process reaps
// its own by their numbers.

import { logger } from '../base/log';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import type { OutsideSource } from '../loop/waker';
import { binding } from '../native/binding';
import { check } from '../native/check';
import type { Fd, NativeChild } from '../native/types';

/** Told once, in a callback of the loop: the number that the child gave, or minus that of the signal which ended it. */
export type Ended = (returncode: number) => void;

/** What is told of a child whose end somebody else has read. */
const UNKNOWN_RETURNCODE = 255;

const { EAGAIN, ECHILD } = binding.errnoByName;

/** @throws OSError if there can be no watch */
export function watchChild(loop: BaseSelectorEventLoop, child: NativeChild, ended: Ended): void {
  watchesOf(loop).add(child, ended);
}

/** The end of a child; null while it runs. */
function reap(child: NativeChild): number | null {
  const status = new Int32Array(1);
  const result = binding.reapChild(child, status);
  if (result === -EAGAIN) return null;
  if (result !== -ECHILD) {
    check(result, 'waitid');
    return status[0];
  }
  const pid = binding.childPid(child);
  logger.warning(
    `the end of child process ${pid} was read elsewhere: its return code is given as ${UNKNOWN_RETURNCODE}`,
  );
  return UNKNOWN_RETURNCODE;
}

/** The children of one loop. While there are some, a virtual clock stands still. */
class ChildWatches implements OutsideSource {
  readonly #loop: BaseSelectorEventLoop;
  readonly #all = new Map<NativeChild, Ended>();
  /** Those for which threads wait. */
  readonly #byThread = new Set<NativeChild>();

  constructor(loop: BaseSelectorEventLoop) {
    this.#loop = loop;
  }

  get pending(): number {
    return this.#all.size;
  }

  add(child: NativeChild, ended: Ended): void {
    const fd = binding.childDescriptor(child);
    if (fd >= 0) this.#watchDescriptor(child, fd);
    else {
      check(binding.watchChild(child, this.#loop._wakeFd()), 'watchChild');
      this.#byThread.add(child);
    }
    this.#all.set(child, ended);
    this.#loop._addOutsideSource(this);
  }

  #watchDescriptor(child: NativeChild, fd: Fd): void {
    this.#loop._addReader(fd, () => {
      // First: its number may be another descriptor's when the child is reaped.
      this.#loop._removeReader(fd);
      // A debugger may be told before its parent is.
      if (!this.#look(child)) this.#watchDescriptor(child, fd);
    });
  }

  /** @returns whether the child has ended */
  #look(child: NativeChild): boolean {
    const returncode = reap(child);
    if (returncode === null) return false;
    const ended = this.#all.get(child);
    this.#all.delete(child);
    if (this.#all.size === 0) this.#loop._removeOutsideSource(this);
    ended?.(returncode);
    return true;
  }

  check(): void {
    for (const child of this.#byThread) if (this.#look(child)) this.#byThread.delete(child);
  }

  close(): void {
    for (const child of this.#byThread) binding.unwatchChild(child);
    this.#byThread.clear();
    this.#all.clear();
  }
}

const watches = new WeakMap<BaseSelectorEventLoop, ChildWatches>();

function watchesOf(loop: BaseSelectorEventLoop): ChildWatches {
  const known = watches.get(loop) ?? new ChildWatches(loop);
  watches.set(loop, known);
  return known;
}
