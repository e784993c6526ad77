// transport.ts: what a protocol is given. asyncio: transports.py. Everything here but extra info is for others to fill in.

import { NotImplementedError } from '../base/errors';
import type { Address } from '../sockets/address';
import type { ExtraInfo } from './extra-info';
import type { BaseProtocol } from './protocol';

function missing(method: string): never {
  throw new NotImplementedError(`this transport has no ${method}`);
}

/** asyncio: BaseTransport. */
export class BaseTransport {
  /** @internal */ readonly _extra: Record<string, unknown>;

  constructor(extra: Record<string, unknown> = {}) {
    this._extra = extra;
  }

  /**
   * A fact about the connection, by its name in `ExtraInfo` or one that the maker of the transport gave; `fallback` if it is
   * not known. asyncio: get_extra_info.
   */
  getExtraInfo<N extends keyof ExtraInfo>(name: N): ExtraInfo[N] | null;
  getExtraInfo<T = unknown>(name: string, fallback?: T | null): T | null;
  getExtraInfo<T>(name: string, fallback: T | null = null): T | null {
    return Object.hasOwn(this._extra, name) ? (this._extra[name] as T) : fallback;
  }

  /** Whether the transport is closing or closed. */
  isClosing(): boolean {
    return missing('isClosing');
  }

  /** Ends the connection after buffered data is written; `connectionLost(null)` follows. */
  close(): void {
    missing('close');
  }

  setProtocol(_protocol: BaseProtocol): void {
    missing('setProtocol');
  }

  getProtocol(): BaseProtocol | null {
    return missing('getProtocol');
  }
}

/** asyncio: ReadTransport. */
export class ReadTransport extends BaseTransport {
  isReading(): boolean {
    return missing('isReading');
  }

  /** No data is given to the protocol until `resumeReading`. May be called again. */
  pauseReading(): void {
    missing('pauseReading');
  }

  resumeReading(): void {
    missing('resumeReading');
  }
}

/** A transport of a byte stream, for reading and writing. asyncio: Transport. */
export class Transport extends ReadTransport {
  /**
   * Sets the marks of flow control, in bytes.
   * @throws ValueError unless high >= low >= 0
   */
  setWriteBufferLimits(_high?: number | null, _low?: number | null): void {
    missing('setWriteBufferLimits');
  }

  /** [low, high], in bytes. */
  getWriteBufferLimits(): [low: number, high: number] {
    return missing('getWriteBufferLimits');
  }

  /** Bytes that wait to be sent. */
  getWriteBufferSize(): number {
    return missing('getWriteBufferSize');
  }

  /**
   * Sends bytes; what the system does not take at once is kept and sent later. The memory is not copied: leave it alone
   * until it is sent.
   * @throws TypeError for anything but a Uint8Array or Buffer, RuntimeError after writeEof
   */
  write(_data: Uint8Array): void {
    missing('write');
  }

  /** Sends several pieces. */
  writelines(chunks: Iterable<Uint8Array>): void {
    this.write(Buffer.concat([...chunks]));
  }

  /** Ends the sending side after buffered data is written; reading goes on. */
  writeEof(): void {
    missing('writeEof');
  }

  canWriteEof(): boolean {
    return missing('canWriteEof');
  }

  /** Ends the connection at once; buffered data is lost, `connectionLost(null)` follows. */
  abort(): void {
    missing('abort');
  }
}

/** The writing half of a `Transport`: all that a transport over one end of a pipe has. asyncio: WriteTransport. */
export type WriteTransport = Omit<Transport, Exclude<keyof ReadTransport, keyof BaseTransport>>;

/** A transport of datagrams. asyncio: DatagramTransport. */
export interface DatagramTransport extends BaseTransport {
  /**
   * Sends one datagram, an empty one too; what the system does not take at once is copied and sent later.
   * An error of the system goes to `errorReceived`, and the datagram is lost. asyncio: sendto.
   * @param address where to, by number: a host's name is told to `errorReceived` (GaiError), for nobody asks for it here
   * (`loop.getaddrinfo` does); not needed on a connected transport
   * @throws TypeError for anything but a Uint8Array or Buffer, ValueError for another address than that of a connected one
   */
  sendto(data: Uint8Array, address?: Address | null): void;

  /** Closes at once; what waits to be sent is lost. */
  abort(): void;
}
