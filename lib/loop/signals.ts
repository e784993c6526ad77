// signals.ts: callbacks for the signals of the process. asyncio: unix_events: add_signal_handler, _handle_signal,
// remove_signal_handler.
//
//   signal -> native handler -> its number, one byte -> self-pipe -> receive() queues the handle of its callback
//                    `-> the handler of Node, below ours: process.on and child_process go on to hear
//
// Node installs its handler for a signal when the first one listens for it, in the place of ours, and takes it away with
// the last one. So a loop listens there as well, before ours is put on top: Node then leaves everything as it is. And
// whoever looks at process.listenerCount sees that somebody takes care of the signal.

import { types } from 'node:util';
import { isMainThread } from 'node:worker_threads';

import { NotImplementedError, RuntimeError, typeError } from '../base/errors';
import { invalidSignal, SIGINT, signalNames, signalNumber } from '../base/signal-number';
import { binding } from '../native/binding';
import { check, errnoName } from '../native/check';
import { checkCallback } from './debug';
import { Handle, type Callback } from './handle';
import type { BaseSelectorEventLoop } from './selector-event-loop';
import type { OutsideSource } from './waker';

/** What a byte can say. */
const LARGEST = 255;

/** Windows has no signals that a loop could hear. */
export const hasSignals = process.platform !== 'win32';

/** @throws TypeError, ValueError */
function numberOf(signal: unknown): number {
  const number = signalNumber(signal);
  if (number < 1 || number > LARGEST || binding.isSignal(number) !== 1) throw invalidSignal(signal);
  return number;
}

/** What the loop is to Node: somebody who listens. */
const listener = (): void => undefined;

/**
 * The signals that send their number to a descriptor. It knows nothing of the loop: when a loop is dropped while it is open,
 * this is what is left to be ended.
 */
export class SignalWatches {
  readonly #watched = new Set<number>();

  constructor(private readonly fd: number) {}

  /** Once more, it moves to the top: of several loops, the last one is told. @throws RuntimeError, OSError */
  add(signal: number): void {
    if (!this.#watched.has(signal)) this.#listen(signal);
    check(binding.watchSignal(signal, this.fd, signalNames.has(signal)), 'sigaction');
  }

  #listen(signal: number): void {
    const reserved = binding.reserveSignal(signal, this.fd);
    if (reserved < 0 && errnoName(reserved) !== 'EINVAL') check(reserved, 'sigaction');
    if (reserved < 0) throw uncatchable(signal);
    this.#watched.add(signal);
    const name = signalNames.get(signal);
    try {
      if (name !== undefined) process.on(name, listener);
    } catch (error) {
      this.delete(signal);
      throw uncatchable(signal, error);
    }
  }

  delete(signal: number): void {
    if (!this.#watched.delete(signal)) return;
    binding.unwatchSignal(signal, this.fd);
    const name = signalNames.get(signal);
    if (name !== undefined) process.removeListener(name, listener);
    binding.releaseSignal(signal, this.fd);
  }

  close(): void {
    for (const signal of [...this.#watched]) this.delete(signal);
  }

  /** How often signals came and found the self-pipe full: [signal, count]. */
  *missed(): Generator<[signal: number, count: number]> {
    for (const signal of this.#watched) yield [signal, binding.takeMissedSignals(signal, this.fd)];
  }
}

function uncatchable(signal: number, cause?: unknown): RuntimeError {
  const error = new RuntimeError(
    `signal ${signalNames.get(signal) ?? signal} cannot be caught`,
    'ERR_SIGNAL_UNCATCHABLE',
  );
  return cause === undefined ? error : Object.assign(error, { cause });
}

/** What one loop does when signals come. */
export class SignalHandlers implements OutsideSource {
  readonly pending = 0;
  readonly watches: SignalWatches;
  readonly #loop: BaseSelectorEventLoop;
  readonly #handles = new Map<number, Handle>();
  #interrupt: Handle | null = null;

  constructor(loop: BaseSelectorEventLoop, fd: number) {
    this.#loop = loop;
    this.watches = new SignalWatches(fd);
  }

  /** asyncio: add_signal_handler. */
  add(signal: unknown, callback: Callback, args: readonly unknown[]): void {
    checkSystem('addSignalHandler');
    checkCallback(callback, 'addSignalHandler');
    if (types.isAsyncFunction(callback) || types.isGeneratorFunction(callback)) {
      throw typeError('coroutines cannot be used with addSignalHandler()');
    }
    const number = numberOf(signal);
    this.#loop._checkClosed();
    this.#hear(number);
    this.#handles.set(number, new Handle(callback, args, this.#loop));
  }

  /** asyncio: remove_signal_handler. */
  remove(signal: unknown): boolean {
    checkSystem('removeSignalHandler');
    const number = numberOf(signal);
    if (!this.#handles.delete(number)) return false;
    this.#settle(number);
    return true;
  }

  has(signal: number): boolean {
    return this.#handles.has(signal);
  }

  /**
   * Calls `callback` when SIGINT comes and the loop has no other handler for it; null for nothing. asyncio: what Runner does
   * with signal.signal.
   */
  setInterrupt(callback: (() => void) | null): void {
    if (callback !== null) this.#hear(SIGINT);
    this.#interrupt = callback === null ? null : new Handle(callback, [], this.#loop);
    this.#settle(SIGINT);
  }

  /** A signal's number was read from the self-pipe. asyncio: _handle_signal. */
  receive(signal: number): void {
    const handle = this.#handleOf(signal);
    if (handle === undefined) return;
    if (handle._cancelled) this.remove(signal);
    else this.#loop._addCallback(handle);
  }

  /** What did not find room in the self-pipe is told now that there is some. */
  check(): void {
    for (const [signal, count] of this.watches.missed()) {
      for (let left = count; left > 0; left--) this.receive(signal);
    }
  }

  close(): void {
    this.#handles.clear();
    this.#interrupt = null;
    this.watches.close();
  }

  #handleOf(signal: number): Handle | undefined {
    return this.#handles.get(signal) ?? (signal === SIGINT ? (this.#interrupt ?? undefined) : undefined);
  }

  #hear(signal: number): void {
    if (!isMainThread) {
      throw new RuntimeError('signals are heard in the main thread only', 'ERR_NOT_MAIN_THREAD');
    }
    this.watches.add(signal);
    this.#loop._addOutsideSource(this);
  }

  #settle(signal: number): void {
    if (this.#handleOf(signal) === undefined) this.watches.delete(signal);
  }
}

function checkSystem(verb: string): void {
  if (!hasSignals) throw new NotImplementedError(`${verb}: there are no signals on Windows`);
}
