// hosted-driver.ts: runs a loop inside Node's own. Between two turns Node's timers, files and servers go on; our
// selector's descriptor is watched by Node's loop, and the first timer of ours is one timer of Node's.
//
//        +-> turn: iterations, until there is nothing to do or the batch is used up --+
//        |                                                                            |
//        |   something left:  setImmediate                                            |
//        +-- a timer is next: setTimeout    <------------- arm -----------------------+
//        +-- a descriptor:    the host watch
//        +-- wake():          somebody queued something from outside of a turn

import type { Seconds } from '../base/constants';
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from '../base/host';
import { copyContext } from '../futures/context';
import { errorFor } from '../native/check';
import type { NativeHostWatch } from '../native/types';
import type { BaseEventLoop } from './base-event-loop';
import { VirtualClock, type Driver } from './driver';
import { watchSelector } from './host-watch';
import { selectReady, type ReadyList, type SelectorLike } from './ready';

/** Iterations in one turn, before Node gets its own. */
const ITERATIONS_PER_TURN = 16;
/** Looks in one turn. Each one that finds something is a whole batch of events, which Node's own work waits for. */
const LOOKS_PER_TURN = 3;
/** Looks in a row that found nothing; after as many, only every so many-th turn tries one. */
const FRUITLESS_LOOKS = 4;
const TURNS_BETWEEN_LOOKS = 16;
/** The longest that setTimeout can wait, in milliseconds. */
const MAX_HOST_TIMEOUT = 0x7fffffff;

export class HostedDriver implements Driver {
  readonly #loop: BaseEventLoop;
  readonly #watch: NativeHostWatch;
  // Turns run in the asynchronous context of whoever started the run, not in that of whoever happened to wake it.
  readonly #context = copyContext(null);
  #immediate: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #timerWhen: Seconds = 0;
  // What a look found, for the iteration that it calls for.
  #found: ReadyList | null = null;
  #fruitlessLooks = 0;
  #turnsSinceLook = 0;
  #nudge: NodeJS.Timeout | null = null;
  #end: { resolve: () => void; reject: (error: unknown) => void } | null = null;

  /** @throws RuntimeError (ERR_SELECTOR_NOT_HOSTABLE), OSError */
  constructor(loop: BaseEventLoop) {
    this.#loop = loop;
    // It calls in the context in which it was made, so that a turn need not enter it once more.
    this.#watch = this.#context.runInAsyncScope(() =>
      watchSelector(loop._selector as SelectorLike, () => this.#turn(), loop._hostWatch),
    );
    if (!loop.hasRef()) this.#watch.unref();
  }

  /** @returns a promise that ends when the loop was stopped, or with the error that ended the run */
  run(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#end = { resolve, reject };
      this.#loop._run.setInTurn(this.#loop, false);
      this.wake();
    });
  }

  // The host has waited already: only look. A virtual clock has nobody to wait for: it jumps.
  select(selector: SelectorLike, timeout: Seconds | null): ReadyList {
    const found = this.#found;
    if (found !== null) {
      this.#found = null;
      return found;
    }
    const ready = selectReady(selector, 0);
    const clock = this.#loop._clock;
    if (clock instanceof VirtualClock && timeout !== null && ready.length === 0 && !this.#loop._hasOutsideWork()) {
      clock.advance(timeout);
    }
    return ready;
  }

  wake(): void {
    if (this.#immediate !== null || this.#end === null) return;
    this.#immediate = setImmediate(this.#onImmediate);
    if (!this.#loop.hasRef()) this.#unrefImmediate(this.#immediate);
  }

  // Node goes to sleep although such an immediate waits, if nothing else keeps it up. A timer wakes it.
  #unrefImmediate(immediate: NodeJS.Immediate): void {
    immediate.unref();
    this.#nudge ??= setTimeout(() => undefined, 1).unref();
    this.#nudge.refresh();
  }

  /** Each of the three ways to be woken keeps the process alive, or none does. */
  setReferenced(referenced: boolean): void {
    if (referenced) {
      this.#watch.ref();
      this.#timer?.ref();
      this.#immediate?.ref();
      return;
    }
    this.#watch.unref();
    this.#timer?.unref();
    if (this.#immediate !== null) this.#unrefImmediate(this.#immediate);
  }

  readonly #onImmediate = (): void => {
    this.#immediate = null;
    this.#turnAndArm();
  };

  readonly #onTimer = (): void => {
    this.#timer = null;
    // Node's timers count in milliseconds and may come early; an iteration before the time would be one too many.
    const loop = this.#loop;
    if (this.#immediate === null && loop.time() + loop._clockResolution <= this.#timerWhen) {
      this.#armTimer(this.#timerWhen - loop.time());
    } else this.#turnAndArm();
  };

  /** A turn that the watch did not call for, and whose answer it does not hear. */
  #turnAndArm(): void {
    if (!this.#turnInContext()) return;
    const result = this.#watch.arm();
    if (result < 0) this.#finish({ error: errorFor(result, 'host watch') });
  }

  #turnInContext(): boolean {
    return this.#context.runInAsyncScope(this.#turn, this);
  }

  /** @returns whether the watch is to be armed */
  #turn(): boolean {
    if (this.#end === null) return false;
    const loop = this.#loop;
    let timeout: Seconds | null = 0;
    try {
      loop._run.setInTurn(loop, true);
      let looks = LOOKS_PER_TURN;
      for (let left = ITERATIONS_PER_TURN; left > 0; left--) {
        loop._runOnce();
        if (loop._stopping) {
          this.#finish();
          return false;
        }
        timeout = loop._nextTimeout();
        if (timeout === 0) continue;
        if (left === 1 || looks === 0 || !this.#look()) break;
        looks -= 1;
        timeout = 0;
      }
    } catch (error) {
      this.#finish({ error });
      return false;
    } finally {
      loop._run.setInTurn(loop, false);
    }
    return this.#giveWay(timeout);
  }

  /**
   * A last look before giving way: whoever is busy has heard from the next peer by now, and the way through Node's loop costs
   * more than all that is done for a message. Where it finds nothing time and again, it is mostly left out.
   * @returns whether there is something, which the next iteration is given
   */
  #look(): boolean {
    this.#turnsSinceLook += 1;
    if (this.#fruitlessLooks >= FRUITLESS_LOOKS && this.#turnsSinceLook < TURNS_BETWEEN_LOOKS) return false;
    this.#turnsSinceLook = 0;
    const ready = selectReady(this.#loop._selector as SelectorLike, 0);
    if (ready.length === 0) {
      this.#fruitlessLooks += 1;
      return false;
    }
    this.#fruitlessLooks = 0;
    this.#found = ready;
    return true;
  }

  /** @returns as `#turn` */
  #giveWay(wanted: Seconds | null): boolean {
    let timeout = wanted;
    if (timeout !== null && timeout > 0 && this.#loop._clock instanceof VirtualClock) {
      // While other threads work, a virtual clock stands still, and only they can end the wait.
      timeout = this.#loop._hasOutsideWork() ? null : 0;
    }
    if (timeout === 0) {
      this.wake();
      return false;
    }
    if (timeout === null) this.#clearTimer();
    else this.#armTimer(timeout);
    return true;
  }

  #armTimer(timeout: Seconds): void {
    const when = this.#loop.time() + timeout;
    if (this.#timer !== null && Math.abs(when - this.#timerWhen) <= this.#loop._clockResolution) return;
    this.#clearTimer();
    this.#timerWhen = when;
    this.#timer = setTimeout(this.#onTimer, Math.min(Math.ceil(timeout * 1000), MAX_HOST_TIMEOUT));
    if (!this.#loop.hasRef()) this.#timer.unref();
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #finish(failure?: { error: unknown }): void {
    const end = this.#end;
    if (end === null) return;
    this.#end = null;
    this.#clearTimer();
    if (this.#nudge !== null) clearTimeout(this.#nudge);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#immediate = null;
    this.#watch.close();
    if (failure === undefined) end.resolve();
    else end.reject(failure.error);
  }
}
