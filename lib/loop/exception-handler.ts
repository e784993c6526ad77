// exception-handler.ts: what becomes of errors where nobody awaits. asyncio: BaseEventLoop.set_exception_handler,
// call_exception_handler, default_exception_handler.

import type { AsyncResource } from 'node:async_hooks';
import { inspect } from 'node:util';

import { isFatal, typeError } from '../base/errors';
import { logger } from '../base/log';
import { textOf } from '../base/text';
import type { BaseEventLoop } from './base-event-loop';
import type { Handle } from './handle';

/** What the exception handler is told. `message` is always there. */
export interface ExceptionContext {
  message?: string;
  exception?: unknown;
  future?: unknown;
  task?: unknown;
  handle?: unknown;
  protocol?: unknown;
  transport?: unknown;
  socket?: unknown;
  sourceTraceback?: string;
  [key: string]: unknown;
}

export type ExceptionHandler = (loop: BaseEventLoop, context: ExceptionContext) => unknown;

/** The handler of one loop; without one, the loop's default handler is called. */
export class ExceptionReports {
  #handler: ExceptionHandler | null = null;

  constructor(private readonly loop: BaseEventLoop) {}

  get handler(): ExceptionHandler | null {
    return this.#handler;
  }

  /** @throws TypeError for what is neither a function nor null */
  set handler(handler: ExceptionHandler | null) {
    if (handler !== null && typeof handler !== 'function') {
      throw typeError(`an exception handler is a function or null, not ${inspect(handler)}`);
    }
    this.#handler = handler;
  }

  /** Tells the handler, in the asynchronous context of the task, future or handle that the error is about. */
  report(context: ExceptionContext): void {
    const handler = this.#handler;
    if (handler === null) {
      this.#callDefault(context);
      return;
    }
    const subject = (context.task ?? context.future ?? context.handle) as { getContext?(): AsyncResource | null };
    const carried = subject?.getContext?.() ?? null;
    try {
      if (carried === null) handler(this.loop, context);
      else carried.runInAsyncScope(handler, undefined, this.loop, context);
    } catch (error) {
      if (isFatal(error)) throw error;
      this.#callDefault({ message: 'Unhandled error in exception handler', exception: error, context });
    }
  }

  // The loop's own method, which a user may have replaced.
  #callDefault(context: ExceptionContext): void {
    try {
      this.loop.defaultExceptionHandler(context);
    } catch (error) {
      if (isFatal(error)) throw error;
      logger.error('Exception in default exception handler', error);
    }
  }
}

/**
 * Logs one error: the message, then the other keys in order.
 * @param current the handle that is running, in debug mode
 */
export function logException(context: ExceptionContext, current: Handle | null): void {
  const shown: ExceptionContext = { ...context };
  if (shown.sourceTraceback === undefined && current !== null && current._sourceTraceback !== null) {
    shown.handleTraceback = current._sourceTraceback;
  }
  const message =
    shown.message === undefined || shown.message === '' ? 'Unhandled exception in event loop' : shown.message;
  const lines = Object.keys(shown)
    .filter((key) => key !== 'message' && key !== 'exception')
    .sort()
    .map((key) => {
      const value = shown[key];
      return `${key}: ${typeof value === 'string' ? value : textOf(value, { depth: 1 })}`;
    });
  logger.error([message, ...lines].join('\n'), shown.exception);
}
