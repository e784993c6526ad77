// frame.ts: the places where a task can be suspended. A frame waits for one future and goes on when the loop runs its
// wake-up. An async function is suspended in a ThenableFrame for each `await`; a generator is one GeneratorFrame for its
// whole life. asyncio has one such place for each task; JavaScript may open several (`Promise.all`).

import { inspect } from 'node:util';

import { isInstance, RuntimeError } from '../base/errors';
import { textOf } from '../base/text';
import type { Awaited, Future } from './future';
import type { Task } from './task';

/** A generator that waits by yielding futures. */
export type CoroutineGenerator<T> = Generator<Awaited, T, unknown>;

/** What a handle is for, when it brings a context of its own and knows better than a function's name what it does. */
export abstract class HandleSubject {
  abstract call(argument: unknown): unknown;
  abstract describe(): string;
}

/** The callback of such handles: `loop.callSoon(callSubject, subject, argument)`. */
export function callSubject(subject: HandleSubject, argument: unknown): unknown {
  return subject.call(argument);
}

export abstract class Frame extends HandleSubject {
  /** What it waits for; null after a bare yield. */
  future: Future | null = null;

  constructor(readonly task: Task) {
    super();
  }

  /** Goes on: with `value` thrown in if `failed`, else with `value` as the result of what was awaited. */
  abstract resume(failed: boolean, value: unknown): void;

  /** The step of the task: the future that this frame waited for is done, or nothing was waited for. */
  call(future: Future | null): void {
    let failed = false;
    let value: unknown;
    if (future !== null) {
      try {
        value = future.result();
      } catch (error) {
        failed = true;
        value = error;
      }
    }
    this.task._step(this, failed, value);
  }

  override describe(): string {
    return `step of ${this.task.getName()}`;
  }
}

/** A step that tells the coroutine it did something wrong. */
export class MisuseStep extends HandleSubject {
  constructor(private readonly frame: Frame) {
    super();
  }

  call(misuse: unknown): void {
    this.frame.task._step(this.frame, true, misuse);
  }

  override describe(): string {
    return this.frame.describe();
  }
}

/** Suspended by `await thenable` in an async function. */
export class ThenableFrame extends Frame {
  constructor(
    task: Task,
    private readonly ok: (value: unknown) => void,
    private readonly fail: (reason: unknown) => void,
  ) {
    super(task);
  }

  resume(failed: boolean, value: unknown): void {
    if (failed) this.fail(value);
    else this.ok(value);
  }
}

/**
 * What a generator of the library yields to wait for an async function that it called itself: no future of its own, the
 * same step goes on by microtasks. asyncio's nested coroutines cost no iteration either (FUT-025).
 */
export class SameStep {
  constructor(readonly promise: PromiseLike<unknown>) {}
}

/** Drives a generator: step by step until it waits, and at its end tells `returned` or `threw`. */
export class GeneratorFrame<T> extends Frame {
  constructor(
    task: Task,
    readonly generator: CoroutineGenerator<T>,
    private readonly returned: (value: T) => void,
    private readonly threw: (reason: unknown) => void,
  ) {
    super(task);
  }

  resume(failed: boolean, value: unknown): void {
    this.task._context.runInAsyncScope(this.#advance, this, failed, value);
  }

  #advance(failed: boolean, value: unknown): void {
    let isOver: boolean;
    let result: unknown;
    try {
      const step = failed ? this.generator.throw(value) : this.generator.next(value);
      isOver = step.done === true;
      result = step.value;
    } catch (thrown) {
      this.threw(thrown);
      return;
    }
    if (isOver) this.returned(result as T);
    else if (isInstance(result, SameStep)) {
      result.promise.then(
        (outcome) => this.resume(false, outcome),
        (reason: unknown) => this.resume(true, reason),
      );
    } else this.task._block(result as Future | undefined, this);
  }
}

function isWaitable(value: unknown): boolean {
  try {
    return typeof (value as Future | null | undefined)?.addDoneCallback === 'function';
  } catch {
    return false;
  }
}

/** What is wrong with waiting for `value` in `task`, or null. */
export function misuseOf(value: unknown, task: Task): RuntimeError | null {
  const future = value as Future;
  if (!isWaitable(value)) {
    return new RuntimeError(
      `task ${task._name} yielded ${textOf(value, { depth: 0 })}, which is no future; wrap a promise with wrapPromise`,
      'ERR_BAD_YIELD',
    );
  }
  if (future.getLoop() !== task._loop) {
    return new RuntimeError(
      `task ${task._name} waits for ${inspect(future)}, which is attached to a different loop`,
      'ERR_DIFFERENT_LOOP',
    );
  }
  if (future === (task as Future)) {
    return new RuntimeError(`task ${task._name} cannot await itself`, 'ERR_AWAIT_SELF');
  }
  return null;
}
