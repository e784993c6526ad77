// sendable.ts: what crosses from one thread to another: functions as text, arguments as copies, errors in pieces.

import { inspect } from 'node:util';
import * as vm from 'node:vm';

import * as errors from '../base/errors';
import { typeError } from '../base/errors';
import type { SentError, SentFunction } from './executor-worker';

/** A function that an export of a module is: `module` is an absolute path. */
export interface ModuleFunction {
  readonly module: string;
  readonly name: string;
}

/**
 * What an executor can run on another thread. A function is sent as its source text: it must not use any variable from
 * around it, and gets what it needs as arguments or by `require` (which it can use). An async one is awaited there.
 */
export type ExecutorFunction<A extends unknown[], R> = ((...args: A) => R | PromiseLike<R>) | ModuleFunction;

/** Makes a copy. @throws TypeError (ERR_NOT_CLONEABLE) @internal */
export function copied<T>(copy: () => T): T {
  try {
    return copy();
  } catch (error) {
    if ((error as Error).name !== 'DataCloneError') throw error;
    const reason = typeError(`an argument cannot be copied to another thread: ${(error as Error).message}`);
    throw Object.assign(reason, { code: 'ERR_NOT_CLONEABLE' });
  }
}

const sources = new WeakMap<object, string>();

/** @throws TypeError (ERR_INVALID_ARG_TYPE, ERR_FUNCTION_NOT_SENDABLE) @internal */
export function sendable(fn: unknown): SentFunction {
  if (typeof fn === 'object' && fn !== null) {
    const { module, name } = fn as Partial<ModuleFunction>;
    if (typeof module === 'string' && typeof name === 'string') return { module, name };
  }
  if (typeof fn !== 'function') {
    throw typeError(`an executor runs a function, or { module, name }, not ${inspect(fn, { depth: 0 })}`);
  }
  let source = sources.get(fn);
  if (source === undefined) {
    source = sourceOf(fn as (...args: never[]) => unknown);
    sources.set(fn, source);
  }
  return source;
}

const NATIVE = /\{\s*\[native code\]\s*\}\s*$/;

/** An expression whose value is the function. */
function sourceOf(fn: (...args: never[]) => unknown): string {
  const text = Function.prototype.toString.call(fn);
  if (!NATIVE.test(text) && !/^class\b/.test(text)) {
    // A method is no expression by itself, but it is one in an object.
    for (const source of [`(${text})`, `(Object.values({ ${text} })[0])`]) {
      try {
        new vm.Script(source);
        return source;
      } catch {
        // Not in this form.
      }
    }
  }
  const message =
    `${inspect(fn, { depth: 0 })} cannot be sent to another thread: bound and built-in functions and classes have no ` +
    'source text of their own. Give a function that is self-contained, or { module, name }';
  throw Object.assign(typeError(message), { code: 'ERR_FUNCTION_NOT_SENDABLE' });
}

const builtIn: Readonly<Record<string, unknown>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** An error of this thread that says the same as one of another. @internal */
export function remade({ className, message, stack, fields }: SentError): Error {
  const Class = builtIn[className] ?? (errors as Record<string, unknown>)[className];
  const isClass = typeof Class === 'function' && Class.prototype instanceof Error;
  // The constructors of our classes want other arguments: only the prototype is theirs.
  const error = Reflect.construct(Error, [message], isClass ? Class : Error) as Error;
  if (error.name !== className) Object.defineProperty(error, 'name', { value: className, configurable: true });
  Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
  return Object.assign(error, fields);
}
