// coroutine.ts: what the multi-step verbs of the library return. Nothing has happened until it is awaited, as in Python;
// then it runs inside the task that awaits it, step by step in that task's own handles. `await` in an async function,
// `yield*` in a generator, `loop.createTask(...)` for one of its own.

import { inspect } from 'node:util';

import { creationSite, firstLine } from '../base/creation-site';
import { RuntimeError } from '../base/errors';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { awaitingTask, getRunningLoop } from './current';
import { GeneratorFrame, type CoroutineGenerator } from './frame';

/**
 * What a task can run: an async function, a generator function, a function that returns either's result or a plain
 * value, a generator, or a coroutine that a verb of the loop returned. Never a promise: it would be running already. A
 * function with a parameter is given the task's AbortSignal.
 */
export type CoroutineLike<T> =
  Coroutine<T> | CoroutineGenerator<T> | ((signal: AbortSignal) => CoroutineGenerator<T> | PromiseLike<T> | T);

/** An async function, a generator function or a plain function that gets arguments from whoever runs it. */
export type CoroutineFunction<T, A extends unknown[] = []> = (...args: A) => CoroutineGenerator<T> | PromiseLike<T> | T;

// In debug mode: a coroutine that is dropped without having run did nothing, and somebody forgot an `await`.
const forgotten = new FinalizationRegistry<string>((site) => {
  process.emitWarning(`a coroutine was never awaited; it was made ${firstLine(site)}`, 'RuntimeWarning');
});

/** Work that starts when it is awaited, and can be awaited once. asyncio: a coroutine object. */
export class Coroutine<T> implements PromiseLike<T> {
  #generator: CoroutineGenerator<T> | null;

  /** @param loop the loop that runs it when it is awaited outside of any task; the running one if left out */
  constructor(
    generator: CoroutineGenerator<T>,
    private readonly loop: BaseEventLoop | null = null,
  ) {
    this.#generator = generator;
    if (loop?.getDebug() === true) forgotten.register(this, creationSite(), this);
  }

  /**
   * The generator itself, for whoever drives it from here on.
   * @throws RuntimeError (ERR_COROUTINE_REUSED) when asked twice: a coroutine runs once
   * @internal
   */
  _take(): CoroutineGenerator<T> {
    const generator = this.#generator;
    if (generator === null) throw new RuntimeError('cannot await the same coroutine twice', 'ERR_COROUTINE_REUSED');
    this.#generator = null;
    if (this.loop?.getDebug() === true) forgotten.unregister(this);
    return generator;
  }

  /** `yield* coroutine` in a generator runs it there. @throws RuntimeError (ERR_COROUTINE_REUSED) the second time */
  [Symbol.iterator](): CoroutineGenerator<T> {
    return this._take();
  }

  /** What `await` calls: runs it in the current task, or in one of its own where there is none. */
  then<R = T, E = never>(
    onFulfilled?: ((value: T) => R | PromiseLike<R>) | null,
    onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return new Promise<T>((resolve, reject) => {
      const task = awaitingTask();
      if (task !== null) new GeneratorFrame<T>(task, this._take(), resolve, reject).resume(false, undefined);
      else (this.loop ?? getRunningLoop()).createTask(this)._await(resolve as (value: unknown) => void, reject);
    }).then(onFulfilled, onRejected);
  }

  /** Drops a coroutine that will not be run. */
  close(): void {
    this.#generator = null;
    forgotten.unregister(this);
  }

  [inspect.custom](): string {
    return `<Coroutine ${this.#generator === null ? 'started' : 'not started'}>`;
  }
}

/** Whether a task can be made of `value`. asyncio: iscoroutine. */
export function isCoroutineLike(value: unknown): value is CoroutineLike<unknown> {
  return typeof value === 'function' || value instanceof Coroutine || isGenerator(value);
}

export function isGenerator(value: unknown): value is CoroutineGenerator<unknown> {
  const object = value as CoroutineGenerator<unknown> | null | undefined;
  return typeof object?.next === 'function' && typeof object.throw === 'function';
}

export function isAsyncFunction(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object AsyncFunction]';
}

export function isGeneratorFunction(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object GeneratorFunction]';
}

export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

/** Drops a coroutine that never started. A function leaves nothing to drop. */
export function closeCoroutine(coroutine: CoroutineLike<unknown>): void {
  if (coroutine instanceof Coroutine) coroutine.close();
  else if (isGenerator(coroutine)) coroutine.return(undefined);
}
