// thread-pool.ts: functions that run on other threads. Python: concurrent.futures.ThreadPoolExecutor.
//
//   submit -> a free worker, a new one, or the queue
//               worker: runs the function, posts the result, wakes whoever waits for it
//   the loop's self-pipe was read, or Node's own loop has a message -> the submission is done

import * as os from 'node:os';
import { inspect } from 'node:util';
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';

import { CancelledError, RuntimeError, ValueError } from '../base/errors';
import { addonFile } from '../native/binding';
import { executorWorker, type Order, type Outcome, type SentFunction, type WorkerSetup } from './executor-worker';
import { copied, remade, sendable, type ExecutorFunction } from './sendable';
import type { WakerHandle } from './waker';

const MOST_WORKERS = 32;
const MORE_THAN_PROCESSORS = 4;

/** How many threads work at a time unless somebody says otherwise. @internal */
export function defaultWorkerCount(): number {
  return Math.min(MOST_WORKERS, os.cpus().length + MORE_THAN_PROCESSORS);
}

export interface ThreadPoolOptions {
  /** The most threads at a time; by default the number of processors and 4, at most 32. */
  maxWorkers?: number;
  /** Threads are named after it, for debuggers. */
  threadNamePrefix?: string;
}

export interface ShutdownOptions {
  /** False for a promise that does not wait for the threads to end. */
  wait?: boolean;
  /** True to cancel what has not begun. */
  cancelFutures?: boolean;
}

const enum State {
  Waiting,
  Running,
  Cancelled,
  Done,
}

/** One call on another thread. It can be awaited. Python: concurrent.futures.Future. */
export class Submission<T = unknown> implements PromiseLike<T> {
  /** @internal */ _state: State = State.Waiting;
  #failed = false;
  #value: unknown = undefined;
  #callbacks: (() => void)[] = [];
  readonly #forget: (submission: Submission) => void;

  /** @internal */
  constructor(
    /** @internal */ readonly _id: number,
    /** @internal */ readonly _fn: SentFunction,
    /** Dropped when the thread has them. @internal */
    public _args: readonly unknown[] | null,
    /** @internal */ readonly _waker: WakerHandle | null,
    forget: (submission: Submission) => void,
  ) {
    this.#forget = forget;
  }

  /** Keeps a call that has not begun from beginning. @returns false if it has */
  cancel(): boolean {
    if (this._state === State.Cancelled) return true;
    if (this._state !== State.Waiting) return false;
    this._state = State.Cancelled;
    this.#forget(this);
    this.#finish(true, new CancelledError('the call was cancelled before it began'));
    return true;
  }

  cancelled(): boolean {
    return this._state === State.Cancelled;
  }

  running(): boolean {
    return this._state === State.Running;
  }

  done(): boolean {
    return this._state >= State.Cancelled;
  }

  then<R = T, E = never>(
    onFulfilled?: ((value: T) => R | PromiseLike<R>) | null,
    onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return new Promise<T>((resolve, reject) => {
      this._whenDone((failed, value) => (failed ? reject(value) : resolve(value as T)));
    }).then(onFulfilled, onRejected);
  }

  /** Calls back at once if it is done, else in the moment in which it is. @internal */
  _whenDone(callback: (failed: boolean, value: unknown) => void): void {
    const call = (): void => callback(this.#failed, this.#value);
    if (this.done()) call();
    else this.#callbacks.push(call);
  }

  /** @internal */
  _settle(failed: boolean, value: unknown): void {
    this._state = State.Done;
    this.#finish(failed, value);
  }

  #finish(failed: boolean, value: unknown): void {
    this.#failed = failed;
    this.#value = value;
    this._args = null;
    for (const callback of this.#callbacks.splice(0)) callback();
  }
}

/** A thread of the pool, as the pool sees it. */
class PoolWorker {
  readonly worker: Worker;
  readonly port: MessagePort;
  present: Submission | null = null;
  /** What ended the thread, if it did not end by itself. */
  cause: unknown = undefined;

  constructor(name: string) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const workerData: WorkerSetup = { port: port2, addonFile };
    this.worker = new Worker(`(${executorWorker.toString()})(require)`, {
      eval: true,
      name,
      workerData,
      transferList: [port2],
      // The text is no module, whatever the flags of this process say.
      ...(process.execArgv.some((flag) => flag.startsWith('--input-type')) ? { execArgv: [] } : {}),
    });
  }

  order(order: Order): void {
    this.worker.postMessage(order);
  }
}

/**
 * Runs functions on threads of its own (node:worker_threads), which are started when they are needed, used again, and end
 * with `shutdown`. While all of them are idle they do not keep the process alive. Python: ThreadPoolExecutor.
 */
export class ThreadPoolExecutor {
  readonly maxWorkers: number;
  readonly #namePrefix: string;
  readonly #workers = new Set<PoolWorker>();
  readonly #idle: PoolWorker[] = [];
  readonly #queue = new Set<Submission>();
  readonly #byId = new Map<number, Submission>();
  #nextId = 0;
  #started = 0;
  #isShutDown = false;
  #whenDrained: (() => void)[] = [];
  #whenEnded: (() => void)[] = [];
  /** Who has something in the queue, and how much, or waits for the end of all: any thread that gets free has to tell. */
  readonly #interested = new Map<WakerHandle, number>();

  /** @throws ValueError if there could be no worker at all */
  constructor(options: ThreadPoolOptions = {}) {
    const { maxWorkers = defaultWorkerCount(), threadNamePrefix = 'ThreadPoolExecutor' } = options;
    if (!Number.isInteger(maxWorkers) || maxWorkers <= 0) {
      throw new ValueError(`maxWorkers must be a positive integer, not ${inspect(maxWorkers)}`);
    }
    this.maxWorkers = maxWorkers;
    this.#namePrefix = threadNamePrefix;
  }

  /**
   * Runs `fn(...args)` on a thread. Arguments and result are copied (structured clone); an error arrives with its class,
   * message, stack and code.
   * @throws TypeError if the function (ERR_FUNCTION_NOT_SENDABLE) or an argument (ERR_NOT_CLONEABLE) cannot be sent;
   * RuntimeError (ERR_EXECUTOR_SHUTDOWN)
   */
  submit<A extends unknown[], R>(fn: ExecutorFunction<A, R>, ...args: A): Submission<Awaited<R>> {
    return this._submit(null, fn, args) as Submission<Awaited<R>>;
  }

  /**
   * Takes no more calls. Those that were taken are still made, and then the threads end.
   * @returns a promise of the end of the last thread; fulfilled at once with `wait: false`
   */
  shutdown(options: ShutdownOptions = {}): Promise<void> {
    const { wait = true, cancelFutures = false } = options;
    this.#isShutDown = true;
    if (cancelFutures) for (const submission of [...this.#queue]) submission.cancel();
    if (this.#queue.size === 0) for (const one of this.#workers) one.order({ kind: 'exit' });
    this.#idle.splice(0);
    return wait ? this.#ended() : Promise.resolve();
  }

  /** Ends every thread at once, whatever it does; what it was asked for fails with RuntimeError (ERR_EXECUTOR_BROKEN). */
  async terminate(): Promise<void> {
    this.#isShutDown = true;
    for (const submission of [...this.#queue]) submission.cancel();
    await Promise.all([...this.#workers].map(({ worker }) => worker.terminate()));
    await this.#ended();
  }

  [inspect.custom](): string {
    const state = this.#isShutDown ? 'shut down ' : '';
    const busy = this.#byId.size - this.#queue.size;
    return `<ThreadPoolExecutor ${state}workers=${this.#workers.size}/${this.maxWorkers} running=${busy} waiting=${this.#queue.size}>`;
  }

  /** @param waker whom the thread wakes when the result is there @internal */
  _submit(waker: WakerHandle | null, fn: unknown, args: readonly unknown[]): Submission {
    if (this.#isShutDown) {
      throw new RuntimeError('the executor was shut down: it takes no more calls', 'ERR_EXECUTOR_SHUTDOWN');
    }
    const sent = sendable(fn);
    const idle = this.#idle.pop();
    // What waits for a thread is copied now: later changes must not count, and what cannot be copied is to be known now.
    const kept = idle === undefined ? copied(() => structuredClone(args)) : args;
    const submission = new Submission(this.#nextId++, sent, kept, waker, this.#forget);
    try {
      if (idle !== undefined) this.#give(idle, submission);
      else if (this.#workers.size < this.maxWorkers) this.#give(this.#start(), submission);
      else this.#enqueue(submission);
    } catch (error) {
      if (idle !== undefined) this.#idle.push(idle);
      throw error;
    }
    this.#byId.set(submission._id, submission);
    return submission;
  }

  /** Takes what the threads have posted. @internal */
  _poll(): void {
    for (const one of [...this.#workers]) this.#pollOne(one);
  }

  /** Calls back when nothing runs or waits, which `_poll` finds out; `waker` is woken for that. @internal */
  _onceDrained(waker: WakerHandle, callback: () => void): void {
    this.#whenDrained.push(callback);
    this.#interest(waker, 1);
    this.#checkDrained();
  }

  readonly #forget = (submission: Submission): void => {
    this.#dequeue(submission);
    this.#byId.delete(submission._id);
    this.#checkDrained();
  };

  #give(one: PoolWorker, submission: Submission): void {
    const { _id: id, _fn: fn, _waker: waker } = submission;
    const args = submission._args as readonly unknown[];
    copied(() => one.order({ kind: 'job', id, fn, args, waker }));
    one.present = submission;
    for (const other of this.#interested.keys()) this.#notify(one, other);
    submission._state = State.Running;
    submission._args = null;
    one.worker.ref();
  }

  #enqueue(submission: Submission): void {
    this.#queue.add(submission);
    if (submission._waker !== null) this.#interest(submission._waker, 1);
  }

  #dequeue(submission: Submission): void {
    if (this.#queue.delete(submission) && submission._waker !== null) this.#interest(submission._waker, -1);
  }

  // A loop that blocks its thread hears of what it shares with others only by its own self-pipe.
  #interest(waker: WakerHandle, change: 1 | -1): void {
    const count = (this.#interested.get(waker) ?? 0) + change;
    if (count === 0) this.#interested.delete(waker);
    else this.#interested.set(waker, count);
    if (count === 1 && change === 1) for (const one of this.#workers) this.#notify(one, waker);
  }

  #notify(one: PoolWorker, waker: WakerHandle): void {
    if (one.present !== null && one.present._waker !== waker) one.order({ kind: 'notify', waker });
  }

  #start(): PoolWorker {
    const one = new PoolWorker(`${this.#namePrefix}_${this.#started++}`);
    this.#workers.add(one);
    one.port.on('message', (outcome: Outcome) => this.#take(one, outcome));
    one.port.on('messageerror', (error: Error) => this.#abandon(one, error));
    // The worker itself keeps the process alive, as long as it has something to do.
    one.port.unref();
    one.worker.on('error', (error) => {
      one.cause = error;
    });
    one.worker.on('exit', () => {
      this.#pollOne(one);
      this.#workers.delete(one);
      one.port.close();
      this.#broken(one, one.cause);
      if (this.#workers.size === 0) for (const callback of this.#whenEnded.splice(0)) callback();
    });
    return one;
  }

  #pollOne(one: PoolWorker): void {
    for (;;) {
      let received: { message: unknown } | undefined;
      try {
        received = receiveMessageOnPort(one.port);
      } catch (error) {
        this.#abandon(one, error);
        return;
      }
      if (received === undefined) return;
      this.#take(one, received.message as Outcome);
    }
  }

  #take(one: PoolWorker, outcome: Outcome): void {
    const submission = this.#byId.get(outcome.id);
    if (submission === undefined || one.present !== submission) return;
    if (outcome.kind === 'died') {
      this.#broken(one, undefined);
      return;
    }
    one.present = null;
    this.#byId.delete(submission._id);
    this.#next(one);
    if (outcome.kind === 'value') submission._settle(false, outcome.value);
    else submission._settle(true, outcome.kind === 'error' ? remade(outcome.error) : outcome.value);
    this.#checkDrained();
  }

  // What it says cannot be understood.
  #abandon(one: PoolWorker, cause: unknown): void {
    this.#broken(one, cause);
    void one.worker.terminate();
  }

  // The thread has ended, or is about to. What it did is lost; what waits goes to another one.
  #broken(one: PoolWorker, cause: unknown): void {
    const submission = one.present;
    one.present = null;
    const index = this.#idle.indexOf(one);
    if (index >= 0) this.#idle.splice(index, 1);
    if (submission !== null) {
      this.#byId.delete(submission._id);
      const error = new RuntimeError('the thread ended in the middle of the call', 'ERR_EXECUTOR_BROKEN');
      submission._settle(true, cause === undefined ? error : Object.assign(error, { cause }));
    }
    if (this.#queue.size > 0 && this.#workers.size < this.maxWorkers) this.#next(this.#start());
    this.#checkDrained();
  }

  #next(one: PoolWorker): void {
    const [submission] = this.#queue;
    if (submission !== undefined) {
      this.#dequeue(submission);
      this.#give(one, submission);
      return;
    }
    if (this.#isShutDown) {
      for (const each of this.#workers) each.order({ kind: 'exit' });
      return;
    }
    this.#idle.push(one);
    one.worker.unref();
  }

  #checkDrained(): void {
    if (this.#byId.size > 0) return;
    this.#interested.clear();
    for (const callback of this.#whenDrained.splice(0)) callback();
  }

  #ended(): Promise<void> {
    if (this.#workers.size === 0) return Promise.resolve();
    for (const { worker } of this.#workers) worker.ref();
    return new Promise((resolve) => this.#whenEnded.push(resolve));
  }
}
