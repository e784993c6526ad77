// handle.ts: one call that the loop owes. asyncio: events.Handle, TimerHandle.

import type { AsyncResource } from 'node:async_hooks';
import { inspect } from 'node:util';

import { creationSite, firstLine } from '../base/creation-site';
import { isFatal, isInstance } from '../base/errors';
import { nameOf, textOf } from '../base/text';
import type { Seconds } from '../base/constants';
import { captureContext } from '../futures/context';
import { callSubject, HandleSubject } from '../futures/frame';
import type { BaseEventLoop } from './base-event-loop';

/** Any function that the loop can call. */
export type Callback = (...args: never[]) => unknown;

/** A scheduled call. A handle of a watched descriptor is queued again each time the descriptor is ready. */
export class Handle {
  /** null once cancelled. @internal */
  _callback: Callback | null;
  /** @internal */ _args: readonly unknown[] | null;
  /** @internal */ _loop: BaseEventLoop;
  /** @internal */ _cancelled = false;
  /** Where it was made; only in debug mode. @internal */
  _sourceTraceback: string | null = null;
  /** null for a call that brings its own context, as a task step does. @internal */
  readonly _context: AsyncResource | null;
  /** What `inspect` showed when it was cancelled; only in debug mode. @internal */
  _repr: string | null = null;

  constructor(callback: Callback, args: readonly unknown[], loop: BaseEventLoop) {
    this._context = callback === callSubject ? null : captureContext();
    this._callback = callback;
    this._args = args;
    this._loop = loop;
    if (loop._debug) this._sourceTraceback = creationSite();
  }

  /** Keeps the call from being made. May be called again. */
  cancel(): void {
    if (this._cancelled) return;
    this._cancelled = true;
    // The log can still name what was cancelled, though the references are gone.
    if (this._loop.getDebug()) this._repr = inspect(this);
    this._callback = null;
    this._args = null;
  }

  cancelled(): boolean {
    return this._cancelled;
  }

  /** The asynchronous context of the call: a copy of the one in which the handle was made. */
  getContext(): AsyncResource | null {
    return this._context;
  }

  /** Makes the call. What it throws goes to the loop's exception handler; only the fatal pair gets out. @internal */
  _run(): void {
    const callback = this._callback as (...args: unknown[]) => unknown;
    const args = this._args as readonly unknown[];
    const context = this._context;
    try {
      let result: unknown;
      // Nearly all calls have two arguments at the most; spreading an array costs more than the call.
      if (context !== null) {
        if (args.length === 0) result = context.runInAsyncScope(callback);
        else if (args.length === 1) result = context.runInAsyncScope(callback, undefined, args[0]);
        else if (args.length === 2) result = context.runInAsyncScope(callback, undefined, args[0], args[1]);
        else result = context.runInAsyncScope(callback, undefined, ...args);
      } else if (args.length === 2) result = callback(args[0], args[1]);
      else result = callback(...args);
      // An async callback fails later, but not unseen.
      if (result instanceof Promise) result.then(undefined, (error: unknown) => this._reportLate(error));
    } catch (error) {
      this._report(error);
    }
  }

  /** @internal */
  _report(error: unknown): void {
    if (isFatal(error)) throw error;
    const context: Record<string, unknown> = {
      message: `Exception in callback ${this._describe()}`,
      exception: error,
      handle: this,
    };
    if (this._sourceTraceback !== null) context.sourceTraceback = this._sourceTraceback;
    this._loop.callExceptionHandler(context);
  }

  /** @internal */
  _reportLate(error: unknown): void {
    try {
      this._report(error);
    } catch (fatal) {
      this._loop._run.escape(fatal);
    }
  }

  /** The call as text; arguments are shown in debug mode only. @internal */
  _describe(): string {
    const callback = this._callback;
    if (callback === null) return 'None()';
    const args = this._args ?? [];
    if (isInstance(args[0], HandleSubject)) return args[0].describe();
    const shown = this._loop.getDebug() ? args.map((arg) => textOf(arg, { depth: 0 })).join(', ') : '';
    return `${nameOf(callback)}(${shown})`;
  }

  /** @internal */
  _reprInfo(): string[] {
    const info: string[] = [];
    if (this._cancelled) info.push('cancelled');
    if (this._callback !== null) info.push(this._describe());
    if (this._sourceTraceback !== null) info.push(`created ${firstLine(this._sourceTraceback)}`);
    return info;
  }

  [inspect.custom](): string {
    return this._repr ?? `<${[this.constructor.name, ...this._reprInfo()].join(' ')}>`;
  }
}

/** A call at a certain time. */
export class TimerHandle extends Handle {
  /** @internal */ readonly _when: Seconds;
  /** Whether it is in the loop's heap. @internal */
  _scheduled = false;

  constructor(when: Seconds, callback: Callback, args: readonly unknown[], loop: BaseEventLoop) {
    super(callback, args, loop);
    this._when = when;
  }

  /** The time of the call, on the loop's clock. */
  when(): Seconds {
    return this._when;
  }

  override cancel(): void {
    // The loop hears of it first, and only once.
    if (!this._cancelled) this._loop._timerHandleCancelled(this);
    super.cancel();
  }

  /** @internal */
  override _reprInfo(): string[] {
    const info = super._reprInfo();
    info.splice(this._cancelled ? 1 : 0, 0, `when=${this._when}`);
    return info;
  }
}
