// sendfile.test.ts: files through sockets and transports, in the kernel and block by block.

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

import { CancelledError, ConnectionError, OSError } from '../../lib/base/errors';
import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import type { Task } from '../../lib/futures/task';
import { SendfileNotAvailableError } from '../../lib/loop/file-source';
import { binding } from '../../lib/native/binding';
import { AF_INET, SOCK_DGRAM, SOL_SOCKET } from '../../lib/sockets/constants';
import { Socket, socketpair } from '../../lib/sockets/socket';
import { Transport } from '../../lib/transports/transport';
import { again } from '../support/errors';
import { useLoop, type DriverName } from '../support/loops';
import { SO_SNDBUF } from '../support/options';
import { NotingProtocol } from '../support/protocols';
import { isWindows, testOnPosix } from '../support/systems';
import { wire } from '../support/transports';

const content = Buffer.alloc(600_000);
for (let index = 0; index < content.length; index++) content[index] = (index * 7) & 0xff;

let folder: string;
let fd: number;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fdloop-'));
  writeFileSync(path.join(folder, 'file'), content);
  writeFileSync(path.join(folder, 'empty'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  fd = openSync(path.join(folder, 'file'), 'r');
});
afterEach(() => {
  jest.restoreAllMocks();
  closeSync(fd);
});

/** The next byte of the file, which tells its position modulo 256. */
function nextByte(): number {
  const byte = Buffer.alloc(1);
  return readSync(fd, byte, 0, 1, null) === 1 ? byte[0] : -1;
}

/** Windows' files keep their position: their numbers belong to the host's C library, which has no seek for others. */
const moved = (position: number): number => (isWindows ? 0 : position);

/** A file without a descriptor. */
class MemoryFile {
  position = 0;

  constructor(
    readonly bytes: Buffer,
    readonly delay = false,
  ) {}

  readInto(buffer: Uint8Array): number | Promise<number> {
    const count = this.bytes.copy(buffer, 0, this.position);
    this.position += count;
    return this.delay ? Promise.resolve(count) : count;
  }

  seek(position: number): void {
    this.position = position;
  }
}

describe.each<DriverName>(['sync', 'hosted'])('sockSendfile, %s', (driver) => {
  const subject = useLoop(driver);
  let sock: Socket;
  let peer: Socket;

  beforeEach(() => {
    [sock, peer] = socketpair();
    sock.setsockopt(SOL_SOCKET, SO_SNDBUF, 65536);
    subject.current.atEnd(() => {
      sock.close();
      peer.close();
    });
  });

  /** Sends and receives beside each other. */
  const through = async (send: () => unknown): Promise<[number, Buffer]> => {
    const { loop } = subject.current;
    const received: Buffer[] = [];
    const receiver = loop.createTask(function* () {
      for (;;) {
        const chunk = yield* loop.sockRecv(peer, 1 << 20);
        if (chunk.length === 0) return;
        received.push(chunk);
      }
    });
    const total = await subject.current.run(function* () {
      const result = yield* send() as Generator<never, number>;
      sock.close();
      yield* receiver;
      return result;
    });
    return [total, Buffer.concat(received)];
  };

  test('SFILE-012, SFILE-013, SFILE-014, SFILE-015: sends the whole file, over several readinesses', async () => {
    const [total, received] = await through(() => subject.current.loop.sockSendfile(sock, fd));
    expect([total, received.equals(content)]).toEqual([content.length, true]);
  });

  test('SFILE-014, SFILE-018: from an offset, a number of bytes; the position ends behind them', async () => {
    const [total, received] = await through(() => subject.current.loop.sockSendfile(sock, { fd }, 1000, 200_000));
    expect([total, received.equals(content.subarray(1000, 201_000))]).toEqual([200_000, true]);
    expect(nextByte()).toBe(content[moved(201_000)]);
  });

  test('SFILE-011: an empty file is 0 at once', async () => {
    const empty = openSync(path.join(folder, 'empty'), 'r');
    const [total, received] = await through(() => subject.current.loop.sockSendfile(sock, { fileno: () => empty }));
    closeSync(empty);
    expect([total, received.length]).toEqual([0, 0]);
  });

  test('SFILE-008: bad parameters are refused', async () => {
    const { loop } = subject.current;
    const datagram = new Socket(AF_INET, SOCK_DGRAM);
    const attempt = (...args: unknown[]) =>
      subject.current.run(loop.sockSendfile(...(args as Parameters<typeof loop.sockSendfile>)));
    await expect(attempt(datagram, fd)).rejects.toMatchObject({ name: 'ValueError' });
    await expect(attempt(sock, fd, 0, 1.5)).rejects.toMatchObject({ name: 'TypeError' });
    await expect(attempt(sock, fd, 0, 0)).rejects.toMatchObject({ name: 'ValueError' });
    await expect(attempt(sock, fd, 0, -1)).rejects.toMatchObject({ name: 'ValueError' });
    await expect(attempt(sock, fd, '0')).rejects.toMatchObject({ name: 'TypeError' });
    await expect(attempt(sock, fd, -1)).rejects.toMatchObject({ name: 'ValueError' });
    datagram.close();
  });

  test('SFILE-010, SFILE-005: what has no descriptor is not for the kernel', async () => {
    const { loop } = subject.current;
    for (const file of [new MemoryFile(content), 9999]) {
      await expect(
        subject.current.run(loop.sockSendfile(sock, file, 0, null, { fallback: false })),
      ).rejects.toBeInstanceOf(SendfileNotAvailableError);
    }
  });

  test('SFILE-016, SFILE-020: a refusal before the first byte falls back to copying', async () => {
    jest.spyOn(binding, 'sendfile').mockReturnValue(-22);
    const [total, received] = await through(() => subject.current.loop.sockSendfile(sock, fd, 5, 500_000));
    expect([total, received.equals(content.subarray(5, 500_005))]).toEqual([500_000, true]);
    expect(nextByte()).toBe(content[moved(500_005)]);
  });

  test('SFILE-020: a file without a descriptor is read and sent, in blocks', async () => {
    for (const file of [new MemoryFile(content), new MemoryFile(content, driver === 'hosted')]) {
      if (sock.fileno() < 0) {
        peer.close();
        [sock, peer] = socketpair();
      }
      const [total, received] = await through(() => subject.current.loop.sockSendfile(sock, file, 10));
      expect([total, received.equals(content.subarray(10)), file.position]).toEqual([
        content.length - 10,
        true,
        content.length,
      ]);
    }
  });

  test('SFILE-016, SFILE-017: an error after the first byte is that error', async () => {
    const { loop } = subject.current;
    const results = [10, -binding.errnoByName.EAGAIN, -binding.errnoByName.ENOTCONN];
    jest.spyOn(binding, 'sendfile').mockImplementation(() => results.shift() ?? 0);
    await expect(subject.current.run(loop.sockSendfile(sock, fd))).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'ENOTCONN',
      message: 'socket is not connected',
      cause: expect.any(OSError),
    });
    expect(nextByte()).toBe(content[moved(10)]);
  });

  test('SFILE-020: what cannot be read is an OSError', async () => {
    const { loop } = subject.current;
    const error = { name: 'OSError', code: 'EBADF', syscall: 'read' };
    await expect(subject.current.run(loop.sockSendfile(sock, 9999))).rejects.toMatchObject(error);
  });

  test('SFILE-019: a cancelled one leaves no writer', async () => {
    const { loop } = subject.current;
    const task = loop.createTask(loop.sockSendfile(sock, fd));
    // Where nothing sends in the kernel, as on Windows, the file is read first.
    do await subject.current.runOnce();
    while (!loop._isWatched(sock.fileno(), EVENT_WRITE));
    task.cancel();
    await expect(subject.current.run(task)).rejects.toBeInstanceOf(CancelledError);
    expect(loop._isWatched(sock.fileno(), EVENT_WRITE)).toBe(false);
  });

  test('SFILE-003: in debug mode a blocking socket is refused', async () => {
    const { loop } = subject.current;
    sock.setblocking(true);
    loop.setDebug(true);
    await expect(subject.current.run(loop.sockSendfile(sock, fd))).rejects.toMatchObject({
      code: 'ERR_SOCKET_BLOCKING',
    });
  });
});

describe('sendfile of a transport', () => {
  const subject = useLoop('sync');

  const receiveAll = function* (sock: Socket, bytes: number) {
    const { loop } = subject.current;
    const chunks: Buffer[] = [];
    for (let left = bytes; left > 0;) {
      const chunk = yield* loop.sockRecv(sock, left);
      if (chunk.length === 0) break;
      chunks.push(chunk);
      left -= chunk.length;
    }
    return Buffer.concat(chunks);
  };

  /** A second one is refused once the first has begun, which sends all of the file and is none the worse for it. */
  const expectOnlyFirst = async (first: Task<number>, transport: Transport, peer: Socket): Promise<void> => {
    await subject.current.runOnce();
    await expect(subject.current.run(subject.current.loop.sendfile(transport, fd))).rejects.toMatchObject({
      name: 'RuntimeError',
      code: 'ERR_SENDFILE_IN_PROGRESS',
    });
    expect(transport.isReading()).toBe(false);
    expect((await subject.current.run(receiveAll(peer, content.length))).equals(content)).toBe(true);
    expect(await subject.current.run(first)).toBe(content.length);
  };

  test('SFILE-001, SFILE-004, SFILE-006, SFILE-026: between what was written before and after', async () => {
    const { loop } = subject.current;
    const { transport, sock, peer } = await wire(subject.current, new NotingProtocol());
    sock.setsockopt(SOL_SOCKET, SO_SNDBUF, 65536);
    sock.script.send.push(again());
    const [sent, received] = await subject.current.run(function* () {
      transport.write(Buffer.from('before'));
      const receiving = loop.createTask(receiveAll(peer, content.length + 11));
      const total = yield* loop.sendfile(transport, fd);
      transport.write(Buffer.from('after'));
      return [total, yield* receiving] as const;
    });
    expect(sent).toBe(content.length);
    expect(received.equals(Buffer.concat([Buffer.from('before'), content, Buffer.from('after')]))).toBe(true);
    expect([transport.isReading(), loop._transports.get(transport._sockFd)]).toEqual([true, transport]);
  });

  // Without sending in the kernel, as on Windows, the transport keeps its descriptor.
  testOnPosix(
    'SFILE-006, SFILE-025: meanwhile reading is paused, writing refused and the descriptor free',
    async () => {
      const { loop } = subject.current;
      const { transport, sock, peer } = await wire(subject.current, new NotingProtocol());
      sock.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
      const task = loop.createTask(loop.sendfile(transport, fd));
      await subject.current.runOnce();
      expect([transport.isReading(), loop._transports.has(transport._sockFd)]).toEqual([false, false]);
      const refused = expect.objectContaining({ code: 'ERR_SENDFILE_IN_PROGRESS' });
      expect(() => transport.write(Buffer.from('x'))).toThrow(refused);
      expect(() => transport.writelines([Buffer.from('x')])).toThrow(refused);
      await subject.current.run(receiveAll(peer, content.length));
      await subject.current.run(task);
      expect(transport.isReading()).toBe(true);
    },
  );

  test('SFILE-002: a closing transport is refused', async () => {
    const { loop } = subject.current;
    const { transport } = await wire(subject.current, new NotingProtocol());
    transport.close();
    await expect(subject.current.run(loop.sendfile(transport, fd))).rejects.toMatchObject({
      name: 'RuntimeError',
      code: 'ERR_TRANSPORT_CLOSING',
    });
  });

  test('SFILE-003, UDP-040: a transport that says nothing of it is refused', async () => {
    const { loop } = subject.current;
    const transport = Object.assign(new Transport(), { isClosing: () => false });
    await expect(subject.current.run(loop.sendfile(transport, fd))).rejects.toMatchObject({
      code: 'ERR_SENDFILE_NOT_SUPPORTED',
    });
  });

  test('SFILE-005: without a fallback, what the kernel cannot send is an error', async () => {
    const { loop } = subject.current;
    const { transport } = await wire(subject.current, new NotingProtocol());
    await expect(
      subject.current.run(loop.sendfile(transport, new MemoryFile(content), 0, null, { fallback: false })),
    ).rejects.toBeInstanceOf(SendfileNotAvailableError);
    Object.assign(transport, { _sendfileCompatible: 'fallback' });
    await expect(subject.current.run(loop.sendfile(transport, fd, 0, null, { fallback: false }))).rejects.toMatchObject(
      { code: 'ERR_SENDFILE_NO_FALLBACK' },
    );
  });

  test('SFILE-009: bad parameters leave the transport as it was', async () => {
    const { loop } = subject.current;
    const { transport } = await wire(subject.current, new NotingProtocol());
    await expect(subject.current.run(loop.sendfile(transport, fd, -1))).rejects.toMatchObject({ name: 'ValueError' });
    transport.write(Buffer.from('still works'));
    expect([transport.isReading(), loop._transports.get(transport._sockFd)]).toEqual([true, transport]);
  });

  test('SFILE-007: a sendfile cancelled while the buffer drains leaves the transport as it was', async () => {
    const { loop } = subject.current;
    const { transport, sock, peer } = await wire(subject.current, new NotingProtocol());
    sock.script.send.push(again(), again(), again(), again());
    transport.write(Buffer.from('buffered '));
    const task = loop.createTask(loop.sendfile(transport, fd));
    await subject.current.runOnce();
    task.cancel();
    await expect(subject.current.run(task)).rejects.toBeInstanceOf(CancelledError);
    expect([transport.isReading(), loop._transports.get(transport._sockFd)]).toEqual([true, transport]);
    transport.write(Buffer.from('and more'));
    const received = await subject.current.run(receiveAll(peer, 17));
    expect(received.toString()).toBe('buffered and more');
  });

  test('TCP-077: a second one is refused while the first is under way, which is none the worse for it', async () => {
    const { loop } = subject.current;
    const { transport, sock, peer } = await wire(subject.current, new NotingProtocol());
    sock.setsockopt(SOL_SOCKET, SO_SNDBUF, 16384);
    const first = loop.createTask(loop.sendfile(transport, fd));
    await expectOnlyFirst(first, transport, peer);
    expect([transport.isReading(), loop._transports.get(transport._sockFd)]).toEqual([true, transport]);
  });

  test('TCP-077: the first may be one that copies', async () => {
    const { loop } = subject.current;
    const { transport, protocol, sock, peer } = await wire(subject.current, new NotingProtocol());
    sock.setsockopt(SOL_SOCKET, SO_SNDBUF, 16384);
    const first = loop.createTask(loop.sendfile(transport, new MemoryFile(content)));
    await expectOnlyFirst(first, transport, peer);
    expect([transport.getProtocol(), transport.isReading()]).toEqual([protocol, true]);
  });

  test('SFILE-007: a transport that closes while its buffer drains sends that, and no file', async () => {
    const { loop } = subject.current;
    const { transport, protocol, sock, peer } = await wire(subject.current, new NotingProtocol());
    sock.script.send.push(again(), again());
    transport.write(Buffer.from('buffered'));
    const task = loop.createTask(loop.sendfile(transport, fd));
    await subject.current.runOnce();
    transport.close();
    await expect(subject.current.run(task)).rejects.toMatchObject({ name: 'ConnectionError', code: 'ECONNABORTED' });
    expect(protocol.events.at(-1)).toEqual(['connectionLost', null]);
    expect((await subject.current.run(receiveAll(peer, 8))).toString()).toBe('buffered');
  });

  test('SFILE-027: an abort in the middle fails the sendfile and leaves nothing watched', async () => {
    const { loop } = subject.current;
    const protocol = new NotingProtocol();
    const { transport, sock } = await wire(subject.current, protocol);
    sock.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
    const number = sock.fileno();
    const task = loop.createTask(loop.sendfile(transport, fd));
    await subject.current.runOnce();
    transport.abort();
    await expect(subject.current.run(task)).rejects.toBeInstanceOf(ConnectionError);
    expect(protocol.events.at(-1)).toEqual(['connectionLost', null]);
    expect([loop._isWatched(number, EVENT_WRITE), loop._isWatched(number, EVENT_READ)]).toEqual([false, false]);
  });

  describe('the fallback', () => {
    const fallback = async (protocol = new NotingProtocol()) => {
      const wired = await wire(subject.current, protocol);
      Object.assign(wired.transport, { _sendfileCompatible: 'fallback' });
      return wired;
    };

    test('SFILE-021, SFILE-022, SFILE-023: sends in blocks with flow control, then the protocol is back', async () => {
      const { loop } = subject.current;
      const { transport, protocol, sock, peer } = await fallback();
      sock.setsockopt(SOL_SOCKET, SO_SNDBUF, 16384);
      let largest = 0;
      const [total, received] = await subject.current.run(function* () {
        const sending = loop.createTask(loop.sendfile(transport, fd, 3));
        yield;
        expect(transport.getProtocol()).not.toBe(protocol);
        expect(transport.isReading()).toBe(false);
        const chunks: Buffer[] = [];
        for (let left = content.length - 3; left > 0;) {
          largest = Math.max(largest, transport.getWriteBufferSize());
          const chunk = yield* loop.sockRecv(peer, left);
          chunks.push(chunk);
          left -= chunk.length;
        }
        return [yield* sending, Buffer.concat(chunks)] as const;
      });
      expect([total, received.equals(content.subarray(3))]).toEqual([content.length - 3, true]);
      expect(largest).toBeLessThanOrEqual(65536 + 16384);
      expect([transport.getProtocol(), transport.isReading()]).toEqual([protocol, true]);
      // Windows' system may leave so much to the transport that it is full when its protocol comes back.
      const foreseen = isWindows ? protocol.names().filter((name) => name !== 'resumeWriting') : protocol.names();
      expect(foreseen).toEqual(['connectionMade']);
      expect(nextByte()).toBe(isWindows ? content[0] : -1);
    });

    test('SFILE-023: a protocol that was paused before is resumed afterwards', async () => {
      const { loop } = subject.current;
      const { transport, protocol, sock, peer } = await fallback();
      transport.setWriteBufferLimits(2);
      sock.script.send.push(again());
      transport.write(Buffer.from('abc'));
      expect(protocol.names().at(-1)).toBe('pauseWriting');
      await subject.current.run(loop.sendfile(transport, fd, 0, 100));
      expect(protocol.names().at(-1)).toBe('resumeWriting');
      expect((await subject.current.run(receiveAll(peer, 103))).length).toBe(103);
    });

    test('SFILE-022, SFILE-024: a lost connection reaches the protocol, and fails the sendfile', async () => {
      const { loop } = subject.current;
      const { transport, protocol, sock } = await fallback();
      sock.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
      const task = loop.createTask(loop.sendfile(transport, fd));
      await subject.current.runOnce();
      await subject.current.runOnce();
      transport.abort();
      await expect(subject.current.run(task)).rejects.toBeInstanceOf(ConnectionError);
      expect(protocol.events.at(-1)).toEqual(['connectionLost', null]);
    });

    test('SFILE-021: a second one is refused while the first is under way', async () => {
      const { loop } = subject.current;
      const { transport, protocol, sock, peer } = await fallback();
      sock.setsockopt(SOL_SOCKET, SO_SNDBUF, 16384);
      const first = loop.createTask(loop.sendfile(transport, fd));
      await expectOnlyFirst(first, transport, peer);
      expect([transport.getProtocol(), transport.isReading()]).toEqual([protocol, true]);
    });

    test('SFILE-021: one that is cancelled when there is room again reports nothing', async () => {
      const { loop } = subject.current;
      const { transport, protocol, sock } = await fallback();
      sock.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
      transport.setWriteBufferLimits(1);
      const task = loop.createTask(loop.sendfile(transport, fd));
      await subject.current.runUntil(() => transport._protocolPaused);
      task.cancel();
      // Before the task hears of it.
      (transport.getProtocol() as NotingProtocol).resumeWriting();
      await expect(subject.current.run(task)).rejects.toBeInstanceOf(CancelledError);
      expect(transport.getProtocol()).toBe(protocol);
    });

    test('SFILE-022: the stand-in refuses data', async () => {
      const { loop } = subject.current;
      const { transport, sock } = await fallback();
      sock.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
      const task = loop.createTask(loop.sendfile(transport, fd));
      await subject.current.runOnce();
      const substitute = transport.getProtocol() as unknown as Record<string, () => void>;
      for (const method of ['connectionMade', 'dataReceived', 'eofReceived']) {
        expect(() => substitute[method]()).toThrow(expect.objectContaining({ name: 'RuntimeError' }));
      }
      task.cancel();
      await expect(subject.current.run(task)).rejects.toBeInstanceOf(CancelledError);
    });
  });
});
