// reading.ts: from the transport below through the engine to the application, as far as that one wants it. asyncio:
// sslproto.SSLProtocol, "Incoming flow".

import { isFatal, RuntimeError, typeError } from '../base/errors';
import { describeType } from '../sockets/socket';
import { BufferedProtocol, type Protocol } from '../transports/protocol';
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
    const mayRead = !this.paused && this.size === 0;
    if (mayRead || state === 'handshake' || state === 'shutdown') {
      (protocol._session as SSLSession).feed(chunk);
      protocol._settle(chunk.length);
    } else {
      this.#encrypted.push(Uint8Array.prototype.slice.call(chunk));
      this.#encryptedSize += chunk.length;
      this.control();
    }
  }

  /**
   * Gives the application what may be given.
   * @param hint encrypted bytes that just came, for getBuffer
   */
  read(hint = 0): void {
    const protocol = this.#protocol;
    try {
      while (!this.paused && protocol._appProtocol !== null) {
        if (protocol._state !== 'wrapped' && protocol._state !== 'flushing') break;
        if (this.#plainSize > 0) {
          if (!this.#give(hint)) break;
        } else if (this.#encryptedSize > 0) {
          const next = this.#encrypted.shift() as Uint8Array;
          this.#encryptedSize -= next.length;
          (protocol._session as SSLSession).feed(next);
          if (protocol._settleFailure()) return;
        } else {
          if (protocol._session?.peerEnded === true) {
            protocol._callEofReceived();
            protocol._shutdown.start();
          }
          break;
        }
      }
      protocol._writing.pushOut();
      this.control();
    } catch (error) {
      if (isFatal(error)) throw error;
      protocol._fatalError(error, 'Fatal error on SSL protocol');
    }
  }

  /** @returns false if others shall have their turn before it goes on */
  #give(hint: number): boolean {
    const protocol = this.#protocol._appProtocol;
    if (protocol instanceof BufferedProtocol) return this.#fillBuffer(protocol, hint);
    const data = this.#plain.length === 1 ? this.#plain[0] : Buffer.concat(this.#plain, this.#plainSize);
    this.#plain.length = 0;
    this.#plainSize = 0;
    (protocol as Protocol).dataReceived(data);
    return true;
  }

  /** @returns false if the buffer got full: another handle goes on */
  #fillBuffer(protocol: BufferedProtocol, hint: number): boolean {
    const buffer = protocol.getBuffer(hint > 0 ? hint : this.#plainSize);
    if (!(buffer instanceof Uint8Array)) {
      throw typeError(`getBuffer() must return a Uint8Array, not ${describeType(buffer)}`);
    }
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
    if (filled === buffer.length) this.#protocol._loop.callSoon(() => this.#protocol._goOn());
    protocol.bufferUpdated(filled);
    return filled < buffer.length;
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
    this.#encryptedSize = 0;
    for (const chunk of this.#encrypted.splice(0)) this.#protocol._session?.feed(chunk);
    this.control();
  }

  /** Pauses and resumes the transport below. */
  control(): void {
    const { _transport: below, _appTransport: above } = this.#protocol;
    const [low, high] = above.getReadBufferLimits();
    if (this.size >= high && !this.#pausedBelow) {
      this.#pausedBelow = true;
      below?.pauseReading();
    } else if (this.size <= low && this.#pausedBelow) {
      this.#pausedBelow = false;
      below?.resumeReading();
    }
  }
}
