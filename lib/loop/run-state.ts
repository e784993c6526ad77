// run-state.ts: what is true of a loop's run while it lasts: who waits, whether it stands between two turns, and the error
// that is to end it. How a run begins and ends is in runs.ts.

import { threadId } from 'node:worker_threads';

import { checkMayBlock } from '../base/blocking';
import { _setRunningLoop } from '../base/running-loop';
import type { BaseEventLoop } from './base-event-loop';
import { blockingDriver, VirtualClock, VirtualDriver, type Driver } from './driver';
import { HostedDriver } from './hosted-driver';

export class RunState {
  /** Who waits in a synchronous run. */
  readonly syncDriver: Driver;
  /** Who waits. Between two runs nobody does. */
  driver: Driver = blockingDriver;
  /** Hosted and between two turns: whoever queues something must wake the driver. */
  isIdle = false;
  /** Whether promise jobs can be drained in this run. */
  drains = true;
  /** The thread that runs the loop; null between two runs. asyncio: _thread_id. */
  threadId: number | null = null;
  isReferenced = true;
  readonly #mayBlock: boolean;
  #escaping: { error: unknown } | null = null;

  constructor(loop: BaseEventLoop, allowBlocking: boolean) {
    const clock = loop._clock;
    // A virtual clock jumps where others wait.
    const isVirtual = clock instanceof VirtualClock;
    this.#mayBlock = allowBlocking || isVirtual;
    this.syncDriver = isVirtual ? new VirtualDriver(clock, loop) : blockingDriver;
  }

  begin(driver: Driver, drains: boolean): void {
    this.driver = driver;
    this.drains = drains;
    this.threadId = threadId;
  }

  end(): void {
    this.driver = blockingDriver;
    this.threadId = null;
    this.isIdle = false;
    this.#escaping = null;
  }

  /** @throws RuntimeError (ERR_BLOCKING_REFUSED) where a synchronous run would stop the windows of a user interface */
  checkMayBlock(verb: string): void {
    checkMayBlock(verb, this.#mayBlock);
  }

  /** Whether Node's own loop goes on meanwhile. */
  get isHosted(): boolean {
    return this.driver instanceof HostedDriver;
  }

  /** A hosted turn begins or ends. */
  setInTurn(loop: BaseEventLoop, inTurn: boolean): void {
    this.isIdle = !inTurn;
    _setRunningLoop(inTurn ? loop : null);
    if (inTurn) this.checkEscaping();
  }

  /** An error that must end the run was thrown where it could not go up the stack by itself: the next check throws it. */
  escape(error: unknown): void {
    this.#escaping ??= { error };
    if (this.isIdle) this.driver.wake();
  }

  /** @throws the error that must end the run, if there is one */
  checkEscaping(): void {
    if (this.#escaping !== null) this.#throwEscaping();
  }

  #throwEscaping(): never {
    const { error } = this.#escaping as { error: unknown };
    this.#escaping = null;
    throw error;
  }

  setReferenced(referenced: boolean): void {
    if (referenced === this.isReferenced) return;
    this.isReferenced = referenced;
    this.driver.setReferenced?.(referenced);
  }
}
