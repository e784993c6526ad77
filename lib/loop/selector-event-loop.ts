// selector-event-loop.ts: turns readiness into handle runs. asyncio: selector_events.BaseSelectorEventLoop: readers,
// writers and the self-pipe. What signals do is in signals.ts, the verbs that users call on top of it are in event-loop.ts.

import { inspect } from 'node:util';

import { EVENT_READ, EVENT_WRITE } from '../base/constants';
import { FileNotFoundError, isWouldBlock, OSError, RuntimeError, typeError } from '../base/errors';
import { logger } from '../base/log';
import type { Coroutine } from '../futures/coroutine';
import type { Future } from '../futures/future';
import type { NativeSelector } from '../native/types';
import type { SelectorKey } from '../selectors/base-selector';
import { toFdOrNegative, type FileObject } from '../selectors/file-object';
import { NativeSelectorBase, ReadyPairs } from '../selectors/native-selector';
import { DefaultSelector } from '../selectors/selectors';
import type { Address } from '../sockets/address';
import type { AddressInfo, Host, Port, ResolveOptions } from '../sockets/numeric-address';
import { socketpair, type Socket } from '../sockets/socket';
import type { DatagramSocketLike, SocketLike } from '../sockets/socket-io';
import type { SelectorDatagramTransport } from '../transports/datagram-transport';
import type { BaseProtocol, DatagramProtocol } from '../transports/protocol';
import type { Attachable } from '../transports/selector-transport';
import type { SelectorSocketTransport } from '../transports/socket-transport';
import { BaseEventLoop } from './base-event-loop';
import { Handle, type Callback } from './handle';
import { checkHostWatch } from './host-watch';
import type { LoopOptions } from './loop-options';
import type { ReadyList, SelectorLike } from './ready';
import { SignalHandlers, type SignalWatches } from './signals';
import { closeAbandoned, TransportMap } from './transport-map';
import { closeWakeEnd, type OutsideSource, type WakerHandle } from './waker';

const SELF_PIPE_CHUNK = 4096;
const WAKE_UP_BYTE = new Uint8Array(1);

/** What the loop keeps with a key: the handles of the reader and of the writer. */
type Watchers = readonly [reader: Handle | null, writer: Handle | null];

const NOBODY: Watchers = [null, null];

export interface SelectorLoopOptions extends LoopOptions {
  /** The selector to wait on, any object with a selector's methods; the best one of the system if left out. */
  selector?: SelectorLike;
}

// A loop that is dropped while it is open: what the system gave it is given back (LOOP-061). Nothing kept here may lead to
// the loop, or it would never be dropped: the selector's keys do, its native half does not.
interface Leftovers {
  sockets: Socket[];
  /** Those of the transports that the loop kept. */
  transports: readonly (SocketLike | undefined)[];
  native: NativeSelector | null;
  signals: SignalWatches;
  wakeEnds: Set<WakerHandle>;
}

const abandoned = new FinalizationRegistry<Leftovers>(({ sockets, transports, native, signals, wakeEnds }) => {
  process.emitWarning('unclosed event loop: its selector and its self-pipe are closed now', 'ResourceWarning');
  signals.close();
  for (const handle of wakeEnds) closeWakeEnd(wakeEnds, handle);
  for (const socket of sockets) socket.close();
  for (const socket of transports) if (socket !== undefined) closeAbandoned(socket);
  native?.close();
});

export abstract class BaseSelectorEventLoop extends BaseEventLoop {
  /** @internal */ _selector: SelectorLike | null;
  /** Who owns a descriptor: an entry goes when the connection is lost. @internal */
  readonly _transports = new TransportMap();
  /** @internal */ _internalFds = 0;
  /** @internal */ _ssock: Socket | null = null;
  /** @internal */ _csock: Socket | null = null;
  /** Who has work on other threads. @internal */
  readonly _outsideSources = new Set<OutsideSource>();
  /** What other threads wake it by. @internal */
  readonly _wakeEnds = new Set<WakerHandle>();
  /** @internal */ readonly _signals: SignalHandlers;

  constructor(options: SelectorLoopOptions = {}) {
    super(options);
    if (options.hostWatch !== undefined) checkHostWatch(options.hostWatch, options.selector);
    const { selector = null } = options;
    if (selector !== null && typeof (selector as Partial<SelectorLike>).getMap !== 'function') {
      throw typeError(`a selector is required, not ${inspect(selector, { depth: 0 })}`);
    }
    this._selector = selector ?? new DefaultSelector();
    if (this._debug) logger.debug(`Using selector: ${this._selector.constructor.name}`);
    try {
      this._makeSelfPipe();
    } catch (error) {
      // Nobody has this loop, who could close it.
      this._ssock?.close();
      this._csock?.close();
      if (options.selector === undefined) this._selector.close();
      throw error;
    }
    this._signals = new SignalHandlers(this, this._wakeFd());
    const native = this._selector instanceof NativeSelectorBase ? this._selector._native : null;
    const sockets = [this._ssock, this._csock] as never;
    const signals = this._signals.watches;
    const { _wakeEnds: wakeEnds } = this;
    abandoned.register(this, { sockets, transports: this._transports.sockets, native, signals, wakeEnds }, this);
  }

  /** Every address of a host. asyncio: getaddrinfo. */
  abstract getaddrinfo(host: Host, port: Port, options?: ResolveOptions): Coroutine<AddressInfo[]>;

  /** asyncio: _make_socket_transport. @internal */
  abstract _makeSocketTransport(
    sock: SocketLike,
    protocol: BaseProtocol,
    waiter: Future<void> | null,
    extra: Record<string, unknown>,
    server: Attachable | null,
  ): SelectorSocketTransport;

  /** asyncio: _make_datagram_transport. @internal */
  abstract _makeDatagramTransport(
    sock: DatagramSocketLike,
    protocol: DatagramProtocol,
    address: Address | null,
    waiter: Future<void> | null,
    extra: Record<string, unknown>,
  ): SelectorDatagramTransport;

  // Readers and writers.

  /**
   * Calls `callback(...args)` in each iteration in which the descriptor is readable. A reader that was there is replaced.
   * asyncio: add_reader.
   * @throws RuntimeError if a transport owns the descriptor (ERR_FD_IN_USE) or the loop is closed; ValueError; OSError
   */
  addReader<A extends unknown[]>(fd: FileObject, callback: (...args: A) => unknown, ...args: A): void {
    this._ensureFdNoTransport(fd);
    this._addReader(fd, callback, ...args);
  }

  /** @returns whether there was a reader. asyncio: remove_reader. @throws RuntimeError (ERR_FD_IN_USE), ValueError */
  removeReader(fd: FileObject): boolean {
    this._ensureFdNoTransport(fd);
    return this._removeReader(fd);
  }

  /** As `addReader`, for writing. asyncio: add_writer. */
  addWriter<A extends unknown[]>(fd: FileObject, callback: (...args: A) => unknown, ...args: A): void {
    this._ensureFdNoTransport(fd);
    this._addWriter(fd, callback, ...args);
  }

  /** As `removeReader`, for writing. asyncio: remove_writer. */
  removeWriter(fd: FileObject): boolean {
    this._ensureFdNoTransport(fd);
    return this._removeWriter(fd);
  }

  /** @internal */
  _addReader(fd: FileObject, callback: Callback, ...args: unknown[]): Handle {
    return this.#watch(fd, EVENT_READ, callback, args);
  }

  /** @internal */
  _removeReader(fd: FileObject): boolean {
    return this.#unwatch(fd, EVENT_READ);
  }

  /** @internal */
  _addWriter(fd: FileObject, callback: Callback, ...args: unknown[]): Handle {
    return this.#watch(fd, EVENT_WRITE, callback, args);
  }

  /** @internal */
  _removeWriter(fd: FileObject): boolean {
    return this.#unwatch(fd, EVENT_WRITE);
  }

  #watch(fd: FileObject, event: number, callback: Callback, args: readonly unknown[]): Handle {
    this._checkClosed();
    const selector = this._selector as SelectorLike;
    const handle = new Handle(callback, args, this);
    const key = registered(selector, fd);
    if (key === undefined) {
      selector.register(fd, event, withHandle(NOBODY, event, handle));
      return handle;
    }
    const watchers = (key.data ?? NOBODY) as Watchers;
    const replaced = watchers[event === EVENT_READ ? 0 : 1];
    if (!this.#modify(selector, key, fd, key.events | event, withHandle(watchers, event, handle), replaced !== null)) {
      // Differs from asyncio: the number was closed and used again (FD-029). What was registered died with the old
      // descriptor.
      for (const stale of watchers) stale?.cancel();
      selector.register(fd, event, withHandle(NOBODY, event, handle));
      return handle;
    }
    replaced?.cancel();
    return handle;
  }

  /**
   * Changes a registration. With an unchanged mask no system call would tell that it is stale: `verify` makes one.
   * @returns false if the registration is of a descriptor that is closed
   */
  #modify(
    selector: SelectorLike,
    key: SelectorKey,
    fd: FileObject,
    events: number,
    data: Watchers,
    verify: boolean,
  ): boolean {
    if (verify && selector instanceof NativeSelectorBase && selector._forgetIfStale(key)) return false;
    try {
      selector.modify(fd, events, data);
      return true;
    } catch (error) {
      if (error instanceof FileNotFoundError && registered(selector, fd) === undefined) return false;
      throw error;
    }
  }

  #unwatch(fd: FileObject, event: number): boolean {
    if (this.isClosed()) return false;
    const selector = this._selector as SelectorLike;
    const key = registered(selector, fd);
    if (key === undefined) return false;
    const watchers = (key.data ?? NOBODY) as Watchers;
    const left = key.events & ~event;
    if (left === 0) selector.unregister(fd);
    else selector.modify(fd, left, withHandle(watchers, event, null));
    const handle = watchers[event === EVENT_READ ? 0 : 1];
    if (handle === null) return false;
    handle.cancel();
    return true;
  }

  /** Whether a direction of a descriptor is watched; an unknown one is not. @internal */
  _isWatched(fd: number, event: number): boolean {
    const key = registered(this._selector, fd);
    return key !== undefined && (key.events & event) !== 0;
  }

  /** @throws RuntimeError (ERR_FD_IN_USE) if a transport that is not closing owns the descriptor, ValueError @internal */
  _ensureFdNoTransport(fileobj: FileObject): void {
    const fd = toFdOrNegative(fileobj);
    const transport = this._transports.get(fd);
    if (transport !== undefined && !transport.isClosing()) {
      throw new RuntimeError(`descriptor ${fd} is used by transport ${inspect(transport)}`, 'ERR_FD_IN_USE');
    }
  }

  // The iteration.

  /** @internal */
  override _processEvents(ready: ReadyList): void {
    if (!(ready instanceof ReadyPairs)) {
      for (const [key, mask] of ready) this.#queueWatchers(key, mask);
      return;
    }
    const { keys, pairs, length } = ready;
    for (let index = 0; index < length; index++) {
      const key = keys.get(pairs[2 * index]);
      if (key !== undefined) this.#queueWatchers(key, pairs[2 * index + 1] & key.events);
    }
  }

  // The reader comes before the writer of the same descriptor (FD-020).
  #queueWatchers(key: SelectorKey, mask: number): void {
    const watchers = key.data as Watchers;
    const reader = watchers[0];
    const writer = watchers[1];
    if ((mask & EVENT_READ) !== 0 && reader !== null) {
      if (reader._cancelled) this._removeReader(key.fileobj);
      else this._addCallback(reader);
    }
    if ((mask & EVENT_WRITE) !== 0 && writer !== null) {
      if (writer._cancelled) this._removeWriter(key.fileobj);
      else this._addCallback(writer);
    }
  }

  // The self-pipe: one byte wakes a selector that waits.

  /** @internal */
  _makeSelfPipe(): void {
    [this._ssock, this._csock] = socketpair();
    this._internalFds += 1;
    this._addReader(this._ssock.fileno(), () => this._readFromSelf());
  }

  /** @internal */
  _closeSelfPipe(): void {
    if (this._ssock === null || this._csock === null) return;
    this._removeReader(this._ssock.fileno());
    this._ssock.close();
    this._csock.close();
    this._ssock = null;
    this._csock = null;
    this._internalFds -= 1;
  }

  /** @internal */
  _readFromSelf(): void {
    this.#drainSelfPipe();
    // Only now: what another thread reports after this look sends a byte that will be read next time.
    for (const source of [...this._outsideSources]) source.check();
  }

  #drainSelfPipe(): void {
    for (;;) {
      let data: Buffer | undefined;
      try {
        data = this._ssock?.recv(SELF_PIPE_CHUNK);
      } catch (error) {
        if (!isWouldBlock(error)) throw error;
        return;
      }
      if (data === undefined || data.length === 0) return;
      this._processSelfData(data);
    }
  }

  /** Looks at the bytes that woke the loop: plain wake-ups are 0, the others are the numbers of signals. @internal */
  _processSelfData(data: Uint8Array): void {
    for (const byte of data) if (byte !== 0) this._signals.receive(byte);
  }

  /** @internal */
  override _writeToSelf(): void {
    const csock = this._csock;
    if (csock === null) return;
    try {
      csock.send(WAKE_UP_BYTE);
    } catch (error) {
      // A full pipe wakes just as well.
      if (!(error instanceof OSError)) throw error;
      if (this._debug) logger.debug('cannot write to the self-pipe', error);
    }
  }

  /** The descriptor that other threads write to, or duplicate, to wake this loop. @internal */
  _wakeFd(): number {
    this._checkClosed();
    return (this._csock as Socket).fileno();
  }

  /** @internal */
  _addOutsideSource(source: OutsideSource): void {
    this._outsideSources.add(source);
  }

  /** @internal */
  _removeOutsideSource(source: OutsideSource): void {
    this._outsideSources.delete(source);
  }

  /** @internal */
  override _hasOutsideWork(): boolean {
    for (const source of this._outsideSources) if (source.pending > 0) return true;
    return false;
  }

  /** Forgets everything, the self-pipe and the selector too. May be called again. asyncio: close. */
  override close(): void {
    if (this.isRunning()) throw new RuntimeError('Cannot close a running event loop', 'ERR_LOOP_RUNNING');
    if (this.isClosed()) return;
    abandoned.unregister(this);
    // Before the self-pipe goes, whose number somebody else may have then.
    this._signals.close();
    this._closeSelfPipe();
    super.close();
    for (const source of [...this._outsideSources]) source.close();
    this._outsideSources.clear();
    this._selector?.close();
    this._selector = null;
    for (const transport of this._transports.values()) transport._letGo();
  }
}

function registered(selector: SelectorLike | null, fd: FileObject): SelectorKey | undefined {
  const map = selector?.getMap();
  return map?.get(fd);
}

function withHandle(watchers: Watchers, event: number, handle: Handle | null): Watchers {
  return event === EVENT_READ ? [handle, watchers[1]] : [watchers[0], handle];
}
