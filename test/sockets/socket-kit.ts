// socket-kit.ts: sockets that a test closes at its end, pairs of them over every kind of road, and waiting.

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import { DefaultSelector } from '../../lib/selectors/selectors';
import type { Address } from '../../lib/sockets/address';
import { AF_INET, AF_INET6, PAIR_FAMILY, SOCK_DGRAM, SOCK_STREAM } from '../../lib/sockets/constants';
import { Socket, socketpair } from '../../lib/sockets/socket';
import { widen } from '../support/options';
import { isLinux, isWindows } from '../support/systems';

export class SocketKit {
  readonly #cleanups: (() => void)[] = [];

  own<T extends { close(): void }>(resource: T): T {
    this.#cleanups.push(() => resource.close());
    return resource;
  }

  socket(family: number = AF_INET, type: number = SOCK_STREAM): Socket {
    return this.own(new Socket(family, type));
  }

  pair(type: number = SOCK_STREAM): [Socket, Socket] {
    if (type === SOCK_DGRAM && isWindows) return this.#datagramPair();
    const pair = socketpair(PAIR_FAMILY, type);
    for (const socket of pair) this.own(socket);
    widen(...pair);
    return pair;
  }

  /** Two sockets for UDP that have each other as their peer. */
  #datagramPair(): [Socket, Socket] {
    const pair: [Socket, Socket] = [this.receiver(), this.receiver()];
    pair[0].connectEx(pair[1].getsockname() as Address);
    pair[1].connectEx(pair[0].getsockname() as Address);
    return pair;
  }

  listener(family: number = AF_INET, address: Address = ['127.0.0.1', 0]): Socket {
    const listener = this.socket(family);
    listener.bind(address);
    listener.listen();
    return listener;
  }

  /** A connection: [the one that connected, the one that was accepted]. */
  connection(family: number = AF_INET, address: Address = ['127.0.0.1', 0]): [Socket, Socket] {
    const listener = this.listener(family, address);
    const client = this.socket(family);
    client.connectEx(listener.getsockname() as Address);
    waitFor(listener, EVENT_READ);
    const [server] = listener.accept();
    this.own(server);
    waitFor(client, EVENT_WRITE);
    return [client, server];
  }

  /** A socket for datagrams with an address. */
  receiver(family: number = AF_INET, address: Address = ['127.0.0.1', 0]): Socket {
    const socket = this.socket(family, SOCK_DGRAM);
    socket.bind(address);
    return socket;
  }

  folder(): string {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fdloop-test-'));
    this.#cleanups.push(() => fs.rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  close(): void {
    for (const cleanup of this.#cleanups.splice(0).reverse()) cleanup();
  }
}

/** A kit for each test. */
export function useSocketKit(): { readonly current: SocketKit } {
  let kit = new SocketKit();
  beforeEach(() => {
    kit = new SocketKit();
  });
  afterEach(() => kit.close());
  return {
    get current() {
      return kit;
    },
  };
}

/** Waits until `socket` is ready for `events`. */
export function waitFor(socket: Socket, events: number): void {
  const selector = new DefaultSelector();
  selector.register(socket, events);
  const entries = selector.select(10);
  selector.close();
  if (entries.length === 0) throw new Error('the socket did not become ready');
}

/** Receives exactly `length` bytes, waiting for them. */
export function receiveAll(socket: Socket, length: number): Buffer {
  const chunks: Buffer[] = [];
  for (let left = length; left > 0;) {
    waitFor(socket, EVENT_READ);
    const chunk = socket.recv(left);
    if (chunk.length === 0) throw new Error('the stream ended early');
    chunks.push(chunk);
    left -= chunk.length;
  }
  return Buffer.concat(chunks);
}

/** The name of the loopback interface. */
export const LOOPBACK = isLinux
  ? 'lo'
  : (Object.entries(os.networkInterfaces()).find(([, list]) => list?.some(({ internal }) => internal))?.[0] ?? '');

/** Whether this machine has IPv6 on its loopback interface. */
export function hasInet6(): boolean {
  const socket = new Socket(AF_INET6);
  try {
    socket.bind(['::1', 0]);
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

/** What `action` throws. */
export function thrownBy(action: () => unknown): Error & { code?: string; errno?: number; syscall?: string } {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** Bytes that look random, and are the same in every run. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    bytes[index] = state >> 16;
  }
  return bytes;
}
