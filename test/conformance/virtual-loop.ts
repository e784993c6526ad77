// virtual-loop.ts: fdloop's loop in virtual time. The counterpart of virtual_loop.py.

import type { Seconds } from '../../lib/base/constants';
import { RuntimeError } from '../../lib/base/errors';
import { SelectorEventLoop } from '../../lib/event-loop';
import { selectReady, type SelectorLike } from '../../lib/loop/ready';
import type { SelectorKey } from '../../lib/selectors/base-selector';
import type { FileObject } from '../../lib/selectors/file-object';
import type { ReadyPairs } from '../../lib/selectors/native-selector';
import type { SelectorClass } from '../../lib/selectors/selectors';
import { selectorClasses, type SelectorName, selectorNames } from '../support/loops';
import type { World } from './world';

export type Order = 'registered' | 'kernel';

const moment = new Int32Array(new SharedArrayBuffer(4));

/** A selector whose ready descriptors come in the order in which they were registered, unless it is to be the kernel's. */
function ordered(Class: SelectorClass): new (order: Order, quiet: boolean) => SelectorLike {
  return class OrderedSelector extends Class {
    readonly #entered = new Map<number, number>();
    #counter = 0;
    // Not a parameter property: the base constructor takes none.
    readonly #sorts: boolean;
    readonly #quiet: boolean;

    constructor(order: Order, quiet: boolean) {
      super();
      this.#sorts = order === 'registered';
      this.#quiet = quiet;
    }

    override register(fileobj: FileObject, events: number, data?: unknown): SelectorKey {
      const key = super.register(fileobj, events, data);
      // select's modify is an unregister and a register: the place stays.
      if (this.#modifying !== key.fd) this.#entered.set(key.fd, ++this.#counter);
      return key;
    }

    override unregister(fileobj: FileObject): SelectorKey {
      const key = super.unregister(fileobj);
      if (this.#modifying !== key.fd) this.#entered.delete(key.fd);
      return key;
    }

    #modifying = -1;

    override modify(fileobj: FileObject, events: number, data?: unknown): SelectorKey {
      this.#modifying = this.getMap()?.get(fileobj)?.fd ?? -1;
      try {
        return super.modify(fileobj, events, data);
      } finally {
        this.#modifying = -1;
      }
    }

    override _select(timeout: Seconds | null): ReadyPairs {
      if (this.#quiet) Atomics.wait(moment, 0, 0, 1);
      // The virtual driver gives what is under way some real time before it gives up. Here nothing is, but on Windows.
      const ready = super._select(process.platform === 'win32' ? timeout : 0);
      if (!this.#sorts) return ready;
      const entries: [number, number][] = [];
      for (let index = 0; index < ready.length; index++) {
        entries.push([ready.pairs[2 * index], ready.pairs[2 * index + 1]]);
      }
      const place = (fd: number): number => this.#entered.get(fd) ?? 0;
      entries.sort(([one], [other]) => place(one) - place(other));
      ready.pairs.set(entries.flat());
      return ready;
    }
  };
}

const orderedSelectors = Object.fromEntries(
  selectorNames.map((name) => [name, ordered(selectorClasses[name])]),
) as Record<SelectorName, ReturnType<typeof ordered>>;

/** Counts iterations; hosted, it ends a run that only the outside could go on with. */
export class VirtualLoop extends SelectorEventLoop {
  readonly #world: World;
  #inIteration = false;
  readonly hosted: boolean;

  constructor(world: World, selector: SelectorName, order: Order, hosted: boolean) {
    // A pair is one of TCP on Windows.
    const quiet = world.program.quiet === true || process.platform === 'win32';
    super({ selector: new orderedSelectors[selector](order, quiet), clock: world.clock });
    this.#world = world;
    this.hosted = hosted;
  }

  override _runOnce(): void {
    this.#world.beginIteration();
    this.#inIteration = true;
    try {
      super._runOnce();
    } finally {
      this.#inIteration = false;
    }
  }

  /** What children do is over when the loop looks: see child-verbs.ts. */
  override _hasOutsideWork(): boolean {
    return false;
  }

  /** Hosted, nothing scheduled means waiting for the outside, where there is nobody: stuck, as the virtual driver says. */
  override _nextTimeout(): Seconds | null {
    const timeout = super._nextTimeout();
    if (timeout === null && this.hosted && selectReady(this._selector as SelectorLike, 0).length === 0) {
      // The iteration that would have waited counts.
      if (!this.#inIteration) this.#world.beginIteration();
      throw new RuntimeError('stuck', 'ERR_DEADLOCK');
    }
    return timeout;
  }
}
