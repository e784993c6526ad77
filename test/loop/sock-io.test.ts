// sock-io.test.ts: the sock verbs: try first, wait if it would block, leave nothing behind.

import { unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

import { CancelledError, KeyboardInterrupt, OSError } from '../../lib/base/errors';
import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import { sleep } from '../../lib/futures/sleep';
import { binding } from '../../lib/native/binding';
import { AF_INET, AF_INET6, AF_UNIX, SO_ERROR, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET } from '../../lib/sockets/constants';
import { Socket, socketpair } from '../../lib/sockets/socket';
import { Protocol } from '../../lib/transports/protocol';
import { detach } from '../support/detach';
import { again, interrupted } from '../support/errors';
import { useLoop } from '../support/loops';
import { SO_SNDBUF } from '../support/options';
import { ScriptedSocket } from '../support/transports';
import { testOnLinux, testOnPosix, testWithUnixSockets } from '../support/systems';

// TypeScript's library of our language level does not know them yet.
type Resizable = ArrayBuffer & { resize(byteLength: number): void };
type ResizableClass = new (byteLength: number, options: { maxByteLength: number }) => Resizable;

const ownError = (): OSError => new OSError('input/output', { code: 'EIO', errno: -5 });

describe('sock verbs', () => {
  const subject = useLoop('sync');
  let sock: ScriptedSocket;
  let peer: Socket;

  beforeEach(() => {
    const [near, far] = socketpair();
    sock = ScriptedSocket.over(near);
    peer = far;
    subject.current.atEnd(() => {
      sock.close();
      peer.close();
    });
  });

  const iterate = async (count = 1): Promise<void> => {
    for (let index = 0; index < count; index++) await subject.current.runOnce();
  };
  const watched = (event: number, fd = sock.fileno()): boolean => subject.current.loop._isWatched(fd, event);
  const listener = (): Socket => {
    const socket = new Socket(AF_INET, SOCK_STREAM);
    socket.bind(['127.0.0.1', 0]);
    socket.listen();
    subject.current.atEnd(() => socket.close());
    return socket;
  };

  describe('arguments', () => {
    test('SOCK-001: what is no bare socket is a TypeError', async () => {
      const { loop } = subject.current;
      const notSockets = [null, {}, 5, { fileno: () => 1 }] as never[];
      for (const value of notSockets) {
        for (const coroutine of [
          () => loop.sockRecv(value, 1),
          () => loop.sockRecvInto(value, Buffer.alloc(1)),
          () => loop.sockRecvfrom(value, 1),
          () => loop.sockRecvfromInto(value, Buffer.alloc(1)),
          () => loop.sockSendall(value, Buffer.alloc(1)),
          () => loop.sockSendto(value, Buffer.alloc(1), ''),
          () => loop.sockConnect(value, ''),
          () => loop.sockAccept(value),
        ]) {
          await expect(subject.current.run<unknown>(coroutine())).rejects.toMatchObject({
            code: 'ERR_INVALID_ARG_TYPE',
          });
        }
      }
    });

    test('SOCK-002: in debug mode a blocking socket is a ValueError; otherwise it is not looked at', async () => {
      const { loop } = subject.current;
      sock.setblocking(true);
      peer.send(Buffer.from('x'));
      expect((await subject.current.run(loop.sockRecv(sock, 1))).toString()).toBe('x');
      loop.setDebug(true);
      await expect(subject.current.run(loop.sockRecv(sock, 1))).rejects.toMatchObject({ code: 'ERR_SOCKET_BLOCKING' });
      await expect(subject.current.run(loop.sockSendall(sock, Buffer.from('x')))).rejects.toMatchObject({
        name: 'ValueError',
      });
    });

    test('SOCK-017: negative sizes are a ValueError, zero gives nothing', async () => {
      const { loop } = subject.current;
      await expect(subject.current.run(loop.sockRecv(sock, -1))).rejects.toMatchObject({ name: 'ValueError' });
      peer.send(Buffer.from('x'));
      expect(await subject.current.run(loop.sockRecv(sock, 0))).toHaveLength(0);
    });
  });

  describe('try first', () => {
    test('SOCK-004: what can be done at once costs no iteration', async () => {
      const { loop } = subject.current;
      const seen: string[] = [];
      peer.send(Buffer.from('abcdef'));
      await subject.current.run(function* () {
        loop.callSoon(() => seen.push('next iteration'));
        yield* loop.sockRecv(sock, 1);
        yield* loop.sockRecvInto(sock, Buffer.alloc(1));
        yield* loop.sockRecvfrom(sock, 1);
        yield* loop.sockRecvfromInto(sock, Buffer.alloc(1));
        yield* loop.sockSendall(sock, Buffer.from('x'));
        seen.push('all done');
        yield;
      });
      expect(seen).toEqual(['all done', 'next iteration']);
    });

    test.each([again, interrupted])('SOCK-005: %p makes it wait; any other error is thrown at once', async (make) => {
      const { loop } = subject.current;
      peer.send(Buffer.from('x'));
      sock.script.recv.push(make());
      expect((await subject.current.run(loop.sockRecv(sock, 5))).toString()).toBe('x');
      expect(sock.calls).toEqual(['recv 5', 'recv 5']);
      const error = ownError();
      sock.script.recv.push(error);
      await expect(subject.current.run(loop.sockRecv(sock, 5))).rejects.toBe(error);
      expect(watched(EVENT_READ)).toBe(false);
    });

    test('SOCK-006: a transport’s socket can be read while there is data; having to wait is a RuntimeError', async () => {
      const { loop } = subject.current;
      const transport = loop._makeSocketTransport(sock, new Protocol());
      transport.pauseReading();
      await iterate();
      peer.send(Buffer.from('stolen'));
      expect((await subject.current.run(loop.sockRecv(sock, 10))).toString()).toBe('stolen');
      await expect(subject.current.run(loop.sockRecv(sock, 10))).rejects.toMatchObject({ code: 'ERR_FD_IN_USE' });
      transport.abort();
    });

    test('SOCK-049: a closed socket fails at once', async () => {
      const { loop } = subject.current;
      sock.close();
      await expect(subject.current.run(loop.sockRecv(sock, 1))).rejects.toMatchObject({
        name: 'OSError',
        code: 'EBADF',
      });
    });
  });

  describe('waiting', () => {
    test('SOCK-007, SOCK-010: the reader stays until the done callback runs, an iteration after the result', async () => {
      const { loop } = subject.current;
      const task = loop.createTask(loop.sockRecv(sock, 10));
      await iterate();
      expect(watched(EVENT_READ)).toBe(true);
      peer.send(Buffer.from('x'));
      await iterate();
      expect([watched(EVENT_READ), task.done()]).toEqual([true, false]);
      await iterate();
      expect([watched(EVENT_READ), task.done()]).toEqual([false, true]);
      expect(task.result().toString()).toBe('x');
    });

    test('SOCK-008: readiness after the future is done does nothing', async () => {
      const { loop } = subject.current;
      const task = loop.createTask(loop.sockRecv(sock, 10));
      await iterate();
      peer.send(Buffer.from('first'));
      await iterate();
      peer.send(Buffer.from('second'));
      sock.calls.length = 0;
      await iterate();
      expect(sock.calls).toEqual([]);
      expect(task.result().toString()).toBe('first');
    });

    test('SOCK-009, SOCK-046: an error while waiting ends it, with its class and code; would-block waits on', async () => {
      const { loop } = subject.current;
      const error = ownError();
      sock.script.recv.push(again(), again(), error);
      peer.send(Buffer.from('x'));
      const task = loop.createTask(loop.sockRecv(sock, 10));
      await iterate(5);
      expect(task.exception()).toBe(error);
      expect(sock.calls).toHaveLength(3);
    });

    test('SOCK-009: the fatal pair ends the run', async () => {
      const { loop } = subject.current;
      sock.script.recv.push(again(), new KeyboardInterrupt());
      peer.send(Buffer.from('x'));
      const task = loop.createTask(loop.sockRecv(sock, 10));
      await expect(subject.current.run(task)).rejects.toBeInstanceOf(KeyboardInterrupt);
      task.cancel();
      await iterate(2);
      expect(watched(EVENT_READ)).toBe(false);
    });

    test('SOCK-011, SOCK-016: the clean-up of a cancelled receive leaves the next one alone', async () => {
      const { loop } = subject.current;
      const first = loop.createTask(loop.sockRecv(sock, 10));
      await iterate();
      first.cancel();
      const second = loop.createTask(loop.sockRecv(sock, 10));
      await iterate(2);
      expect(watched(EVENT_READ)).toBe(true);
      peer.send(Buffer.from('x'));
      expect((await subject.current.run(second)).toString()).toBe('x');
      expect(first.cancelled()).toBe(true);
    });

    test('SOCK-012: a transport that took the descriptor over meanwhile makes the removal an error', async () => {
      const { loop } = subject.current;
      const task = loop.createTask(loop.sockRecv(sock, 10));
      await iterate();
      peer.send(Buffer.from('x'));
      await iterate();
      const transport = loop._makeSocketTransport(sock, new Protocol());
      await iterate();
      expect(subject.current.takeContexts()[0].exception).toMatchObject({ code: 'ERR_FD_IN_USE' });
      expect(task.done()).toBe(true);
      transport.abort();
    });

    test('SOCK-013, SOCK-014: a cancelled receive has no reader when its task hears of it, and took no data', async () => {
      const { loop } = subject.current;
      let readerLeft: boolean | undefined;
      const task = loop.createTask(async () => {
        try {
          await loop.sockRecv(sock, 10);
        } catch (error) {
          readerLeft = watched(EVENT_READ);
          throw error;
        }
      });
      await iterate();
      peer.send(Buffer.from('kept'));
      task.cancel();
      await iterate(2);
      expect([task.cancelled(), readerLeft]).toEqual([true, false]);
      expect(sock.recv(10).toString()).toBe('kept');
    });

    test('SOCK-015: of two receives on one socket the first never ends, until it is cancelled', async () => {
      const { loop } = subject.current;
      const first = loop.createTask(loop.sockRecv(sock, 10));
      await iterate();
      const second = loop.createTask(loop.sockRecv(sock, 10));
      await iterate();
      peer.send(Buffer.from('ab'));
      await iterate(3);
      expect([first.done(), second.done()]).toEqual([false, true]);
      first.cancel();
      await iterate(2);
      expect(first.cancelled()).toBe(true);
    });

    test('SOCK-048: closing the socket does not wake the one who waits', async () => {
      const { loop } = subject.current;
      const [near, far] = socketpair();
      const task = loop.createTask(loop.sockRecv(near, 10));
      await iterate();
      near.close();
      await iterate(2);
      expect(task.done()).toBe(false);
      task.cancel();
      await iterate(2);
      far.close();
    });
  });

  describe('receiving', () => {
    test('SOCK-017, SOCK-018: gives what there is, and nothing at the end of the stream', async () => {
      const { loop } = subject.current;
      peer.send(Buffer.from('abcdef'));
      expect((await subject.current.run(loop.sockRecv(sock, 4))).toString()).toBe('abcd');
      const buffer = Buffer.alloc(8, '.');
      expect(await subject.current.run(loop.sockRecvInto(sock, buffer))).toBe(2);
      expect(buffer.toString()).toBe('ef......');
      peer.close();
      expect(await subject.current.run(loop.sockRecv(sock, 4))).toHaveLength(0);
      expect(await subject.current.run(loop.sockRecvInto(sock, buffer))).toBe(0);
    });

    test('SOCK-019, SOCK-020, SOCK-026, SOCK-027: datagrams come with their sender', async () => {
      const { loop } = subject.current;
      const [a, b] = [new Socket(AF_INET, SOCK_DGRAM), new Socket(AF_INET, SOCK_DGRAM)];
      a.bind(['127.0.0.1', 0]);
      b.bind(['127.0.0.1', 0]);
      const [from, to] = [a.getsockname(), b.getsockname()] as [string, number][];
      const receiving = loop.createTask(loop.sockRecvfrom(b, 100));
      await iterate();
      expect(await subject.current.run(loop.sockSendto(a, Buffer.from('hello'), to))).toBe(5);
      const [data, sender] = await subject.current.run(receiving);
      expect([data.toString(), sender]).toEqual(['hello', from]);
      await subject.current.run(loop.sockSendto(a, Buffer.from('again'), to));
      const buffer = Buffer.alloc(8, '.');
      expect(await subject.current.run(loop.sockRecvfromInto(b, buffer))).toEqual([5, from]);
      await subject.current.run(loop.sockSendto(a, Buffer.from('again'), to));
      expect(await subject.current.run(loop.sockRecvfromInto(b, buffer, 2))).toEqual([2, from]);
      a.close();
      b.close();
    });

    test('SOCK-027: a send that would block is repeated with flags 0', async () => {
      const { loop } = subject.current;
      const calls: unknown[][] = [];
      const sender = Object.assign(Object.create(sock) as ScriptedSocket, {
        fileno: () => sock.fileno(),
        recv: () => Buffer.alloc(0),
        sendto: (...args: unknown[]) => {
          calls.push(args);
          if (calls.length === 1) throw again();
          return 3;
        },
      });
      const data = Buffer.from('abc');
      expect(await subject.current.run(loop.sockSendto(sender, data, 'to'))).toBe(3);
      expect(calls).toEqual([
        [data, 'to'],
        [data, 0, 'to'],
      ]);
    });
  });

  describe('sending', () => {
    test('SOCK-021: all at once does not wait, no data neither', async () => {
      const { loop } = subject.current;
      expect(await subject.current.run(loop.sockSendall(sock, Buffer.from('abc')))).toBeUndefined();
      expect(await subject.current.run(loop.sockSendall(sock, Buffer.alloc(0)))).toBeUndefined();
      expect(peer.recv(10).toString()).toBe('abc');
      await expect(subject.current.run(loop.sockSendall(sock, 'text' as never))).rejects.toMatchObject({
        code: 'ERR_INVALID_ARG_TYPE',
      });
    });

    test('SOCK-022, SOCK-023, SOCK-024: goes on where it stopped, one send for each readiness', async () => {
      const { loop } = subject.current;
      sock.script.send.push(again(), 2, again(), 1);
      const task = loop.createTask(loop.sockSendall(sock, Buffer.from('abcdefg')));
      await iterate();
      expect([sock.calls, watched(EVENT_WRITE)]).toEqual([['send 7'], true]);
      await subject.current.run(task);
      expect(sock.calls).toEqual(['send 7', 'send 7', 'send 5', 'send 5', 'send 4']);
      expect([peer.recv(10).toString(), watched(EVENT_WRITE)]).toEqual(['abcdefg', false]);
    });

    test('memory that goes while it waits to be filled is an error, not the end of the stream', async () => {
      const { loop } = subject.current;
      for (const receive of [
        (buffer: Uint8Array) => loop.sockRecvInto(sock, buffer),
        (buffer: Uint8Array) => loop.sockRecvfromInto(sock, buffer),
      ]) {
        const buffer = new Uint8Array(10);
        const task = loop.createTask<unknown>(receive(buffer));
        await iterate();
        detach(buffer.buffer);
        peer.send(Buffer.from('x'));
        await expect(subject.current.run(task)).rejects.toMatchObject({ code: 'ERR_MEMORY_CHANGED' });
        // What has come is still there.
        expect(sock.recv(10).toString()).toBe('x');
      }
    });

    test('SOCK-047: the memory stays the caller’s: a change before it is sent is sent', async () => {
      const { loop } = subject.current;
      sock.script.send.push(again());
      const data = Buffer.from('aaaa');
      const task = loop.createTask(loop.sockSendall(sock, data));
      await iterate();
      data.fill('b');
      await subject.current.run(task);
      expect(peer.recv(10).toString()).toBe('bbbb');
    });

    test('memory that shrinks or goes before all of it is sent is an error, and nothing is watched', async () => {
      const { loop } = subject.current;
      // Node 18 has no memory that can be resized.
      const shrinks =
        'resize' in ArrayBuffer.prototype ? [(buffer: ArrayBuffer) => (buffer as Resizable).resize(3)] : [];
      for (const shrink of [detach, ...shrinks]) {
        sock.script.send.push(5, again());
        const buffer = new (ArrayBuffer as unknown as ResizableClass)(10, { maxByteLength: 10 });
        const task = loop.createTask(loop.sockSendall(sock, new Uint8Array(buffer)));
        await iterate(2);
        shrink(buffer);
        await iterate(3);
        expect([task.done(), watched(EVENT_WRITE)]).toEqual([true, false]);
        expect(task.exception()).toMatchObject({ name: 'ValueError', code: 'ERR_MEMORY_CHANGED' });
      }
    });

    // Windows sends all or nothing.
    testOnPosix('SOCK-025: a cancelled one may have sent a part', async () => {
      const { loop } = subject.current;
      sock.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
      const task = loop.createTask(loop.sockSendall(sock, Buffer.alloc(1 << 20)));
      await iterate(2);
      task.cancel();
      await iterate(2);
      expect([task.cancelled(), watched(EVENT_WRITE)]).toEqual([true, false]);
      expect(peer.recv(1 << 20).length).toBeGreaterThan(0);
    });

    // Of a TCP peer, as a pair on Windows has, the first send hears nothing.
    testOnPosix('SOCK-050: a closed peer is a BrokenPipeError, not a signal', async () => {
      const { loop } = subject.current;
      peer.close();
      await expect(subject.current.run(loop.sockSendall(sock, Buffer.from('x')))).rejects.toMatchObject({
        name: 'BrokenPipeError',
        code: 'EPIPE',
      });
    });
  });

  describe('accepting', () => {
    test('SOCK-037, SOCK-038: one that waits is taken at once: a non-blocking socket and its peer', async () => {
      const { loop } = subject.current;
      const server = listener();
      const client = new Socket();
      client.setblocking(true);
      client.connect(server.getsockname() as [string, number]);
      const seen: string[] = [];
      const [accepted, address] = await subject.current.run(function* () {
        loop.callSoon(() => seen.push('next iteration'));
        const result = yield* loop.sockAccept(server);
        seen.push('accepted');
        return result;
      });
      expect(seen[0]).toBe('accepted');
      expect([accepted.gettimeout(), address]).toEqual([0, client.getsockname()]);
      accepted.close();
      client.close();
    });

    test('SOCK-039, SOCK-042: waits, through spurious readiness, and a cancelled one leaves no reader', async () => {
      const { loop } = subject.current;
      const server = listener();
      const waiting = loop.createTask(loop.sockAccept(server));
      await iterate();
      expect(watched(EVENT_READ, server.fileno())).toBe(true);
      const client = new Socket();
      client.setblocking(true);
      client.connect(server.getsockname() as [string, number]);
      const [accepted] = await subject.current.run(waiting);
      const cancelled = loop.createTask(loop.sockAccept(server));
      await iterate();
      cancelled.cancel();
      await iterate(2);
      expect([cancelled.cancelled(), watched(EVENT_READ, server.fileno())]).toEqual([true, false]);
      accepted.close();
      client.close();
    });

    test('SOCK-040: one that was cancelled in this batch takes no connection, and reports nothing', async () => {
      const { loop } = subject.current;
      const server = listener();
      const waiting = loop.createTask(loop.sockAccept(server));
      await iterate();
      const client = new Socket();
      client.setblocking(true);
      client.connect(server.getsockname() as [string, number]);
      loop.callSoon(() => waiting.cancel());
      await iterate(3);
      expect(waiting.cancelled()).toBe(true);
      const [accepted] = server.accept();
      expect(accepted.getpeername()).toEqual(client.getsockname());
      accepted.close();
      client.close();
    });

    test('SOCK-040: one that is cancelled after it has taken a connection closes it', async () => {
      const { loop } = subject.current;
      const server = listener();
      const taken: Socket[] = [];
      server.accept = () => {
        const accepted = Socket.prototype.accept.call(server);
        taken.push(accepted[0]);
        // Before the task is told.
        loop.callSoon(() => waiting.cancel());
        return accepted;
      };
      const waiting = loop.createTask(loop.sockAccept(server));
      await iterate();
      const client = new Socket();
      client.setblocking(true);
      client.connect(server.getsockname() as [string, number]);
      await subject.current.run(waiting).catch(() => undefined);
      expect([waiting.cancelled(), taken.map((socket) => socket.fileno())]).toEqual([true, [-1]]);
      expect(client.recv(1)).toHaveLength(0);
      client.close();
    });

    test('SOCK-041: a listening descriptor of a transport is refused, after trying', async () => {
      const { loop } = subject.current;
      const transport = loop._makeSocketTransport(sock, new Protocol());
      sock.accept = () => {
        throw again();
      };
      await expect(subject.current.run(loop.sockAccept(sock))).rejects.toMatchObject({ code: 'ERR_FD_IN_USE' });
      transport.abort();
    });
  });

  describe('connecting', () => {
    test('SOCK-031: connects, at once or when the descriptor is writable', async () => {
      const { loop } = subject.current;
      const server = listener();
      const client = new Socket();
      expect(
        await subject.current.run(loop.sockConnect(client, server.getsockname() as [string, number])),
      ).toBeUndefined();
      const [accepted] = server.accept();
      expect(client.getpeername()).toEqual(server.getsockname());
      expect(watched(EVENT_WRITE, client.fileno())).toBe(false);
      accepted.close();
      client.close();
    });

    test('SOCK-033: a refused one says so, with the address', async () => {
      const { loop } = subject.current;
      const server = listener();
      const [host, port] = server.getsockname() as [string, number];
      server.close();
      const client = new Socket();
      await expect(subject.current.run(loop.sockConnect(client, [host, port]))).rejects.toMatchObject({
        name: 'ConnectionRefusedError',
        code: 'ECONNREFUSED',
        address: host,
        port,
      });
      client.close();
    });

    test('SOCK-029: an internet address needs a host and a port', async () => {
      const { loop } = subject.current;
      const client = new Socket();
      for (const address of ['127.0.0.1', ['127.0.0.1'], 5]) {
        await expect(subject.current.run(loop.sockConnect(client, address as never))).rejects.toMatchObject({
          name: 'ValueError',
        });
      }
      client.close();
    });

    test('SOCK-028: a name is resolved with the socket’s own family, type and protocol', async () => {
      const { loop } = subject.current;
      const server = listener();
      const [host, port] = server.getsockname() as [string, number];
      const asked: unknown[] = [];
      const getaddrinfo = loop.getaddrinfo.bind(loop);
      loop.getaddrinfo = (name, service, options) => {
        asked.push([name, service, options]);
        return getaddrinfo(host, port, options);
      };
      const client = new Socket();
      await subject.current.run(loop.sockConnect(client, ['some.name', port]));
      expect(asked).toEqual([['some.name', port, { family: AF_INET, type: SOCK_STREAM, proto: 0 }]]);
      expect(client.getpeername()).toEqual([host, port]);
      client.close();
    });

    test('SOCK-028: the port may be text, also of a numeric host', async () => {
      const { loop } = subject.current;
      const server = listener();
      const [host, port] = server.getsockname() as [string, number];
      const client = new Socket();
      await subject.current.run(loop.sockConnect(client, [host, String(port)] as never));
      expect(client.getpeername()).toEqual([host, port]);
      client.close();
    });

    test('SOCK-028: the scope of a numeric IPv6 address goes along', async () => {
      const { loop } = subject.current;
      const given: unknown[] = [];
      // Also where the system has no IPv6.
      const client = Object.assign(Object.create(sock) as ScriptedSocket, {
        family: AF_INET6,
        type: SOCK_STREAM,
        proto: 0,
        fileno: () => sock.fileno(),
        recv: () => Buffer.alloc(0),
        connect: (address: unknown) => given.push(address),
      });
      await subject.current.run(loop.sockConnect(client, ['fe80::1', '80', 5, 3] as never));
      await subject.current.run(loop.sockConnect(client, ['::1', 80]));
      expect(given).toEqual([
        ['fe80::1', 80, 5, 3],
        ['::1', 80, undefined, undefined],
      ]);
    });

    testWithUnixSockets('SOCK-030: a Unix address goes straight to connect', async () => {
      const { loop } = subject.current;
      const server = new Socket(AF_UNIX, SOCK_STREAM);
      const name = path.join(tmpdir(), `fdloop-${process.pid}-sock-030`);
      server.bind(name);
      server.listen();
      const client = new Socket(AF_UNIX, SOCK_STREAM);
      await subject.current.run(loop.sockConnect(client, name));
      expect(client.getpeername()).toBe(name);
      client.close();
      server.close();
      unlinkSync(name);
    });

    // Others refuse the connection.
    testOnLinux('SOCK-036: a full backlog of a Unix socket is an error, not a success', async () => {
      const { loop } = subject.current;
      const server = new Socket(AF_UNIX, SOCK_STREAM);
      const name = `\0fdloop-${process.pid}-sock-036`;
      server.bind(name);
      server.listen(0);
      const clients: Socket[] = [];
      let failure: unknown;
      for (let index = 0; index < 10 && failure === undefined; index++) {
        const client = new Socket(AF_UNIX, SOCK_STREAM);
        clients.push(client);
        await subject.current.run(loop.sockConnect(client, name)).catch((error: unknown) => {
          failure = error;
        });
      }
      expect(failure).toMatchObject({ name: 'BlockingIOError', code: 'EAGAIN' });
      for (const socket of [...clients, server]) socket.close();
    });

    test('SOCK-032, SOCK-034, SOCK-035: interrupted means in progress, and so does would-block in SO_ERROR', async () => {
      const { loop } = subject.current;
      const errors = [binding.errnoByName.EINPROGRESS, binding.errnoByName.EAGAIN, 0];
      const connecting = Object.assign(Object.create(sock) as ScriptedSocket, {
        family: AF_UNIX,
        fileno: () => sock.fileno(),
        recv: () => Buffer.alloc(0),
        connect: () => {
          throw interrupted();
        },
        getsockopt: (level: number, option: number) => {
          expect([level, option]).toEqual([SOL_SOCKET, SO_ERROR]);
          return errors.shift();
        },
      });
      await subject.current.run(loop.sockConnect(connecting, 'anywhere'));
      expect(errors).toEqual([]);
    });

    test('SOCK-043: the clean-up of a cancelled connect leaves the next one alone', async () => {
      const { loop } = subject.current;
      let ready = false;
      const connecting = Object.assign(Object.create(sock) as ScriptedSocket, {
        family: AF_UNIX,
        fileno: () => sock.fileno(),
        recv: () => Buffer.alloc(0),
        connect: () => {
          throw interrupted();
        },
        getsockopt: () => (ready ? 0 : binding.errnoByName.EINPROGRESS),
      });
      const first = loop.createTask(loop.sockConnect(connecting, 'anywhere'));
      await iterate();
      first.cancel();
      const second = loop.createTask(loop.sockConnect(connecting, 'anywhere'));
      await iterate(2);
      expect(watched(EVENT_WRITE)).toBe(true);
      ready = true;
      await subject.current.run(second);
      expect([first.cancelled(), watched(EVENT_WRITE)]).toEqual([true, false]);
    });
  });

  test('an async function may await the verbs, too, and be cancelled in them', async () => {
    const { loop } = subject.current;
    const task = loop.createTask(async () => {
      const first = await loop.sockRecv(sock, 10);
      try {
        await loop.sockRecv(sock, 10);
      } catch (error) {
        if (error instanceof CancelledError) return `${first.toString()}, cancelled`;
        throw error;
      }
      return 'not reached';
    });
    peer.send(Buffer.from('data'));
    await iterate(4);
    task.cancel();
    expect(await subject.current.run(task)).toBe('data, cancelled');
    await subject.current.run(sleep(0));
  });
});
