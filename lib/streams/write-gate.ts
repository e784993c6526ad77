// write-gate.ts: where writers wait while a transport has asked for a pause. asyncio: streams.FlowControlMixin.

import { inspect } from 'node:util';

import { AssertionError, ConnectionResetError } from '../base/errors';
import { logger } from '../base/log';
import type { CoroutineGenerator } from '../futures/frame';
import { Future } from '../futures/future';
import type { BaseEventLoop } from '../loop/base-event-loop';
import type { BaseProtocol } from '../transports/protocol';

/** What a protocol has to be for a `StreamWriter`. */
export interface WriterProtocol extends BaseProtocol {
  /** Done when the connection is gone. @internal */
  readonly _closed: Future<void>;
  /** Whether the writer is a server's. @internal */
  readonly _isServerSide?: boolean;
  /** Waits while writing is paused. asyncio: _drain_helper. @throws ConnectionResetError when the connection is gone @internal */
  _drain(): CoroutineGenerator<void>;
  /** After an upgrade to TLS. @internal */
  _replaceWriter?(writer: unknown): void;
}

/** Makes a future of a lost connection done. */
function settle(future: Future<void>, error: unknown): void {
  if (error === null) future.setResult(undefined);
  else future._fail(error);
}

/** The same for one that perhaps nobody asks, who is not to be reproached; one that is done stays so. */
export function settleClosed(closed: Future<void>, error: unknown): void {
  if (closed.done()) return;
  settle(closed, error);
  if (error !== null) closed.exception();
}

export class WriteGate {
  readonly #loop: BaseEventLoop;
  readonly #owner: object;
  readonly #waiters = new Set<Future<void>>();
  #paused = false;
  #isLost = false;

  /** @param owner whom the log is to name */
  constructor(loop: BaseEventLoop, owner: object) {
    this.#loop = loop;
    this.#owner = owner;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  pause(): void {
    if (this.#paused) throw new AssertionError('pauseWriting() twice');
    this.#paused = true;
    if (this.#loop.getDebug()) logger.debug(`${inspect(this.#owner)} pauses writing`);
  }

  resume(): void {
    if (!this.#paused) throw new AssertionError('resumeWriting() without pauseWriting()');
    this.#paused = false;
    if (this.#loop.getDebug()) logger.debug(`${inspect(this.#owner)} resumes writing`);
    for (const waiter of this.#waiters) if (!waiter.done()) waiter.setResult(undefined);
  }

  /** The connection is gone: whoever waits is told. */
  lose(error: unknown): void {
    this.#isLost = true;
    if (this.#paused) for (const waiter of this.#waiters) if (!waiter.done()) settle(waiter, error);
  }

  /** @throws ConnectionResetError when the connection is gone */
  *drain(): CoroutineGenerator<void> {
    if (this.#isLost) {
      throw new ConnectionResetError('the connection is gone', { code: 'ECONNRESET', errno: 0 });
    }
    if (!this.#paused) return;
    const waiter = new Future<void>(this.#loop);
    this.#waiters.add(waiter);
    try {
      yield* waiter;
    } finally {
      this.#waiters.delete(waiter);
    }
  }
}
