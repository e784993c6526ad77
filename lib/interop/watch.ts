// watch.ts: any descriptor in three lines. One selector for each thread, which Node's own loop watches; what is ready is
// told by plain callbacks of Node's, outside of any event loop of ours. Who reads or writes, and who closes the
// descriptor, is not decided here.
//
//   watch(fd, 'r', callback) --> entry of fd: its watchers, one for r and one for w --> hub: selector --> host watch
//
// A priority event has a hub of its own, for a reason: some pseudo files (mountinfo, pressure) tell it once, to whoever
// polls first. That is Node's loop, when it looks whether our selector is ready; the selector has nothing to tell any more.
// But where it has one descriptor only, being called at all says what happened.
//
// A watcher is armed while it has somebody to tell: a callback that is not paused, or an iterator that was asked for more.
// The selector knows the armed ones only, so that readiness which nobody takes costs nothing.

import { AsyncResource } from 'node:async_hooks';
import { inspect } from 'node:util';

import { EVENT_PRI, EVENT_READ, EVENT_WRITE } from '../base/constants';
import { KeyError, NotImplementedError, type OSError, RuntimeError, typeError, ValueError } from '../base/errors';
import { drainMicrotasks } from '../base/microtasks';
import { watchSelector } from '../loop/host-watch';
import { binding } from '../native/binding';
import { check, errorFor } from '../native/check';
import type { NativeHostWatch } from '../native/types';
import type { NativeSelectorBase } from '../selectors/native-selector';
import { DefaultSelector } from '../selectors/selectors';
import { fdOf, type DescriptorOwner } from './node-handles';

/** What to wait for: 'r' for reading, 'w' for writing, 'p' for priority events, or several of them. */
export type WatchEvents = 'r' | 'w' | 'p' | 'rw' | 'rp' | 'wp' | 'rwp';

/**
 * Called each time that the descriptor is ready: with EVENT_READ, EVENT_WRITE, EVENT_PRI or several of them. Errors and
 * hang-ups are told as whichever of reading and writing is watched, and as 0 to who waits for priority alone.
 */
export type WatchCallback = (ready: number, watcher: Watcher) => unknown;

export interface WatchOptions {
  /** Closes the watcher when it is aborted; an iterator that waits then throws the signal's reason. */
  signal?: AbortSignal;
  /** Whether the watcher keeps the process alive while it is armed: yes if left out. */
  ref?: boolean;
  /** Begins paused. */
  paused?: boolean;
  /**
   * Told what the callback throws, or its promise rejects with, and of a descriptor that was closed under the watcher. Without
   * it the former is an 'uncaughtException' or an 'unhandledRejection', as with any callback of Node's.
   */
  onError?: (error: unknown, watcher: Watcher) => unknown;
}

const bits = [
  ['r', EVENT_READ],
  ['w', EVENT_WRITE],
  ['p', EVENT_PRI],
] as const;

// The letters may come in any order.
function parseEvents(events: unknown): number {
  if (typeof events !== 'string') throw typeError(`what to watch for is a string, not ${inspect(events)}`);
  let mask = 0;
  for (const [letter, bit] of bits) if (events.includes(letter)) mask |= bit;
  if (mask === 0 || lettersOf(mask).length !== events.length) {
    throw new ValueError(`what to watch for is 'r', 'w', 'p' or several of them, not ${inspect(events)}`);
  }
  return mask;
}

function lettersOf(mask: number): string {
  return bits.map(([letter, bit]) => ((mask & bit) !== 0 ? letter : '')).join('');
}

/** What the watchers are told of a descriptor that was closed under them. */
function closedUnderWatch(fd: number, cause: unknown): OSError {
  const detail = `descriptor ${fd} was closed while it was watched`;
  return Object.assign(errorFor(-binding.errnoByName.EBADF, 'watch', { detail }), { cause });
}

/** The watchers of one descriptor in one hub. No two of them wait for the same. */
interface Entry {
  readonly hub: Hub;
  readonly fd: number;
  /** Replaced when it changes, never changed. */
  watchers: readonly Watcher[];
  /** What the selector knows; 0 if it does not know the descriptor. */
  registered: number;
}

/** What watchers share: for reading and writing all those of a thread, for priority those of one descriptor. */
class Hub {
  readonly #selector: NativeSelectorBase = new DefaultSelector();
  readonly #hostWatch: NativeHostWatch;
  /** By descriptor. */
  readonly #entries: (Entry | undefined)[] = [];
  #entryCount = 0;
  /** Whose iterator was served, and may have been asked for more since. */
  readonly #served = new Set<Entry>();
  #registered = 0;
  #references = 0;
  #turn = 0;
  // A callback threw while others were due: they come first in the next turn.
  #cutShort = false;

  /** @param domain the bits that are watched here. @throws OSError (EMFILE) */
  constructor(readonly domain: number) {
    try {
      this.#hostWatch = watchSelector(this.#selector, () => this.#onReady());
    } catch (error) {
      this.#selector.close();
      throw error;
    }
    this.#hostWatch.unref();
  }

  /** @throws KeyError (ERR_ALREADY_REGISTERED), NotImplementedError, OSError */
  admit(watcher: Watcher): Entry {
    const { fd } = watcher;
    const mask = watcher._mask & this.domain;
    if ((mask & EVENT_PRI) !== 0 && !this.#selector.supports('priority')) {
      throw new NotImplementedError('priority events cannot be watched on this system', 'ERR_NO_PRIORITY');
    }
    const entry = this.#entries[fd] ?? { hub: this, fd, watchers: [], registered: 0 };
    for (const other of entry.watchers) {
      const both = other._mask & mask;
      if (both === 0) continue;
      throw new KeyError(`descriptor ${fd} is already watched for '${lettersOf(both)}'`, 'ERR_ALREADY_REGISTERED');
    }
    // Whether it can be watched is found out now, also for a watcher that is not armed yet.
    this.#register(entry, entry.registered | mask);
    entry.watchers = [...entry.watchers, watcher];
    if (this.#entries[fd] === undefined) this.#entryCount += 1;
    this.#entries[fd] = entry;
    if (this.domain === EVENT_PRI) priorityHubs.set(fd, this);
    return entry;
  }

  dismiss(entry: Entry, watcher: Watcher): void {
    entry.watchers = entry.watchers.filter((other) => other !== watcher);
    if (entry.watchers.length === 0) this.#forget(entry);
    this.update(entry);
    this.closeIfUnused();
  }

  /** The last watcher takes the hub with it, so that nothing is left open. */
  closeIfUnused(): void {
    if (this.#entryCount > 0) return;
    if (sharedHub === this) sharedHub = null;
    for (const [fd, hub] of priorityHubs) if (hub === this) priorityHubs.delete(fd);
    this.#hostWatch.close();
    this.#selector.close();
  }

  /** Makes the selector know the armed watchers. If the descriptor is gone, all of its watchers fail. */
  update(entry: Entry): void {
    let wanted = 0;
    for (const watcher of entry.watchers) if (watcher._isArmed()) wanted |= watcher._mask & this.domain;
    try {
      this.#register(entry, wanted);
    } catch (error) {
      const { code } = error as Partial<OSError>;
      this.#fail(entry, code === 'EBADF' || code === 'ENOENT' ? closedUnderWatch(entry.fd, error) : error);
    }
  }

  served(entry: Entry): void {
    this.#served.add(entry);
  }

  countReference(change: 1 | -1): void {
    const before = this.#references;
    this.#references += change;
    if (before === 0) this.#hostWatch.ref();
    else if (this.#references === 0) this.#hostWatch.unref();
  }

  /** The entry of a number whose descriptor was closed, and perhaps opened again, is of no use to anybody (FD-029). */
  dropStale(fd: number): void {
    const entry = this.#entries[fd];
    if (entry === undefined || entry.registered === 0) return;
    if (!this.#selector._forgetIfStale(this.#selector.getKey(fd))) return;
    this.#setRegistered(entry, 0);
    this.#fail(entry, closedUnderWatch(fd, undefined));
  }

  #register(entry: Entry, wanted: number): void {
    const { fd, registered } = entry;
    if (wanted === registered) return;
    try {
      if (wanted === 0) this.#selector.unregister(fd);
      else if (registered === 0) this.#selector.register(fd, wanted, entry);
      else this.#selector.modify(fd, wanted, entry);
    } catch (error) {
      // What the system refused to modify, the selector has forgotten.
      this.#setRegistered(entry, 0);
      throw error;
    }
    this.#setRegistered(entry, wanted);
  }

  #setRegistered(entry: Entry, mask: number): void {
    this.#registered += Number(mask !== 0) - Number(entry.registered !== 0);
    entry.registered = mask;
    if (this.#registered === 0) this.#hostWatch.disarm();
    else check(this.#hostWatch.arm(), 'host watch');
  }

  #fail(entry: Entry, error: unknown): void {
    this.#forget(entry);
    const { watchers } = entry;
    entry.watchers = [];
    for (const watcher of watchers) watcher._fail(error);
  }

  #forget(entry: Entry): void {
    if (this.#entries[entry.fd] !== entry) return;
    this.#entries[entry.fd] = undefined;
    this.#entryCount -= 1;
  }

  /** @returns whether the host goes on watching */
  #onReady(): boolean {
    try {
      this.#tellAll();
    } finally {
      if (this.#served.size > 0) this.#updateServed();
      // What a callback throws leaves here, and nothing is returned.
      if (this.#cutShort && this.#registered > 0) this.#hostWatch.arm();
    }
    return this.#registered > 0;
  }

  // Who is due is written down before the first of them is told: any callback may close any watcher, or watch the same
  // number anew, and who came after the look has not been told of anything yet.
  #tellAll(): void {
    const due: Due = { watchers: [], bits: [] };
    const wasCutShort = this.#cutShort;
    this.#cutShort = true;
    this.#look(due);
    if (wasCutShort) sortByTurn(due);
    this.#turn += 1;
    const { watchers, bits } = due;
    for (let index = 0; index < watchers.length; index++) {
      watchers[index]._tell(this, bits[index], this.#turn);
      // As between any two callbacks of Node's.
      drainMicrotasks();
    }
    this.#cutShort = false;
  }

  #look(due: Due): void {
    const { pairs, length } = this.#selector._select(0);
    const entries = this.#entries;
    for (let index = 0; index < length; index++) {
      const entry = entries[pairs[2 * index]];
      if (entry !== undefined) addDue(due, entry.watchers, pairs[2 * index + 1] & entry.registered);
    }
    if (due.watchers.length > 0 || this.domain !== EVENT_PRI) return;
    for (const { data } of this.#selector._keys.values()) addDue(due, (data as Entry).watchers, EVENT_PRI);
  }

  #updateServed(): void {
    for (const entry of this.#served) entry.hub.update(entry);
    for (const entry of this.#served) for (const watcher of entry.watchers) watcher._count();
    this.#served.clear();
  }
}

/** Who is to be told in a turn, and of what: two arrays, since pairs would be so many objects more. */
interface Due {
  readonly watchers: Watcher[];
  readonly bits: number[];
}

function addDue(due: Due, watchers: readonly Watcher[], bits: number): void {
  for (let index = 0; index < watchers.length; index++) {
    due.watchers.push(watchers[index]);
    due.bits.push(bits);
  }
}

/** Those who have not been told for longest come first. */
function sortByTurn({ watchers, bits }: Due): void {
  const bitsOf = new Map(watchers.map((watcher, index) => [watcher, bits[index]]));
  watchers.sort((first, second) => first._turn - second._turn);
  for (const [index, watcher] of watchers.entries()) bits[index] = bitsOf.get(watcher) as number;
}

let sharedHub: Hub | null = null;
const priorityHubs = new Map<number, Hub>();

/** The hubs that a watcher needs. */
function hubsFor(fd: number, mask: number): Hub[] {
  const hubs: Hub[] = [];
  // A hub whose last descriptor turns out to be stale closes itself.
  sharedHub?.dropStale(fd);
  if ((mask & (EVENT_READ | EVENT_WRITE)) !== 0) hubs.push((sharedHub ??= new Hub(EVENT_READ | EVENT_WRITE)));
  if ((mask & EVENT_PRI) === 0) return hubs;
  priorityHubs.get(fd)?.dropStale(fd);
  try {
    return [...hubs, priorityHubs.get(fd) ?? new Hub(EVENT_PRI)];
  } catch (error) {
    for (const hub of hubs) hub.closeIfUnused();
    throw error;
  }
}

interface Request {
  resolve(result: IteratorResult<number, undefined>): void;
  reject(error: unknown): void;
}

const DONE: IteratorResult<number, undefined> = { done: true, value: undefined };

/** Tells when a descriptor is ready: made by `watch`. Close it before its descriptor. */
export class Watcher implements AsyncIterable<number, undefined> {
  /** The watched descriptor. */
  readonly fd: number;
  /** @internal */ readonly _mask: number;
  /** The turn in which it was told last. @internal */ _turn = 0;
  readonly #entries: Entry[] = [];
  readonly #callback: WatchCallback | null;
  readonly #onError: WatchOptions['onError'];
  readonly #signal: AbortSignal | undefined;
  readonly #requests: Request[] = [];
  #context: AsyncResource | null = null;
  #closed = false;
  #paused: boolean;
  #referenced: boolean;
  #counted = false;
  #failure: { error: unknown } | null = null;

  /** @internal */
  constructor(fd: number, mask: number, callback: WatchCallback | null, options: WatchOptions) {
    this.fd = fd;
    this._mask = mask;
    this.#callback = callback;
    this.#onError = options.onError;
    this.#signal = options.signal;
    this.#paused = options.paused ?? false;
    this.#referenced = options.ref ?? true;
    this.#enter(hubsFor(fd, mask));
    this.#signal?.addEventListener('abort', this.#onAbort);
    if (callback !== null) this.#context = new AsyncResource('fdloop:Watcher');
    this.#changed();
  }

  /** Tells nothing until `resume`. May be called again. */
  pause(): this {
    this.#paused = true;
    return this.#changed();
  }

  /** Goes on. May be called again. @throws OSError (EBADF) if the descriptor was closed meanwhile; so is the watcher then */
  resume(): this {
    this.#paused = false;
    const wasOpen = !this.#closed;
    this.#changed();
    if (wasOpen && this.#failure !== null) throw this.#failure.error;
    return this;
  }

  isPaused(): boolean {
    return this.#paused;
  }

  /** Lets the watcher keep the process alive while it is armed, as it does at first. */
  ref(): this {
    this.#referenced = true;
    return this._count();
  }

  /** Lets the process end although the watcher is armed. */
  unref(): this {
    this.#referenced = false;
    return this._count();
  }

  hasRef(): boolean {
    return this.#referenced;
  }

  /** Ends the watching; the descriptor stays open. An iterator that waits comes to its end. May be called again. */
  close(): void {
    if (!this.#end()) return;
    for (const request of this.#requests.splice(0)) request.resolve(DONE);
  }

  closed(): boolean {
    return this.#closed;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Each readiness, of a watcher without a callback. The descriptor is watched only while a step is asked for, so a slow
   * consumer is not run over. Leaving the loop closes the watcher.
   * @throws RuntimeError (ERR_WATCHER_HAS_CALLBACK); in a step: the signal's reason, OSError (EBADF)
   */
  [Symbol.asyncIterator](): AsyncIterator<number, undefined> {
    if (this.#callback !== null) {
      throw new RuntimeError('a watcher with a callback has no iterator', 'ERR_WATCHER_HAS_CALLBACK');
    }
    return {
      next: () => this.#next(),
      return: () => {
        this.close();
        return Promise.resolve(DONE);
      },
    };
  }

  #next(): Promise<IteratorResult<number, undefined>> {
    const failure = this.#failure;
    if (failure !== null) {
      this.#failure = null;
      return Promise.reject(failure.error);
    }
    if (this.#closed) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#requests.push({ resolve, reject });
      this.#changed();
    });
  }

  /** @internal */
  _isArmed(): boolean {
    return !this.#closed && !this.#paused && (this.#callback !== null || this.#requests.length > 0);
  }

  /** @internal */
  _count(): this {
    const counts = this.#referenced && this._isArmed();
    if (counts !== this.#counted) {
      this.#counted = counts;
      for (const { hub } of this.#entries) hub.countReference(counts ? 1 : -1);
    }
    return this;
  }

  /** The descriptor has `ready`, which may be nothing that is of interest here. @internal */
  _tell(hub: Hub, ready: number, turn: number): void {
    this._turn = turn;
    const told = ready & this._mask;
    if ((told === 0 && ready !== 0) || !this._isArmed()) return;
    if (this.#callback !== null) {
      this.#call(this.#callback, told);
      return;
    }
    // It stays with the selector for now: most consumers ask for the next step at once.
    this.#requests.shift()?.resolve({ done: false, value: told });
    for (const entry of this.#entries) hub.served(entry);
  }

  #call(callback: WatchCallback, told: number): void {
    const context = this.#context as AsyncResource;
    const onError = this.#onError;
    if (onError === undefined) {
      context.runInAsyncScope(callback, undefined, told, this);
      return;
    }
    const report = (error: unknown): unknown => context.runInAsyncScope(onError, undefined, error, this);
    try {
      const result: unknown = context.runInAsyncScope(callback, undefined, told, this);
      if (result instanceof Promise) result.then(undefined, report);
    } catch (error) {
      report(error);
    }
  }

  /** The descriptor is of no use any more. @internal */
  _fail(error: unknown): void {
    const context = this.#context;
    const onError = this.#onError;
    if (this.#break(error) && onError !== undefined) context?.runInAsyncScope(onError, undefined, error, this);
  }

  readonly #onAbort = (): void => {
    this.#break(this.#signal?.reason);
  };

  /** Ends with an error for the iterator. @returns false if it has ended before */
  #break(error: unknown): boolean {
    if (!this.#end()) return false;
    const [first, ...others] = this.#requests.splice(0);
    if (first === undefined) this.#failure = { error };
    else first.reject(error);
    for (const request of others) request.resolve(DONE);
    return true;
  }

  #enter(hubs: readonly Hub[]): void {
    try {
      for (const hub of hubs) this.#entries.push(hub.admit(this));
    } catch (error) {
      for (const entry of this.#entries) entry.hub.dismiss(entry, this);
      for (const hub of hubs) hub.closeIfUnused();
      throw error;
    }
  }

  #changed(): this {
    for (const entry of this.#entries) if (!this.#closed) entry.hub.update(entry);
    return this._count();
  }

  #end(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this._count();
    for (const entry of this.#entries) entry.hub.dismiss(entry, this);
    this.#context?.emitDestroy();
    this.#context = null;
    return true;
  }

  [inspect.custom](): string {
    const state = this.#closed ? ' closed' : this.#paused ? ' paused' : '';
    return `<${this.constructor.name} fd=${this.fd} ${lettersOf(this._mask)}${state}>`;
  }
}

/**
 * Watches a descriptor of any kind beside Node's own: a pipe, a terminal, a socket, a device, an eventfd, an inotify, ...
 * Level-triggered: tells again and again until what is there was taken. Without a callback, `for await` the result.
 * @param target a number, an object with `fileno()`, or something of Node's that has a descriptor (see `fdOf`)
 * @throws TypeError, ValueError (also ERR_NO_DESCRIPTOR), KeyError (ERR_ALREADY_REGISTERED) if another watcher waits for the
 * same, OSError (EBADF; EPERM for a regular file or a directory), the signal's reason if it was aborted before
 */
export function watch(target: DescriptorOwner, events: WatchEvents, options?: WatchOptions): Watcher;
export function watch(
  target: DescriptorOwner,
  events: WatchEvents,
  callback?: WatchCallback | null,
  options?: WatchOptions,
): Watcher;
export function watch(
  target: DescriptorOwner,
  events: WatchEvents,
  callbackOrOptions: WatchCallback | WatchOptions | null = null,
  maybeOptions?: WatchOptions,
): Watcher {
  const isOptions = typeof callbackOrOptions === 'object' && callbackOrOptions !== null;
  const callback = isOptions ? null : callbackOrOptions;
  const options = (isOptions ? callbackOrOptions : maybeOptions) ?? {};
  if (callback !== null && typeof callback !== 'function') {
    throw typeError(`a watcher's callback is a function, not ${inspect(callback)}`);
  }
  if (options.onError !== undefined && typeof options.onError !== 'function') {
    throw typeError(`onError is a function, not ${inspect(options.onError)}`);
  }
  const mask = parseEvents(events);
  options.signal?.throwIfAborted();
  return new Watcher(fdOf(target), mask, callback, options);
}
