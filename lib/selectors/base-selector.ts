// base-selector.ts: what every selector promises. asyncio: selectors.BaseSelector, SelectorKey, _SelectorMapping.
//
// A selector watches descriptors and tells which are ready. It is level-triggered: the same readiness is reported by
// every `select` until it is used up. Reported bits are limited to the registered ones, errors and hang-ups wake
// whichever direction is registered. Not guaranteed: the order of the entries, which is the kernel's own, and that a
// descriptor closed behind the selector's back is noticed.

import { KeyError, RuntimeError } from '../base/errors';
import type { Seconds } from '../base/constants';
import { toFd, type FileObject } from './file-object';

/** What is registered for one descriptor: a record that never changes. asyncio: SelectorKey. */
export class SelectorKey<D = unknown> {
  constructor(
    /** The object or number that was registered. */
    readonly fileobj: FileObject,
    /** Its descriptor. */
    readonly fd: number,
    /** EVENT_READ, EVENT_WRITE or both; with a selector that supports more, also EVENT_PRI, EVENT_EDGE, EVENT_ONESHOT. */
    readonly events: number,
    /** Whatever the caller wants to find again; null if nothing was given. */
    readonly data: D,
  ) {
    Object.freeze(this);
  }

  /** Whether the four fields are equal. */
  equals(other: SelectorKey): boolean {
    return (
      this.fileobj === other.fileobj && this.fd === other.fd && this.events === other.events && this.data === other.data
    );
  }
}

/** One ready descriptor: its key and the bits that are ready. */
export type ReadyEntry = [key: SelectorKey, events: number];

/** The flags that not every selector has: EVENT_PRI, EVENT_EDGE, EVENT_ONESHOT. */
export type SelectorFlag = 'priority' | 'edge' | 'oneshot';

/** The contract of selectors. A loop takes any object that has these methods. */
export abstract class BaseSelector {
  /**
   * Starts watching.
   * @param events EVENT_READ, EVENT_WRITE or both; the bits of flags that the selector `supports`
   * @throws ValueError for a bad mask or file object, KeyError (ERR_ALREADY_REGISTERED) if its descriptor is known,
   * PermissionError for a regular file or a directory, OSError
   */
  abstract register(fileobj: FileObject, events: number, data?: unknown): SelectorKey;

  /**
   * Stops watching; works for a descriptor that was closed in the meantime, too.
   * @throws KeyError (ERR_NOT_REGISTERED), ValueError
   */
  abstract unregister(fileobj: FileObject): SelectorKey;

  /**
   * Changes mask and data. Data that is left out becomes null.
   * @throws KeyError (ERR_NOT_REGISTERED), ValueError, OSError
   */
  modify(fileobj: FileObject, events: number, data: unknown = null): SelectorKey {
    this.unregister(fileobj);
    return this.register(fileobj, events, data);
  }

  /**
   * Waits until something is ready.
   * @param timeout seconds; null waits without limit, zero or less only looks
   * @returns the ready keys, each with its ready bits; empty after the timeout
   */
  abstract select(timeout?: Seconds | null): ReadyEntry[];

  /** Whether `register` and `modify` take the bit of a flag outside of asyncio's contract. */
  supports(_flag: SelectorFlag): boolean {
    return false;
  }

  /** Releases the selector. May be called again. */
  close(): void {
    // Nothing to release here.
  }

  /**
   * The key of a registered file object.
   * @throws KeyError if it is not registered, RuntimeError (ERR_SELECTOR_CLOSED) after close, ValueError
   */
  getKey(fileobj: FileObject): SelectorKey {
    const map = this.getMap();
    if (map === null) throw new RuntimeError('the selector is closed', 'ERR_SELECTOR_CLOSED');
    return map.lookup(fileobj);
  }

  /** A live read-only view of what is registered; null after close. */
  abstract getMap(): SelectorMap | null;

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Registered keys by descriptor or file object: a live view without mutators. asyncio: _SelectorMapping. */
export class SelectorMap implements Iterable<number> {
  readonly #keys: ReadonlyMap<number, SelectorKey>;
  readonly #lookup: (fileobj: FileObject) => number;

  constructor(keys: ReadonlyMap<number, SelectorKey>, lookup: (fileobj: FileObject) => number) {
    this.#keys = keys;
    this.#lookup = lookup;
  }

  /** The number of registered descriptors. */
  get size(): number {
    return this.#keys.size;
  }

  /** @throws KeyError (ERR_NOT_REGISTERED), ValueError for an invalid file object */
  lookup(fileobj: FileObject): SelectorKey {
    const key = this.get(fileobj);
    if (key === undefined) throw notRegistered(fileobj);
    return key;
  }

  /** The key, or undefined if the descriptor is unknown. @throws ValueError for an invalid file object */
  get(fileobj: FileObject): SelectorKey | undefined {
    return this.#keys.get(this.#lookup(fileobj));
  }

  /** @throws ValueError for an invalid file object: it is no question that has an answer */
  has(fileobj: FileObject): boolean {
    return this.get(fileobj) !== undefined;
  }

  /** The registered descriptors. */
  keys(): IterableIterator<number> {
    return this.#keys.keys();
  }

  values(): IterableIterator<SelectorKey> {
    return this.#keys.values();
  }

  [Symbol.iterator](): IterableIterator<number> {
    return this.#keys.keys();
  }
}

/** @internal */
export function notRegistered(fileobj: FileObject): KeyError {
  return new KeyError(`${describe(fileobj)} is not registered`, 'ERR_NOT_REGISTERED');
}

/** A file object in a message. @internal */
export function describe(fileobj: FileObject): string {
  return typeof fileobj === 'number' ? `descriptor ${fileobj}` : `a ${fileobj.constructor?.name ?? 'file object'}`;
}

/** The descriptor of a file object; of one that can tell none any more, the one it was registered with (SEL-014). @internal */
export function lookupFd(keys: ReadonlyMap<number, SelectorKey>, fileobj: FileObject): number {
  try {
    return toFd(fileobj);
  } catch (error) {
    for (const key of keys.values()) if (key.fileobj === fileobj) return key.fd;
    throw error;
  }
}
