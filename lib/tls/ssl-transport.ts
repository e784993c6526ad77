// ssl-transport.ts: what the application is given of a TLS connection. asyncio: sslproto._SSLProtocolTransport. It only
// hands on: the states are in ssl-protocol.ts.

import { inspect } from 'node:util';

import { isBytes } from '../base/bytes';
import { isFatal, NotImplementedError, typeError } from '../base/errors';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { bytesOf, describeType } from '../sockets/arguments';
import type { ExtraInfo } from '../transports/extra-info';
import { FlowControlTransport } from '../transports/flow-control';
import type { BaseProtocol } from '../transports/protocol';
import { SSL_HIGH_WATER_READ, SSL_HIGH_WATER_WRITE, waterMarks } from './water-marks';
import type { SSLProtocol } from './ssl-protocol';

/** A byte stream over TLS. Made by the verbs that take `ssl`, and by `startTls`. */
export class SSLTransport extends FlowControlTransport {
  /** @internal */ readonly _sendfileCompatible = 'fallback';
  /** @internal */ readonly _startTlsCompatible = true;
  /** @internal */ readonly _sslProtocol: SSLProtocol;
  /** @internal */ _closed = false;
  /** @internal */ _readLow: number;
  /** @internal */ _readHigh: number;

  /** @internal */
  constructor(loop: BaseEventLoop, sslProtocol: SSLProtocol) {
    super({}, loop);
    this._sslProtocol = sslProtocol;
    [this._lowWater, this._highWater] = waterMarks(null, null, SSL_HIGH_WATER_WRITE);
    [this._readLow, this._readHigh] = waterMarks(null, null, SSL_HIGH_WATER_READ);
  }

  /**
   * As on every transport; besides 'sslcontext' (Node's SecureContext), 'ssl_object' (Node's TLSSocket: session, ALPN,
   * protocol), and after the handshake 'peercert', 'cipher', 'compression'.
   */
  override getExtraInfo<N extends keyof ExtraInfo>(name: N): ExtraInfo[N] | null;
  override getExtraInfo<T = unknown>(name: string, fallback?: T | null): T | null;
  override getExtraInfo<T>(name: string, fallback: T | null = null): T | null {
    return this._sslProtocol._getExtraInfo(name, fallback);
  }

  override setProtocol(protocol: BaseProtocol): void {
    this._sslProtocol._appProtocol = protocol;
  }

  override getProtocol(): BaseProtocol | null {
    return this._sslProtocol._appProtocol;
  }

  /** True from `close` on, and once the connection is lost. */
  override isClosing(): boolean {
    return this._closed;
  }

  /** Sends what was written, says goodbye as TLS does and waits for the peer's goodbye, for as long as sslShutdownTimeout. */
  override close(): void {
    // Differs from asyncio: a second close changes nothing (TLS-050).
    if (this._closed) return;
    this._closed = true;
    this._sslProtocol._close();
  }

  override abort(): void {
    this._forceClose(null);
  }

  /** @internal */
  _forceClose(error: unknown): void {
    this._closed = true;
    // Differs from asyncio: the error gets there, also through TLS in TLS (TLS-064).
    this._sslProtocol._abort(error);
  }

  /** Whether reading is not paused; closing does not count. */
  override isReading(): boolean {
    return !this._sslProtocol._reading.paused;
  }

  override pauseReading(): void {
    this._sslProtocol._reading.pause();
  }

  override resumeReading(): void {
    this._sslProtocol._reading.resume();
  }

  override write(data: Uint8Array): void {
    const bytes = bytesOf(data);
    if (bytes.length > 0) this._sslProtocol._writing.write(bytes);
  }

  override writelines(chunks: Iterable<Uint8Array>): void {
    const pieces = [...chunks];
    for (const chunk of pieces) {
      // Differs from asyncio: told at once, and not when it is encrypted (TLS-034).
      if (!isBytes(chunk)) {
        throw typeError(`a chunk must be a Uint8Array or a Buffer, not ${describeType(chunk)}`);
      }
    }
    this._sslProtocol._writing.writelines(pieces.filter((chunk) => chunk.length > 0));
  }

  /** As one `write` of all of them, for TLS in TLS. @internal */
  _writeTogether(chunks: readonly Uint8Array[]): void {
    this._sslProtocol._writing.writelines(chunks);
  }

  /** TLS has no half-closed state. @throws NotImplementedError */
  override writeEof(): void {
    throw new NotImplementedError('TLS cannot end the sending side alone');
  }

  override canWriteEof(): boolean {
    return false;
  }

  /** Bytes that wait: encrypted ones for the transport below, and plain ones for the handshake. */
  override getWriteBufferSize(): number {
    return this._sslProtocol._writing.size;
  }

  override setWriteBufferLimits(high: number | null = null, low: number | null = null): void {
    [this._lowWater, this._highWater] = waterMarks(high, low, SSL_HIGH_WATER_WRITE);
    this._controlAppWriting();
  }

  /** [low, high] of what is kept for an application that has paused reading. asyncio: get_read_buffer_limits. */
  getReadBufferLimits(): [low: number, high: number] {
    return [this._readLow, this._readHigh];
  }

  /**
   * Sets the marks at which the transport below is paused and resumed, in bytes. asyncio: set_read_buffer_limits.
   * @throws ValueError unless high >= low >= 0
   */
  setReadBufferLimits(high: number | null = null, low: number | null = null): void {
    [this._readLow, this._readHigh] = waterMarks(high, low, SSL_HIGH_WATER_READ);
    this._sslProtocol._reading.control();
  }

  /** Encrypted bytes that wait to be read. asyncio: get_read_buffer_size. */
  getReadBufferSize(): number {
    return this._sslProtocol._reading.size;
  }

  /** Reaching the high mark pauses, and the low one resumes: both at once here, unlike plain transports. @internal */
  _controlAppWriting(): void {
    // Nobody is there any more who could be told.
    if (this._sslProtocol._appProtocol === null) return;
    const size = this.getWriteBufferSize();
    if (size >= this._highWater && !this._protocolPaused) this.#tell('pauseWriting', true);
    else if (size <= this._lowWater && this._protocolPaused) this.#tell('resumeWriting', false);
  }

  #tell(method: 'pauseWriting' | 'resumeWriting', paused: boolean): void {
    this._protocolPaused = paused;
    try {
      this._sslProtocol._appProtocol?.[method]();
    } catch (error) {
      if (isFatal(error)) throw error;
      this._loop?.callExceptionHandler({
        message: `protocol.${method}() failed`,
        exception: error,
        transport: this,
        protocol: this._sslProtocol,
      });
    }
  }

  [inspect.custom](): string {
    const below = this._sslProtocol._transport;
    const state = this._closed ? 'closing' : 'open';
    return `<SSLTransport ${below === null ? 'closed' : `${state} over ${inspect(below)}`}>`;
  }
}
