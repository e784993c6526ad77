// executor-worker.ts: what a thread of the pool runs, and what it and thread-pool.ts say to each other. The function below is
// sent to the thread as text, so that neither a bundler nor a test runner has to know of a second file: it must not use
// anything of this module but types.

import type * as urls from 'node:url';
import type * as threads from 'node:worker_threads';

import type { NativeBinding } from '../native/types';
import type { WakerHandle } from './waker';

/** A function as text, or where to find it. */
export type SentFunction = string | { readonly module: string; readonly name: string };

/** To the thread: a job; somebody else to wake when the present job is done; the end. */
export type Order =
  | { kind: 'job'; id: number; fn: SentFunction; args: readonly unknown[]; waker: WakerHandle | null }
  | { kind: 'notify'; waker: WakerHandle }
  | { kind: 'exit' };

/** An error, taken apart so that it can be copied. */
export interface SentError {
  className: string;
  message: string;
  stack: string;
  fields: Record<string, string | number>;
}

/** From the thread. `died` comes instead of a result if the thread ended in the middle of a job. */
export type Outcome =
  | { id: number; kind: 'value'; value: unknown }
  | { id: number; kind: 'error'; error: SentError }
  | { id: number; kind: 'thrown'; value: unknown }
  | { id: number; kind: 'died'; status: number };

export interface WorkerSetup {
  port: threads.MessagePort;
  addonFile: string;
}

type AnyFunction = (...args: unknown[]) => unknown;

/** The life of a thread: one job after the other. */
export function executorWorker(require: NodeJS.Require): void {
  const here = require('node:worker_threads') as typeof threads;
  const { port, addonFile } = here.workerData as WorkerSetup;
  const binding = require(addonFile) as NativeBinding;
  const orders = here.parentPort as threads.MessagePort;
  const compiled = new Map<string, AnyFunction>();
  let present: { id: number; waker: WakerHandle | null } | null = null;
  let alsoWake: WakerHandle[] = [];
  let isEnding = false;

  function wakeEveryone(waker: WakerHandle | null): void {
    for (const { fd, state } of waker === null ? alsoWake : [waker, ...alsoWake]) binding.wake(fd, state);
    alsoWake = [];
  }

  function take(error: unknown): SentError {
    const source = error as Error & Record<string, unknown>;
    const fields: Record<string, string | number> = {};
    for (const key of ['code', 'errno', 'syscall', 'address', 'port']) {
      const value = source[key];
      if (typeof value === 'string' || typeof value === 'number') fields[key] = value;
    }
    const name = String(source.name);
    const className = name === 'Error' ? source.constructor.name : name;
    return { className, message: String(source.message), stack: String(source.stack), fields };
  }

  function failure(id: number, error: unknown): Outcome {
    if (error instanceof Error) return { id, kind: 'error', error: take(error) };
    return { id, kind: 'thrown', value: error };
  }

  function notCloneable(id: number, what: string, reason: unknown): Outcome {
    const error = Object.assign(new TypeError(`${what} cannot be copied to another thread: ${String(reason)}`), {
      code: 'ERR_NOT_CLONEABLE',
    });
    return { id, kind: 'error', error: take(error) };
  }

  function post(outcome: Outcome): void {
    try {
      port.postMessage(outcome);
    } catch (reason) {
      const what = outcome.kind === 'value' ? 'the result' : 'what was thrown';
      port.postMessage(notCloneable(outcome.id, what, reason));
    }
  }

  async function load(fn: { module: string; name: string }): Promise<AnyFunction> {
    let found: Record<string, unknown>;
    try {
      found = require(fn.module) as Record<string, unknown>;
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_REQUIRE_ESM') throw error;
      const { pathToFileURL } = require('node:url') as typeof urls;
      // Written this way because a compiler would make a `require` of a plain import().
      // eslint-disable-next-line @typescript-eslint/no-implied-eval
      const importModule = new Function('url', 'return import(url)') as (url: string) => Promise<typeof found>;
      found = await importModule(pathToFileURL(fn.module).href);
    }
    const member = found[fn.name];
    if (typeof member === 'function') return member as AnyFunction;
    throw Object.assign(new TypeError(`${fn.module} exports no function ${fn.name}`), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
  }

  function compile(source: string): AnyFunction {
    let fn = compiled.get(source);
    if (fn === undefined) {
      // eslint-disable-next-line @typescript-eslint/no-implied-eval -- text is how a function comes here
      fn = (new Function('require', `return ${source}`) as (scope: NodeJS.Require) => AnyFunction)(require);
      compiled.set(source, fn);
    }
    return fn;
  }

  async function perform(order: Order & { kind: 'job' }): Promise<void> {
    const { id, fn, args, waker } = order;
    present = { id, waker };
    let outcome: Outcome;
    try {
      const callable = typeof fn === 'string' ? compile(fn) : await load(fn);
      let value = callable(...args);
      if (typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function') value = await value;
      outcome = { id, kind: 'value', value };
    } catch (error) {
      outcome = failure(id, error);
    }
    present = null;
    post(outcome);
    wakeEveryone(waker);
    if (isEnding) process.exit();
  }

  orders.on('message', (order: Order) => {
    if (order.kind === 'job') void perform(order);
    else if (order.kind === 'notify') {
      alsoWake.push(order.waker);
      if (present === null) wakeEveryone(null);
    } else {
      isEnding = true;
      if (present === null) process.exit();
    }
  });

  // process.exit() in a job, or an error that nobody caught: whoever waits for the job has to hear of it.
  process.on('exit', (status) => {
    if (present === null) return;
    post({ id: present.id, kind: 'died', status });
    wakeEveryone(present.waker);
  });
}
