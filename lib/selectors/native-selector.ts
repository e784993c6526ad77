// native-selector.ts: the book-keeping that the selectors over native leaves share. asyncio: _BaseSelectorImpl and
// _PollLikeSelector. Which system call waits is the leaf's business.

import { inspect } from 'node:util';

import { checkMayBlock } from '../base/blocking';
import { EVENT_EDGE, EVENT_ONESHOT, EVENT_PRI, EVENT_READ, EVENT_WRITE, type Seconds } from '../base/constants';
import { KeyError, NotImplementedError, typeError, ValueError } from '../base/errors';
import { binding } from '../native/binding';
import { errnoName, errorFor } from '../native/check';
import type { NativeSelector } from '../native/types';
import {
  BaseSelector,
  describe,
  lookupFd,
  notRegistered,
  type SelectorFlag,
  SelectorKey,
  SelectorMap,
  type ReadyEntry,
} from './base-selector';
import type { FileObject } from './file-object';

/** The result of one wait, as native left it: pairs (fd, bits). Overwritten by the next wait. */
export class ReadyPairs {
  readonly keys: ReadonlyMap<number, SelectorKey>;
  pairs = new Int32Array(2 * 64);
  /** What native fills, the memory of `pairs`: finding it from the view would cost a call for each wait. */
  memory = this.pairs.buffer;
  length = 0;

  constructor(keys: ReadonlyMap<number, SelectorKey>) {
    this.keys = keys;
  }

  /** Makes room for as many descriptors. */
  grow(most: number): void {
    this.pairs = new Int32Array(4 * most);
    this.memory = this.pairs.buffer;
  }

  toArray(): ReadyEntry[] {
    const { keys, pairs, length } = this;
    const entries: ReadyEntry[] = [];
    for (let index = 0; index < length; index++) {
      const key = keys.get(pairs[2 * index]);
      // A descriptor that the kernel reports and nobody registered is skipped (SEL-036).
      if (key !== undefined) entries.push([key, pairs[2 * index + 1] & key.events]);
    }
    return entries;
  }
}

/** Nanoseconds for the native wait, rounded up so that a deadline is never met early; -1 for no limit. */
function toNanoseconds(timeout: Seconds | null): number {
  if (timeout === null) return -1;
  if (typeof timeout !== 'number') {
    throw typeError(`a timeout is a number of seconds or null, not ${inspect(timeout)}`);
  }
  if (Number.isNaN(timeout)) throw new ValueError('a timeout must not be NaN');
  if (!(timeout > 0)) return 0;
  return Math.min(Math.ceil(timeout * 1e9), Number.MAX_SAFE_INTEGER);
}

const READINESS = EVENT_READ | EVENT_WRITE | EVENT_PRI;
const KNOWN_BITS = READINESS | EVENT_EDGE | EVENT_ONESHOT;

const flagBits: Readonly<Record<SelectorFlag, number>> = {
  priority: EVENT_PRI,
  edge: EVENT_EDGE,
  oneshot: EVENT_ONESHOT,
};

/** A selector over one native facility. */
export abstract class NativeSelectorBase extends BaseSelector {
  /** @internal */ readonly _native: NativeSelector;
  /** @internal */ readonly _keys = new Map<number, SelectorKey>();
  /** Lets `select` wait in Electron's main process and renderers, which refuse it otherwise. */
  allowBlocking = false;
  readonly #ready = new ReadyPairs(this._keys);
  readonly #map = new SelectorMap(this._keys, (fileobj) => lookupFd(this._keys, fileobj));
  readonly #validBits: number;
  readonly #number: number;
  #closed = false;

  /**
   * @param flags the bits that the facility has beyond reading and writing
   * @throws NotImplementedError if the facility is not part of this build, OSError if the system refuses it
   */
  constructor(name: string, flags = 0) {
    super();
    this.#validBits = EVENT_READ | EVENT_WRITE | flags;
    if (!binding.selectorNames.includes(name)) {
      throw new NotImplementedError(`this build has no ${name} selector`, 'ERR_NO_SELECTOR');
    }
    const native = binding.createSelector(name);
    if (typeof native === 'number') throw errorFor(native, name);
    this._native = native;
    this.#number = native.number;
  }

  register(fileobj: FileObject, events: number, data: unknown = null): SelectorKey {
    if (!this._isValid(events)) throw this.#invalidEvents(events);
    const fd = lookupFd(this._keys, fileobj);
    if (this._keys.has(fd)) {
      throw new KeyError(`${describe(fileobj)} (descriptor ${fd}) is already registered`, 'ERR_ALREADY_REGISTERED');
    }
    this._checkOpen();
    // The key is recorded only when the system agreed; nobody can look in between.
    const result = binding.addTo(this.#number, fd, events);
    if (result < 0) throw this.#refusal(result, 'register', fd);
    const key = new SelectorKey(fileobj, fd, events, data);
    this._keys.set(fd, key);
    return key;
  }

  unregister(fileobj: FileObject): SelectorKey {
    const key = this._known(fileobj);
    this._keys.delete(key.fd);
    // The system's refusal is ignored: the descriptor may have been closed, which removed it there.
    binding.removeFrom(this.#number, key.fd);
    return key;
  }

  override modify(fileobj: FileObject, events: number, data: unknown = null): SelectorKey {
    const key = this._known(fileobj);
    // A one-shot registration that has fired is armed again by the system alone.
    if (events !== key.events || (events & EVENT_ONESHOT) !== 0) {
      return this._modifyEvents(key, fileobj, events, data);
    }
    if (key.data === data) return key;
    return this._replace(key, events, data);
  }

  /**
   * Waits until something is ready.
   * @param timeout seconds; null waits without limit, zero or less only looks
   * @throws RuntimeError (ERR_BLOCKING_REFUSED) for a wait in Electron's main process or a renderer, unless `allowBlocking`
   */
  select(timeout: Seconds | null = null): ReadyEntry[] {
    if (timeout === null || timeout > 0) checkMayBlock('select() with a wait', this.allowBlocking);
    return this._select(timeout).toArray();
  }

  /** As `select`, without an object for each entry. The result is overwritten by the next call. @internal */
  _select(timeout: Seconds | null): ReadyPairs {
    this._checkOpen();
    const ready = this.#ready;
    const most = Math.max(this._keys.size, 1);
    if (ready.pairs.length < 2 * most) ready.grow(most);
    const count = binding.waitFor(this.#number, toNanoseconds(timeout), ready.memory, most);
    ready.length = count > 0 ? count : 0;
    if (count < 0) throw errorFor(count, `${this._native.name} wait`);
    return ready;
  }

  override supports(flag: SelectorFlag): boolean {
    return (this.#validBits & flagBits[flag]) !== 0;
  }

  override close(): void {
    this.#closed = true;
    this._keys.clear();
    this._native.close();
  }

  getMap(): SelectorMap | null {
    return this.#closed ? null : this.#map;
  }

  [inspect.custom](): string {
    return `<${this.constructor.name} ${this.#closed ? 'closed' : `registered=${this._keys.size}`}>`;
  }

  /**
   * Changes the mask in one step; a refusal of the system drops the key (SEL-022). Bits that mean nothing are kept and ignored
   * (SEL-023); flags that this selector does not have are refused, and change nothing. @internal
   */
  _modifyEvents(key: SelectorKey, _fileobj: FileObject, events: number, data: unknown): SelectorKey {
    const isForeign = Number.isInteger(events) && (events & ~KNOWN_BITS) !== 0;
    if (!isForeign && (events & ~this.#validBits) !== 0) throw this.#invalidEvents(events);
    const mask = isForeign ? events & (EVENT_READ | EVENT_WRITE) : events;
    const result = binding.modifyIn(this.#number, key.fd, mask);
    if (result < 0) {
      this._keys.delete(key.fd);
      throw this.#refusal(result, 'modify', key.fd);
    }
    return this._replace(key, events, data);
  }

  /**
   * Forgets a key whose descriptor was closed and whose number was used again: the system does not know it any more.
   * @returns whether it was so
   * @internal
   */
  _forgetIfStale(key: SelectorKey): boolean {
    if (binding.modifyIn(this.#number, key.fd, key.events) >= 0) return false;
    this._keys.delete(key.fd);
    return true;
  }

  #invalidEvents(events: unknown): ValueError {
    const lacking = (Object.keys(flagBits) as SelectorFlag[]).filter(
      (flag) => typeof events === 'number' && (events & flagBits[flag]) !== 0 && !this.supports(flag),
    );
    const isOurs = typeof events === 'number' && (events & ~KNOWN_BITS) === 0 && lacking.length > 0;
    const reason = isOurs ? ` (${this._native.name} does not support '${lacking.join("', '")}')` : '';
    return new ValueError(`invalid events: ${inspect(events)}${reason}`, 'ERR_INVALID_EVENTS');
  }

  #refusal(result: number, verb: string, fd: number): Error {
    const code = errnoName(result);
    const isAlwaysReady = code === 'EPERM';
    const reason = isAlwaysReady
      ? ' is always ready, as regular files and directories are, and cannot be watched'
      : this._refusalAdvice(code);
    return errorFor(result, `${this._native.name} ${verb}`, { detail: `descriptor ${fd}${reason}` });
  }

  /** Whether this selector can be asked for these bits. @internal */
  _isValid(events: number): boolean {
    return events === (events | 0) && (events & ~this.#validBits) === 0 && (events & READINESS) !== 0;
  }

  /** What to say of a descriptor that the system refuses with this code; begins with a space. @internal */
  _refusalAdvice(_code: string): string {
    return '';
  }

  /** @internal */
  _replace(key: SelectorKey, events: number, data: unknown): SelectorKey {
    const replaced = new SelectorKey(key.fileobj, key.fd, events, data);
    this._keys.set(key.fd, replaced);
    return replaced;
  }

  /** @internal */
  _known(fileobj: FileObject): SelectorKey {
    const key = this._keys.get(lookupFd(this._keys, fileobj));
    if (key === undefined) throw notRegistered(fileobj);
    return key;
  }

  /** @internal */
  _checkOpen(): void {
    if (this.#closed) {
      throw new ValueError(`operation on a closed ${this._native.name} selector`, 'ERR_SELECTOR_CLOSED');
    }
  }
}
