// selector-kit.ts: what the tests of selectors wait for: sockets, pipes, files, and somebody who acts while we wait.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Worker } from 'node:worker_threads';

import { addonFile } from '../../lib/native/binding';
import { socketpair, Socket } from '../../lib/sockets/socket';

/** Everything that one test opens; `close` closes it. */
export class SelectorKit {
  readonly #cleanups: (() => void | Promise<void>)[] = [];

  own<T extends { close(): void }>(resource: T): T {
    this.#cleanups.push(() => resource.close());
    return resource;
  }

  pair(): [Socket, Socket] {
    const pair = socketpair();
    for (const socket of pair) this.own(socket);
    return pair;
  }

  /** A pair whose first socket has the descriptor `fd`, which has just been closed. */
  pairWithFd(fd: number): [Socket, Socket] {
    const isConnection = process.platform === 'win32';
    for (let tries = 0; tries < 64; tries++) {
      // Where a pair is a connection, its listener would take the number: there the first socket is made before it.
      const [first, second] = isConnection ? [this.own(new Socket())] : this.pair();
      if (first.fileno() === fd) return [first, second ?? this.#connect(first)];
      if (second?.fileno() === fd) return [second, first];
    }
    throw new Error(`descriptor ${fd} is taken`);
  }

  /** The other end of a connection. */
  #connect(client: Socket): Socket {
    const listener = this.own(new Socket());
    listener.bind(['127.0.0.1', 0]);
    listener.listen(1);
    client.setblocking(true);
    client.connect(listener.getsockname() as [string, number]);
    client.setblocking(false);
    listener.setblocking(true);
    return this.own(listener.accept()[0]);
  }

  #folder(): string {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fdloop-test-'));
    this.#cleanups.push(() => fs.rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  /** A regular file's descriptor. */
  file(): number {
    return this.fd(fs.openSync(path.join(this.#folder(), 'file'), 'w+'));
  }

  /** A pipe: unlike a socket it has one direction, and a hang-up of its own. */
  pipe(): { reader: number; writer: number } {
    const name = path.join(this.#folder(), 'pipe');
    const { status } = spawnSync('mkfifo', [name]);
    if (status !== 0) throw new Error('mkfifo failed');
    const reader = this.fd(fs.openSync(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK));
    return { reader, writer: this.fd(fs.openSync(name, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK)) };
  }

  /** Owns a bare descriptor; `closeFd` closes it earlier. */
  fd(fd: number): number {
    this.#open.add(fd);
    this.#cleanups.push(() => this.closeFd(fd));
    return fd;
  }

  readonly #open = new Set<number>();

  closeFd(fd: number): void {
    if (this.#open.delete(fd)) fs.closeSync(fd);
  }

  /** Somebody who sends a byte to the socket `fd` once this thread sleeps in the kernel after `go` was called. */
  async writerWhileAsleep(fd: number): Promise<{ go: () => void }> {
    const shared = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(
      `const { parentPort, workerData: { shared, fd, pid, addonFile } } = require('node:worker_threads');
       const fs = require('node:fs');
       const stat = '/proc/' + pid + '/task/' + pid + '/stat';
       // Wine shows the numbers of another system's processes there.
       const canTell = process.platform === 'linux' && fs.existsSync(stat);
       const isAsleep = () => fs.readFileSync(stat, 'latin1').split(') ')[1][0] === 'S';
       parentPort.postMessage('up');
       Atomics.wait(shared, 0, 0);
       // Where nobody tells what a thread does, it is given a moment: written too early, the byte is there all the same.
       if (!canTell) Atomics.wait(shared, 0, 1, 20);
       while (canTell && !isAsleep());
       require(addonFile).send(fd, Buffer.from('x'), 0, 1, 0);`,
      { eval: true, workerData: { shared, fd, pid: process.pid, addonFile } },
    );
    const exited = once(worker, 'exit');
    this.#cleanups.push(async () => {
      Atomics.store(shared, 0, 1);
      Atomics.notify(shared, 0);
      await exited;
    });
    await once(worker, 'message');
    return {
      go: () => {
        Atomics.store(shared, 0, 1);
        Atomics.notify(shared, 0);
      },
    };
  }

  async close(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup();
  }
}

/** A kit for each test of the enclosing suite. */
export function useSelectorKit(): { readonly current: SelectorKit } {
  let kit = new SelectorKit();
  beforeEach(() => {
    kit = new SelectorKit();
  });
  afterEach(() => kit.close());
  return {
    get current() {
      return kit;
    },
  };
}

/** What `action` throws. */
export function thrownBy(action: () => unknown): Error & { code?: string; syscall?: string } {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** Sends until the other side takes no more. */
export function fill(socket: Socket): void {
  const chunk = Buffer.alloc(64 * 1024);
  while (socket._send(chunk) > 0);
}
