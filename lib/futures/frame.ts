// frame.ts: the places where a task can be suspended. A frame waits for one future and goes on when the loop runs its
// wake-up. An async function is suspended in a ThenableFrame for each `await`; a generator is one GeneratorFrame for its
// whole life. asyncio has one such place for each task; JavaScript may open several (`Promise.all`).

import { inspect } from 'node:util';

import { RuntimeError } from '../base/errors';
import type { Awaited, Future } from './future';
import type { Task } from './task';

/** A generator that waits by yielding futures. */
export type CoroutineGenerator<T> = Generator<Awaited, T, unknown>;

export abstract class Frame {
  /** What it waits for; null after a bare yield. */
  future: Future | null = null;

  constructor(readonly task: Task) {}

  /** Goes on: with `error` thrown in if `failed`, else with the result of the awaited future. */
  abstract resume(failed: boolean, error: unknown): void;
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

  resume(failed: boolean, error: unknown): void {
    if (failed) this.fail(error);
    else this.ok(this.future?._result);
  }
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

  resume(failed: boolean, error: unknown): void {
    let step: IteratorResult<Awaited, T>;
    try {
      step = failed ? this.generator.throw(error) : this.generator.next(this.future?._result);
    } catch (thrown) {
      this.threw(thrown);
      return;
    }
    if (step.done === true) this.returned(step.value);
    else this.task._block(step.value as Future | undefined, this);
  }
}

/** The handle of a task step: the future that `frame` waited for is done, or nothing was waited for. */
export function resumeFrame(frame: Frame, future: Future | null): void {
  let failed = false;
  let error: unknown;
  if (future !== null && (future._failed || future.cancelled())) {
    failed = true;
    future._deliver(
      () => undefined,
      (reason) => {
        error = reason;
      },
    );
  }
  frame.task._step(frame, failed, error);
}

/** The handle of a task step that tells the coroutine it did something wrong. */
export function throwIntoFrame(frame: Frame, error: unknown): void {
  frame.task._step(frame, true, error);
}

/** What is wrong with waiting for `value` in `task`, or null. */
export function misuseOf(value: unknown, task: Task): RuntimeError | null {
  const future = value as Future;
  if (typeof future?._addFrame !== 'function') {
    return new RuntimeError(
      `task ${task._name} yielded ${inspect(value, { depth: 0 })}, which is no future; wrap a promise with wrapPromise`,
      'ERR_BAD_YIELD',
    );
  }
  if (future._loop !== task._loop) {
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
