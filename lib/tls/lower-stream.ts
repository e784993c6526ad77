// lower-stream.ts: the stream that a TLSSocket believes to be its connection: what it writes is out at once, and what is
// fed is in at once. The cryptography and the protocol are above, in node:tls and ssl-engine.ts.
//
// Node puts a wrap around a stream that is no socket. The wrap confirms writes, and its own end, by setImmediate: Node's loop
// has to go round for it, which it does not in a synchronous run, where writes would stop and closed connections pile up.
// So three of the wrap's methods are replaced. They are not public, but the same in Node 18 to 26; where they are not found,
// everything goes through the stream itself.

import { constants } from 'node:os';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';

import { nextTick, queueMicrotask } from '../base/host';

/** The wrap. A request is a write, or the end of writing, that node:tls waits for. */
interface StreamWrap {
  _handle: NativeStream | null;
  doWrite(request: unknown, chunks: readonly Uint8Array[]): number;
  finishWrite(stream: NativeStream, status: number): void;
  finishShutdown(stream: NativeStream, status: number): void;
  doClose(closed: () => void): void;
}

interface NativeStream {
  readBuffer(chunk: Uint8Array): void;
  finishWrite(request: unknown, status: number): void;
}

const CANCELED = -constants.errno.ECANCELED;

function hasMethods(target: unknown, names: readonly string[]): boolean {
  const methods = (target ?? {}) as Record<string, unknown>;
  return names.every((name) => typeof methods[name] === 'function');
}

/** The wrap of `socket`, or null if it is not what we know. */
function wrapOf(socket: TLSSocket): StreamWrap | null {
  // Deno has one too, but what it is told comes to nothing.
  if ('Deno' in globalThis) return null;
  const wrap = (socket as unknown as { _handle: { _parentWrap?: StreamWrap } | null })._handle?._parentWrap;
  if (!hasMethods(wrap, ['doWrite', 'finishWrite', 'finishShutdown', 'doClose'])) return null;
  return hasMethods(wrap?._handle, ['readBuffer', 'finishWrite']) ? (wrap as StreamWrap) : null;
}

export class LowerStream extends Duplex {
  readonly #take: (chunk: Uint8Array) => void;
  #wrap: StreamWrap | null = null;
  #stream: NativeStream | null = null;
  /** The write that was taken and not confirmed yet, as the wrap handed it over. */
  #request: unknown = null;
  /** The same before the wrap was found, or without it: one for each piece. */
  #confirms: (() => void)[] = [];

  /** @param take gets what node:tls writes; its memory is the receiver's */
  constructor(take: (chunk: Uint8Array) => void) {
    super();
    this.#take = take;
  }

  /**
   * Takes the place of what Node put around this stream.
   * @returns whether that could be done: then nothing waits for Node's own loop
   */
  adopt(socket: TLSSocket): boolean {
    const wrap = wrapOf(socket);
    if (wrap === null) return false;
    const stream = wrap._handle as NativeStream;
    let closing = false;
    wrap.doWrite = (request, chunks) => {
      if (closing) return CANCELED;
      this.#request = request;
      for (let index = 0; index < chunks.length; index++) this.#take(chunks[index]);
      return 0;
    };
    wrap.doClose = (closed) => {
      closing = true;
      const close = (): void => {
        this.#confirmTo(stream, CANCELED);
        wrap.finishShutdown(stream, CANCELED);
        closed();
      };
      // Not at once: OpenSSL may be at work below us, and this frees what it needs. And after the ticks: one of them
      // tells why it is closed.
      nextTick(() => queueMicrotask(close));
    };
    this.#wrap = wrap;
    this.#stream = stream;
    // It would free by setImmediate what is freed in doClose already.
    for (const listener of socket.listeners('close') as (() => void)[]) {
      if (listener.name === 'onSocketCloseDestroySSL') socket.removeListener('close', listener);
    }
    return true;
  }

  /** Encrypted bytes from the peer. The memory is the caller's again afterwards. */
  feed(chunk: Uint8Array): void {
    if (this.#wrap === null) this.emit('data', chunk);
    else if (this.#wrap._handle !== null) this.#wrap._handle.readBuffer(chunk);
  }

  /** Tells node:tls that what it wrote is out. It goes on with its output then. */
  confirm(): void {
    while (this.#request !== null || this.#confirms.length > 0) {
      if (this.#stream !== null) this.#confirmTo(this.#stream, 0);
      else for (const confirm of this.#confirms.splice(0)) confirm();
    }
  }

  #confirmTo(stream: NativeStream, status: number): void {
    if (this.#confirms.length > 0) {
      this.#confirms.length = 0;
      this.#wrap?.finishWrite(stream, status);
    }
    const request = this.#request;
    if (request === null) return;
    this.#request = null;
    stream.finishWrite(request, status);
  }

  // Not through the buffers of Duplex.
  override write(chunk: Uint8Array, ...rest: unknown[]): boolean {
    // Not every runtime wants to hear of it.
    const confirm = rest[rest.length - 1];
    if (typeof confirm === 'function') this.#confirms.push(confirm as () => void);
    this.#take(chunk);
    return true;
  }

  override cork(): void {
    // Nothing is held back.
  }

  override uncork(): void {
    // Nothing was held back.
  }

  override end(): this {
    return this;
  }

  /** @internal */
  override _read(): void {
    // It is fed.
  }
}
