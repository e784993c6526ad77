// writing.ts: from the application through the engine to the transport below, as fast as that one takes it. asyncio:
// sslproto.SSLProtocol, "Outgoing flow".

import { LOG_THRESHOLD_FOR_CONNLOST_WRITES } from '../base/constants';
import { AssertionError, isFatal } from '../base/errors';
import { logger } from '../base/log';
import { release, takeTogether } from './chunks';
import type { LowerTransport, SSLProtocol } from './ssl-protocol';
import type { SSLSession } from './session';

export class Writing {
  /** The transport below wants nothing now. */
  pausedBelow = false;
  readonly #protocol: SSLProtocol;
  // Plain bytes that wait for the handshake, and encrypted ones that wait for the transport below.
  readonly #backlog: Uint8Array[] = [];
  #backlogSize = 0;
  readonly #outgoing: Uint8Array[] = [];
  #outgoingSize = 0;
  #tooLate = 0;

  constructor(protocol: SSLProtocol) {
    this.#protocol = protocol;
  }

  /** Bytes that wait: also those that the engine cannot encrypt before the peer has answered. */
  get size(): number {
    return this.#outgoingSize + this.#backlogSize + (this.#protocol._session?.engine.pendingPlain ?? 0);
  }

  write(chunk: Uint8Array): void {
    if (!this.#mayWrite()) return;
    this.#add(chunk);
    this.#written();
  }

  writelines(chunks: readonly Uint8Array[]): void {
    if (!this.#mayWrite()) return;
    for (const chunk of chunks) this.#add(chunk);
    this.#written();
  }

  #mayWrite(): boolean {
    const { _state: state } = this.#protocol;
    if (state === 'wrapped' || state === 'handshake') return true;
    if (this.#tooLate >= LOG_THRESHOLD_FOR_CONNLOST_WRITES) logger.warning('SSL connection is closed');
    this.#tooLate += 1;
    return false;
  }

  #add(chunk: Uint8Array): void {
    this.#backlog.push(chunk);
    this.#backlogSize += chunk.length;
  }

  #written(): void {
    const protocol = this.#protocol;
    try {
      if (protocol._state === 'wrapped') this.writeBacklog();
    } catch (error) {
      if (isFatal(error)) throw error;
      protocol._fatalError(error, 'Fatal error on SSL protocol');
    }
  }

  /** Encrypts everything that waits. */
  writeBacklog(): void {
    if (this.#backlog.length > 0) {
      this.#backlogSize = 0;
      (this.#protocol._session as SSLSession).write(takeTogether(this.#backlog));
      if (this.#protocol._settleFailure()) return;
    }
    this.pushOut();
  }

  /** What the engine encrypted. */
  addOutput(chunk: Uint8Array): void {
    this.#outgoing.push(chunk);
    this.#outgoingSize += chunk.length;
  }

  /** Hands the transport below what there is, and minds the application's flow. */
  pushOut(): void {
    const { _transport: below, _appTransport: above } = this.#protocol;
    if (!this.pausedBelow && this.#outgoing.length > 0) {
      this.#outgoingSize = 0;
      // Together: one system call instead of one for each record.
      if (this.#outgoing.length === 1) {
        const chunk = this.#outgoing.pop() as Uint8Array;
        below?.write(chunk);
        if (this.#isTaken(below)) release(chunk);
      } else {
        const chunks = this.#outgoing.splice(0);
        below?._writeTogether(chunks);
        if (this.#isTaken(below)) for (const chunk of chunks) release(chunk);
      }
    }
    above._controlAppWriting();
  }

  /** Whether nobody has what was written to the transport below any more, not even node:tls. */
  #isTaken(below: LowerTransport | null): boolean {
    return below?.getWriteBufferSize() === 0 && this.#protocol._session?.engine.isImmediate === true;
  }

  pauseBelow(): void {
    if (this.pausedBelow) throw new AssertionError('writing is paused already');
    this.pausedBelow = true;
  }

  resumeBelow(): void {
    if (!this.pausedBelow) throw new AssertionError('writing is not paused');
    this.pausedBelow = false;
    this.pushOut();
  }

  /** Forgets what waits. */
  drop(): void {
    this.#backlog.length = 0;
    this.#backlogSize = 0;
    this.#outgoing.length = 0;
    this.#outgoingSize = 0;
  }

  connectionLost(): void {
    this.drop();
    this.#tooLate += 1;
  }
}
