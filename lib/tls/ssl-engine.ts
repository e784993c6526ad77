// ssl-engine.ts: TLS without a socket: encrypted bytes in and out on one side, plain ones on the other. Python: ssl.MemoryBIO
// with ssl.SSLObject. The cryptography is that of node:tls, so OpenSSL and Electron's BoringSSL are alike.
//
//   feed(encrypted) --> | TLSSocket over a Duplex of ours | --> events.plain
//   write(plain)    --> |                                 | --> events.output
//
// Output and plain bytes come before `feed` and `write` return; the handshake's end does too, or else within the tick
// queue of the same handle, as errors and the peer's close_notify do. Nothing here waits for Node's own loop.

import type { TLSSocket } from 'node:tls';

import type { OSError } from '../base/errors';
import { nextTick } from '../base/host';
import { LowerStream } from './lower-stream';
import { nodeTls } from './node-tls';
import { noCertificate, SSLCertVerificationError, sslErrorOf } from './ssl-error';
import { nameOptions, secureContextOf, type SSLSettings } from './options';

export interface SSLEngineEvents {
  /** Encrypted bytes for the peer, whose memory is the receiver's from then on. */
  output(chunk: Uint8Array): void;
  /** Plain bytes from the peer. */
  plain(chunk: Buffer): void;
  handshakeDone(): void;
  /** The peer's close_notify. */
  ended(): void;
  /** Nothing can come after this. */
  failed(error: OSError): void;
}

/** The native half of a TLSSocket, as far as there is no public way. */
interface NativeHalf {
  verifyError?(): (Error & { code?: string }) | null;
}

export class SSLEngine {
  /** Node's half: certificates, session, protocol. */
  readonly socket: TLSSocket;
  /** Whether everything is done inside of the calls. Otherwise Node's own loop has to go round. */
  readonly isImmediate: boolean;
  /** Whether an SNICallback of the user's is asked, which some Nodes do in their own loop all the same. */
  readonly asksForNames: boolean;
  readonly #lower: LowerStream;
  readonly #events: SSLEngineEvents;
  #inside = false;
  #done = false;
  #over = false;

  constructor(settings: SSLSettings, events: SSLEngineEvents) {
    this.#events = events;
    this.#lower = new LowerStream((chunk) => {
      if (!this.#over) events.output(chunk);
      // Written from the tick queue: nobody is about to confirm it.
      if (!this.#inside) nextTick(() => this.#lower.confirm());
    });
    this.asksForNames = settings.serverSide && typeof settings.options.SNICallback === 'function';
    this.socket = settings.serverSide ? this.#serve(settings) : this.#connect(settings);
    const { socket } = this;
    this.isImmediate = this.#lower.adopt(socket);
    socket.on('error', (error) => this.#fail(error));
    socket.on('_tlsError', (error: unknown) => this.#fail(error));
    socket.on('close', () => {
      if (!this.#done) this.#fail(new Error('TLS ended before the handshake was done'));
    });
    socket.on('data', (chunk: Buffer) => {
      if (!this.#over) events.plain(chunk);
    });
    this.#passBy(socket);
    socket.on('end', () => {
      if (!this.#over) events.ended();
    });
  }

  // What the stream would tell by 'data' within the same call comes without its buffers, and without the tick in which it
  // asks for more: more comes by itself.
  #passBy(socket: TLSSocket): void {
    const push = socket.push.bind(socket);
    socket.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      const passes = Buffer.isBuffer(chunk) && socket.readableFlowing === true && socket.readableLength === 0;
      if (!passes) return push(chunk, encoding);
      if (chunk.length > 0 && !this.#over) this.#events.plain(chunk);
      return true;
    };
  }

  get #native(): NativeHalf | null {
    return (this.socket as unknown as { _handle: NativeHalf | null })._handle;
  }

  /** Plain bytes that were written and are not encrypted yet: the peer has to answer first. */
  get pendingPlain(): number {
    return this.socket.writableLength;
  }

  #connect(settings: SSLSettings): TLSSocket {
    const { options, serverHostname } = settings;
    const socket = nodeTls().connect({
      ...options,
      ...nameOptions(serverHostname),
      secureContext: secureContextOf(options),
      socket: this.#lower,
    });
    // Comes after verification.
    socket.on('secureConnect', () => this.#finish());
    return socket;
  }

  #serve(settings: SSLSettings): TLSSocket {
    const { options } = settings;
    const secureContext = secureContextOf(options);
    const socket = new (nodeTls().TLSSocket)(this.#lower, { ...options, secureContext, isServer: true });
    socket.on('secure', () => {
      const error = options.requestCert === true ? this.#clientVerifyError() : null;
      socket.authorized = options.requestCert === true && error === null;
      if (error === null || options.rejectUnauthorized === false) this.#finish();
      else this.#fail(error);
    });
    return socket;
  }

  #clientVerifyError(): Error | null {
    const native = this.#native;
    if (Object.keys(this.socket.getPeerCertificate() ?? {}).length === 0) return noCertificate();
    if (typeof native?.verifyError === 'function') return native.verifyError() ?? null;
    const message = 'this Node cannot tell whether the certificate of the client is good';
    return new SSLCertVerificationError(message, { code: 'CERT_UNKNOWN', errno: 0 });
  }

  /** Encrypted bytes from the peer. The memory is the caller's again afterwards. */
  feed(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#inside = true;
    try {
      this.#lower.feed(chunk);
      this.#lower.confirm();
    } finally {
      this.#inside = false;
    }
  }

  /** Plain bytes for the peer. */
  write(chunk: Uint8Array): void {
    this.#inside = true;
    try {
      this.socket.write(chunk);
      this.#lower.confirm();
    } finally {
      this.#inside = false;
    }
  }

  /** Sends our close_notify, after what was written. */
  end(): void {
    this.#inside = true;
    try {
      this.socket.end();
      this.#lower.confirm();
    } finally {
      this.#inside = false;
    }
  }

  /** No more events. */
  destroy(): void {
    if (this.#over) return;
    this.#over = true;
    this.socket.destroy();
  }

  #finish(): void {
    if (this.#over || this.#done) return;
    this.#done = true;
    this.#events.handshakeDone();
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.failed(sslErrorOf(error));
    this.socket.destroy();
  }
}
