// strange.ts: values that a callback may throw or return, and that cannot be looked at without care.

import { inspect } from 'node:util';

function fail(): never {
  throw new Error('it was looked at');
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Each is made anew. */
export const strangeValues: readonly (readonly [name: string, make: () => unknown])[] = [
  ['null', () => null],
  ['a symbol', () => Symbol('strange')],
  ['an object without a prototype', () => Object.create(null) as unknown],
  ['a proxy whose target is gone', revoked],
  ['a proxy without a prototype to ask for', () => new Proxy({}, { getPrototypeOf: fail })],
  ['an error that has no text', () => Object.assign(new Error(), { toString: fail, [inspect.custom]: fail })],
  ['an error that has no stack', () => Object.defineProperty(new Error(), 'stack', { get: fail })],
  ['a class with a name that is none', () => Object.defineProperty(class {}, 'name', { get: fail })],
];
