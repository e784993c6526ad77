// transports.ts: a stream transport on one end of a socket pair, with a test at the other end.

import { isWouldBlock } from '../../lib/base/errors';
import { SO_SNDBUF, widen } from './options';
import { SOL_SOCKET } from '../../lib/sockets/constants';
import { Socket, socketpair } from '../../lib/sockets/socket';
import type { BaseProtocol } from '../../lib/transports/protocol';
import type { SelectorSocketTransport } from '../../lib/transports/socket-transport';
import type { TestLoop } from './loops';

/** A socket that answers from a script: errors to throw and byte counts to allow, in order; then as usual. */
export class ScriptedSocket extends Socket {
  readonly script: Record<'recv' | 'send', (Error | number)[]> = { recv: [], send: [] };
  readonly calls: string[] = [];

  static over(socket: Socket): ScriptedSocket {
    return ScriptedSocket.fromFd(socket.detach()) as ScriptedSocket;
  }

  #next(name: 'recv' | 'send'): number | undefined {
    const step = this.script[name].shift();
    if (step instanceof Error) throw step;
    return step;
  }

  override recv(maxBytes: number): Buffer {
    this.calls.push(`recv ${maxBytes}`);
    return super.recv(this.#next('recv') ?? maxBytes);
  }

  override recvInto(buffer: Uint8Array): number {
    this.calls.push(`recvInto ${buffer.length}`);
    const limit = this.#next('recv');
    return super.recvInto(limit === undefined ? buffer : buffer.subarray(0, limit));
  }

  override send(data: Uint8Array): number {
    this.calls.push(`send ${data.length}`);
    const limit = this.#next('send');
    if (limit === 0) return 0;
    return super.send(limit === undefined ? data : data.subarray(0, limit));
  }

  override sendmsg(chunks: readonly Uint8Array[]): number {
    this.calls.push(`sendmsg ${chunks.length}`);
    const limit = this.#next('send');
    if (limit === 0) return 0;
    if (limit === undefined) return super.sendmsg(chunks);
    return super.send(Buffer.concat(chunks).subarray(0, limit));
  }
}

export interface Wired<P extends BaseProtocol> {
  transport: SelectorSocketTransport;
  protocol: P;
  sock: ScriptedSocket;
  peer: Socket;
  /** Everything that has arrived at the peer and was not read yet. */
  arrived(): Buffer;
}

/** Makes a transport over a socket pair; with `connected` one iteration has run, so that connectionMade was called. */
export async function wire<P extends BaseProtocol>(
  subject: TestLoop,
  protocol: P,
  options: { plain?: boolean; sendBuffer?: number; connected?: boolean } = {},
): Promise<Wired<P>> {
  const [near, peer] = socketpair();
  widen(near, peer);
  const sock = options.plain === true ? (near as ScriptedSocket) : ScriptedSocket.over(near);
  if (options.sendBuffer !== undefined) sock.setsockopt(SOL_SOCKET, SO_SNDBUF, options.sendBuffer);
  const transport = subject.loop._makeSocketTransport(sock, protocol);
  subject.atEnd(() => {
    if (sock instanceof ScriptedSocket) sock.script.send.length = 0;
    transport.abort();
    peer.close();
  });
  if (options.connected !== false) await subject.runOnce();
  const arrived = (): Buffer => {
    const chunks: Buffer[] = [];
    for (;;) {
      try {
        const chunk = peer.recv(1 << 20);
        if (chunk.length === 0) break;
        chunks.push(chunk);
      } catch (error) {
        if (!isWouldBlock(error)) throw error;
        break;
      }
    }
    return Buffer.concat(chunks);
  };
  return { transport, protocol, sock, peer, arrived };
}
