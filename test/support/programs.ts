// programs.ts: one test body for both kinds of coroutine. A body is a generator that hands out what it awaits; it is run
// as an async function and as a generator coroutine, by every driver.

import type { Coroutine, CoroutineLike } from '../../lib/futures/coroutine';
import type { CoroutineGenerator } from '../../lib/futures/frame';
import type { Future } from '../../lib/futures/future';
import type { BaseEventLoop } from '../../lib/loop/base-event-loop';
import { driverNames, useLoop, type TestLoop } from './loops';

type Step = Future<unknown> | Coroutine<unknown>;
type Body<T, A extends unknown[]> = (...args: A) => Generator<Step, T, unknown>;

/** In a body: `yield* aw(future)` is `await future` or `yield* future`. */
export function* aw<T>(awaitable: Future<T> | Coroutine<T>): Generator<Step, T, unknown> {
  return (yield awaitable) as T;
}

/** Makes a coroutine function of a body. */
export type Program = <T, A extends unknown[]>(
  body: Body<T, A>,
) => (...args: A) => CoroutineGenerator<T> | PromiseLike<T>;

type Outcome = { value: unknown } | { error: unknown };

function goOn<T>(running: Generator<Step, T, unknown>, outcome: Outcome): IteratorResult<Step, T> {
  return 'error' in outcome ? running.throw(outcome.error) : running.next(outcome.value);
}

const asAsync: Program = (body) =>
  async function program(...args) {
    const running = body(...args);
    let step = running.next();
    while (step.done !== true) {
      let outcome: Outcome;
      try {
        outcome = { value: await step.value };
      } catch (error) {
        outcome = { error };
      }
      step = goOn(running, outcome);
    }
    return step.value;
  };

const asGenerator: Program = (body) =>
  function* program(...args) {
    const running = body(...args);
    let step = running.next();
    while (step.done !== true) {
      let outcome: Outcome;
      try {
        outcome = { value: yield* step.value };
      } catch (error) {
        outcome = { error };
      }
      step = goOn(running, outcome);
    }
    return step.value;
  };

export const kinds = { 'async function': asAsync, generator: asGenerator };

/** Declares `suite` for both kinds of coroutine with every driver. */
export function forEveryKind(
  title: string,
  suite: (subject: { readonly current: TestLoop }, program: Program) => void,
): void {
  for (const driver of driverNames) {
    for (const [kind, program] of Object.entries(kinds)) {
      describe(`${title}: ${kind}, ${driver}`, () => suite(useLoop(driver), program));
    }
  }
}

/** Counts the iterations of a loop from here on. */
export function countIterations(loop: BaseEventLoop): { readonly count: number } {
  const counter = { count: 0 };
  const runOnce = loop._runOnce;
  loop._runOnce = function (this: BaseEventLoop) {
    counter.count += 1;
    runOnce.call(this);
  };
  return counter;
}

/** The outcome of a future in one value, for comparisons. */
export function outcomeOf(future: Future<unknown>): unknown {
  if (!future.done()) return 'pending';
  try {
    return { result: future.result() };
  } catch (error) {
    return { error };
  }
}

/** A coroutine that never starts anything itself: for tests that need just some coroutine. */
export const nothing: CoroutineLike<void> = () => undefined;
