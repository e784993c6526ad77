// datagram-transport.ts: datagrams over a socket. asyncio: selector_events._SelectorDatagramTransport. Each datagram keeps
// its borders and its address; an error of the system is told and survived.

import { isDeepStrictEqual, inspect } from 'node:util';

import { LOG_THRESHOLD_FOR_CONNLOST_WRITES, MAX_READ_SIZE } from '../base/constants';
import { Deque } from '../base/deque';
import { GaiError, isFatal, isInstance, OSError, ValueError } from '../base/errors';
import { logger } from '../base/log';
import type { Future } from '../futures/future';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { errorFor, wouldBlock } from '../native/check';
import { addressFields, type Address } from '../sockets/address';
import { bytesOf } from '../sockets/arguments';
import { socketConstants } from '../sockets/constants';
import { datagramIO, type DatagramIO, type DatagramSocketLike } from '../sockets/socket-io';
import type { DatagramProtocol } from './protocol';
import { SelectorTransport } from './selector-transport';
import type { DatagramTransport } from './transport';

const { EAI_NONAME } = socketConstants;

/** A datagram that waits, and where to. */
type Waiting = readonly [data: Uint8Array, address: Address | null];

/**
 * Where the host of an address is a name, a socket of Python's asks for it, and everything waits meanwhile. Ours does not
 * ask: no such name is known (an error of the system, which a transport survives).
 */
function nameless(error: unknown, address: Address | null): unknown {
  if (!(error instanceof ValueError) || error.code !== 'ERR_INVALID_ADDRESS') return error;
  const fields = { code: 'EAI_NONAME', errno: -Math.abs(EAI_NONAME), syscall: 'sendto', ...addressFields(address) };
  return new GaiError(`sendto EAI_NONAME (${error.message})`, { ...fields, cause: error });
}

export class SelectorDatagramTransport extends SelectorTransport implements DatagramTransport {
  /** @internal */ declare _sock: DatagramSocketLike | null;
  /** @internal */ declare _protocol: DatagramProtocol | null;
  /** The only address that it sends to, if it has one. @internal */
  readonly _address: Address | null;
  /** @internal */ readonly _buffer = new Deque<Waiting>();
  /** @internal */ _bufferSize = 0;
  readonly #io: DatagramIO;

  constructor(
    loop: BaseSelectorEventLoop,
    sock: DatagramSocketLike,
    protocol: DatagramProtocol,
    address: Address | null = null,
    waiter: Future<void> | null = null,
    extra: Record<string, unknown> = {},
  ) {
    super(loop, sock, protocol, extra);
    this._address = address;
    this.#io = datagramIO(sock);
    this._begin(waiter);
  }

  /** Bytes of the datagrams that wait to be sent. */
  override getWriteBufferSize(): number {
    return this._bufferSize;
  }

  /** @internal */
  _readReady(): void {
    if (this._connLost > 0) return;
    let data: Uint8Array | number;
    try {
      data = this.#io._recvfrom(MAX_READ_SIZE);
    } catch (error) {
      this.#fail(error, 'Fatal read error on datagram transport');
      return;
    }
    const protocol = this._protocol as DatagramProtocol;
    if (typeof data !== 'number') protocol.datagramReceived(data as Buffer, this.#io._sender());
    else if (!wouldBlock(data)) protocol.errorReceived(errorFor(data, 'recvfrom'));
  }

  /** As `DatagramTransport` says. asyncio: sendto. */
  sendto(data: Uint8Array, address: Address | null = null): void {
    const bytes = bytesOf(data);
    // Differs from asyncio 3.12: an empty datagram is sent, as 3.13 does (UDP-014).
    const fixed = this._address;
    if (fixed !== null && address !== null && !isDeepStrictEqual(address, fixed)) {
      throw new ValueError(
        `the address must be null or ${inspect(fixed)}, not ${inspect(address)}`,
        'ERR_FIXED_ADDRESS',
      );
    }
    // Differs from asyncio: it fails on a transport that has lost its socket (UDP-018).
    if (this._connLost > 0 && (fixed !== null || this._sock === null)) {
      if (this._connLost >= LOG_THRESHOLD_FOR_CONNLOST_WRITES) logger.warning('datagram sent on a lost connection');
      this._connLost += 1;
      return;
    }
    const target = fixed ?? address;
    if (this._buffer.length === 0) {
      if (this.#send(bytes, target) !== 'later') return;
      this._addWriter();
    }
    // A copy: unlike a stream's data, a datagram stays as it was when it was given.
    this._buffer.push([Buffer.from(bytes), target]);
    this._bufferSize += bytes.length;
    this._maybePauseProtocol();
  }

  /** As many as the system takes. @internal */
  _writeReady(): void {
    for (let next = this._buffer.shift(); next !== undefined; next = this._buffer.shift()) {
      this._bufferSize -= next[0].length;
      const outcome = this.#send(...next);
      if (outcome === 'failed') return;
      if (outcome === 'later') {
        this._buffer.unshift(next);
        this._bufferSize += next[0].length;
        break;
      }
    }
    this._maybeResumeProtocol();
    if (this._buffer.length > 0 || this._loop === null) return;
    this._loop._removeWriter(this._sockFd);
    if (this._closing && this._connLost === 0) {
      this._connLost += 1;
      this._callConnectionLost(null);
    }
  }

  #send(data: Uint8Array, address: Address | null): 'sent' | 'later' | 'failed' {
    // A connected socket has a peer's name; that of a socket pair is empty, and needs the address (UDP-005).
    const peer = this._extra.peername as Address | null;
    const connected = peer !== null && peer.length > 0;
    let sent: number;
    try {
      sent = connected ? this.#io._send(data) : this.#io._sendto(data, address as Address);
    } catch (error) {
      this.#fail(nameless(error, address), 'Fatal write error on datagram transport');
      return 'failed';
    }
    if (sent >= 0) return 'sent';
    if (wouldBlock(sent)) return 'later';
    const error = connected
      ? errorFor(sent, 'send')
      : errorFor(sent, 'sendto', addressFields(address, this._sock?.family));
    this._protocol?.errorReceived(error);
    return 'failed';
  }

  /** What the system says is told and survived; anything else ends the transport. */
  #fail(error: unknown, message: string): void {
    if (isFatal(error)) throw error;
    if (isInstance(error, OSError)) this._protocol?.errorReceived(error);
    else this._fatalError(error, message);
  }

  /** @internal */
  _hasBufferedData(): boolean {
    return this._buffer.length > 0;
  }

  /** The size is left as it was (UDP-037). @internal */
  _clearBuffer(): void {
    this._buffer.clear();
  }
}
