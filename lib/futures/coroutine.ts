// coroutine.ts: what the multi-step verbs of the library return. Nothing has happened until it is awaited, as in Python;
// then it runs inside the task that awaits it, step by step in that task's own handles. `await` in an async function,
// `yield*` in a generator, `loop.createTask(...)` for one of its own.

import { inspect } from 'node:util';

import { RuntimeError } from '../base/errors';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { awaitingTask, getRunningLoop } from './current';
import { GeneratorFrame, type CoroutineGenerator } from './frame';

export class Coroutine<T> implements PromiseLike<T> {
  #generator: CoroutineGenerator<T> | null;

  /** @param loop the loop that runs it when it is awaited outside of any task; the running one if left out */
  constructor(
    generator: CoroutineGenerator<T>,
    private readonly loop: BaseEventLoop | null = null,
  ) {
    this.#generator = generator;
  }

  /**
   * The generator itself, for whoever drives it from here on.
   * @throws RuntimeError when asked twice: a coroutine runs once
   */
  _take(): CoroutineGenerator<T> {
    const generator = this.#generator;
    if (generator === null) throw new RuntimeError('cannot await the same coroutine twice', 'ERR_COROUTINE_REUSED');
    this.#generator = null;
    return generator;
  }

  [Symbol.iterator](): CoroutineGenerator<T> {
    return this._take();
  }

  then<R = T, E = never>(
    onFulfilled?: ((value: T) => R | PromiseLike<R>) | null,
    onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return new Promise<T>((resolve, reject) => {
      const loop = this.loop ?? getRunningLoop();
      const task = awaitingTask(loop);
      if (task === null) loop.createTask(this)._await(resolve as (value: unknown) => void, reject);
      else new GeneratorFrame<T>(task, this._take(), resolve, reject).resume(false, undefined);
    }).then(onFulfilled, onRejected);
  }

  /** Drops a coroutine that will not be run. */
  close(): void {
    this.#generator = null;
  }

  [inspect.custom](): string {
    return `<Coroutine ${this.#generator === null ? 'started' : 'not started'}>`;
  }
}
