// reading.ts: from the transport below through the engine to the application, as far as that one wants it. asyncio:
// sslproto.SSLProtocol, "Incoming flow".

import { isBytes } from '../base/bytes';
import { isCancelled, isFatal, RuntimeError, typeError } from '../base/errors';
import { describeType } from '../sockets/socket';
import { BufferedProtocol, type Protocol } from '../transports/protocol';
import { takeTogether } from './chunks';
import type { SSLProtocol } from './ssl-protocol';
import type { SSLSession } from './session';

export class Reading {
  /** The application wants nothing now. */
  paused = false;
  readonly #protocol: SSLProtocol;
  // Encrypted bytes that nobody may read yet, and plain ones that found no room in a buffered protocol.
  readonly #encrypted: Uint8Array[] = [];
  #encryptedSize = 0;
  readonly #plain: Buffer[] = [];
  #plainSize = 0;
  #pausedBelow = false;
  /** A buffer got full, and another handle goes on. */
  #goesOn = false;

  constructor(protocol: SSLProtocol) {
    this.#protocol = protocol;
  }

  /** Bytes that wait. */
  get size(): number {
    return this.#encryptedSize + this.#plainSize;
  }

  /** What the engine decrypted. */
  addPlain(chunk: Buffer): void {
    const { _state: state } = this.#protocol;
    // Differs from asyncio: what arrives after close is dropped, and no error (TLS-054).
    if (state === 'shutdown' || state === 'unwrapped') return;
    this.#plain.push(chunk);
    this.#plainSize += chunk.length;
  }

  /** Encrypted bytes, whose memory is the caller's again afterwards. */
  take(chunk: Uint8Array): void {
    const protocol = this.#protocol;
    const { _state: state } = protocol;
    if (state === 'unwrapped') return;
    if (state === 'handshake' || state === 'shutdown' || (!this.paused && this.size === 0)) {
      (protocol._session as SSLSession).feed(chunk);
      protocol._settle(chunk.length);
      return;
    }
    this.#encrypted.push(Uint8Array.prototype.slice.call(chunk));
    this.#encryptedSize += chunk.length;
    this.read();
  }

  /**
   * Gives the application all that is there, together, and then sends what it wrote.
   * @param hint encrypted bytes that just came, for getBuffer; null if none did, but the engine thought on
   */
  read(hint: number | null = 0): void {
    const protocol = this.#protocol;
    const { _state: state } = protocol;
    if (state !== 'wrapped' && state !== 'flushing') return;
    if (hint === null && this.#goesOn) return;
    try {
      if (!this.paused && protocol._appProtocol !== null) {
        const waiting = hint === null || hint === 0 ? this.size : hint;
        this.#feed();
        const isAll = (hint === null && this.size === 0) || this.#give(waiting);
        if (isAll && protocol._settleFailure()) return;
        if (isAll && protocol._session?.peerEnded === true) {
          protocol._callEofReceived();
          protocol._shutdown.start();
        }
        protocol._writing.writeBacklog();
      } else if (protocol._settleFailure()) return;
      this.control();
    } catch (error) {
      if (isFatal(error) || isCancelled(error)) throw error;
      protocol._fatalError(error, 'Fatal error on SSL protocol');
    }
  }

  #feed(): void {
    if (this.#encryptedSize === 0) return;
    this.#encryptedSize = 0;
    for (const chunk of this.#encrypted.splice(0)) this.#protocol._session?.feed(chunk);
  }

  /** @returns false if a buffer got full: another handle goes on */
  #give(waiting: number): boolean {
    const protocol = this.#protocol._appProtocol;
    if (protocol instanceof BufferedProtocol) return this.#fillBuffer(protocol, waiting);
    if (this.#plainSize > 0) {
      const data = takeTogether(this.#plain) as Buffer;
      this.#plainSize = 0;
      (protocol as Protocol).dataReceived(data);
    }
    return true;
  }

  /** As asyncio does, it asks for memory before it looks whether there is anything to put into it. */
  #fillBuffer(protocol: BufferedProtocol, waiting: number): boolean {
    const buffer = protocol.getBuffer(waiting);
    if (!isBytes(buffer)) {
      throw typeError(`getBuffer() must return a Uint8Array, not ${describeType(buffer)}`);
    }
    // Differs from asyncio, where this counts as the end of the stream.
    if (buffer.length === 0) throw new RuntimeError('getBuffer() returned an empty buffer', 'ERR_EMPTY_BUFFER');
    let filled = 0;
    while (filled < buffer.length && this.#plain.length > 0) {
      const first = this.#plain[0];
      const part = Math.min(first.length, buffer.length - filled);
      buffer.set(part === first.length ? first : first.subarray(0, part), filled);
      if (part === first.length) this.#plain.shift();
      else this.#plain[0] = first.subarray(part);
      filled += part;
      this.#plainSize -= part;
    }
    const isFull = filled === buffer.length;
    this.#goesOn = isFull;
    if (isFull) this.#protocol._loop.callSoon(() => this.#protocol._goOn());
    // A protocol that was set in getBuffer hears of it, if it is of this kind.
    const { _appProtocol: now } = this.#protocol;
    if (filled > 0) (now instanceof BufferedProtocol ? now : protocol).bufferUpdated(filled);
    return !isFull;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.#protocol._loop.callSoon(() => this.#protocol._goOn());
  }

  /** Nobody reads any more, and yet the engine needs every record: the last one may be the peer's goodbye. */
  drop(): void {
    this.#plain.length = 0;
    this.#plainSize = 0;
    this.#feed();
    // Differs from asyncio, where a transport below that is paused by now never hears the peer's goodbye (TLS-045).
    if (this.#pausedBelow) this.#pauseBelow(false);
  }

  /** Pauses and resumes the transport below. */
  control(): void {
    if (this.#protocol._transport === null) return;
    const { _readLow: low, _readHigh: high } = this.#protocol._appTransport;
    if (this.size >= high && !this.#pausedBelow) this.#pauseBelow(true);
    else if (this.size <= low && this.#pausedBelow) this.#pauseBelow(false);
  }

  #pauseBelow(paused: boolean): void {
    this.#pausedBelow = paused;
    if (paused) this.#protocol._transport?.pauseReading();
    else this.#protocol._transport?.resumeReading();
  }
}
