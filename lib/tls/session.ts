// session.ts: the engine of one connection, as its protocol uses it. The engine never calls the protocol from inside of a
// call: what it reports meanwhile is kept, and the caller looks at it afterwards. What comes from the tick queue is
// announced by `onReport`.

import type { OSError } from '../base/errors';
import type { SSLSettings } from './options';
import { SSLEngine } from './ssl-engine';

export interface SSLSessionEvents {
  /** Encrypted bytes for the peer. */
  output(chunk: Uint8Array): void;
  /** Plain bytes of the peer. */
  plain(chunk: Buffer): void;
  /** Something was reported, and nobody is about to look. */
  onReport(): void;
}

export class SSLSession {
  readonly engine: SSLEngine;
  handshakeDone = false;
  /** The peer said goodbye. */
  peerEnded = false;
  #failure: OSError | null = null;
  // The constructor counts as a call: the first flight of a client is made there.
  #inCall = true;

  /** @throws what node:tls throws for options that do not fit */
  constructor(settings: SSLSettings, events: SSLSessionEvents) {
    const report = (): void => {
      if (!this.#inCall) events.onReport();
    };
    this.engine = new SSLEngine(settings, {
      output: (chunk) => {
        events.output(chunk);
        report();
      },
      plain: (chunk) => {
        events.plain(chunk);
        report();
      },
      handshakeDone: () => {
        this.handshakeDone = true;
        report();
      },
      ended: () => {
        if (this.peerEnded) return;
        this.peerEnded = true;
        report();
      },
      failed: (error) => {
        this.#failure = error;
        report();
      },
    });
    this.#inCall = false;
  }

  /** What went wrong, once. */
  takeFailure(): OSError | null {
    const failure = this.#failure;
    this.#failure = null;
    return failure;
  }

  feed(chunk: Uint8Array): void {
    this.#call(feedTo, chunk);
    // The stream knows it already; its event comes with the next tick.
    const { _readableState: state } = this.engine.socket as unknown as { _readableState?: { ended?: boolean } };
    if (state?.ended === true) this.peerEnded = true;
  }

  write(chunk: Uint8Array): void {
    this.#call(writeTo, chunk);
  }

  /** Says goodbye, unless that was said. */
  end(): void {
    if (!this.engine.socket.writableEnded) this.#call(end, NOTHING);
  }

  /** What is reported meanwhile, the caller looks at afterwards. */
  #call(call: (engine: SSLEngine, chunk: Uint8Array) => void, chunk: Uint8Array): void {
    const outer = this.#inCall;
    this.#inCall = true;
    try {
      call(this.engine, chunk);
    } finally {
      this.#inCall = outer;
    }
  }
}

// Not made anew for each message.
const feedTo = (engine: SSLEngine, chunk: Uint8Array): void => engine.feed(chunk);
const writeTo = (engine: SSLEngine, chunk: Uint8Array): void => engine.write(chunk);
const end = (engine: SSLEngine): void => engine.end();
const NOTHING = new Uint8Array(0);
