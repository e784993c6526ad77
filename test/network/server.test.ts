// server.test.ts: the life of a server, and the arguments of createServer.

import { lstatSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { inspect } from 'node:util';

import { AssertionError, makeOSError } from '../../lib/base/errors';
import { setLogReceiver } from '../../lib/base/log';
import type { Server } from '../../lib/network/server';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_DGRAM,
  SOL_SOCKET,
} from '../../lib/sockets/constants';
import { Socket } from '../../lib/sockets/socket';
import { DatagramProtocol, Protocol } from '../../lib/transports/protocol';
import { TransportSocket } from '../../lib/transports/transport-socket';
import { useLoop } from '../support/loops';
import { addressOf, connectTo } from '../support/peers';
import { NotingProtocol } from '../support/protocols';
import { describeWithUnixSockets, isWindows, otherLoopback, testOnLinux, testOnPosix } from '../support/systems';

describe('a server', () => {
  const subject = useLoop('sync');
  const factory = (): Protocol => new Protocol();

  const iterate = async (count = 1): Promise<void> => {
    for (let index = 0; index < count; index++) await subject.current.runOnce();
  };
  const serve = async (make: () => Protocol = factory, options = {}): Promise<Server> => {
    const server = await subject.current.run(subject.current.loop.createServer(make, '127.0.0.1', 0, options));
    subject.current.atEnd(() => server.close());
    return server;
  };

  describe('life', () => {
    test('SRV-002, SRV-003, SRV-004, SRV-020: shows its sockets and whether it serves', async () => {
      const server = await serve();
      expect(server.sockets).toEqual([expect.any(TransportSocket)]);
      expect(server.sockets).not.toBe(server.sockets);
      expect([server.isServing(), server.getLoop()]).toEqual([true, subject.current.loop]);
      expect(inspect(server)).toMatch(/^<Server sockets=\[ <TransportSocket fd=\d+ .* laddr=.*> \]>$/);
      server.close();
      expect([server.sockets, server.isServing()]).toEqual([[], false]);
      expect(inspect(server)).toBe('<Server sockets=[]>');
    });

    test('SRV-005, SRV-006: starting to serve may be repeated, and takes one iteration', async () => {
      const { loop } = subject.current;
      const server = await serve(factory, { startServing: false });
      expect(server.isServing()).toBe(false);
      const seen: string[] = [];
      await subject.current.run(function* () {
        loop.callSoon(() => seen.push('iteration'));
        yield* server.startServing();
        seen.push('serving');
        yield* server.startServing();
      });
      expect([seen, server.isServing()]).toEqual([['iteration', 'serving'], true]);
    });

    test('SRV-007: a closed server refuses to serve, and does not say that it does', async () => {
      const server = await serve();
      server.close();
      await expect(subject.current.run(server.startServing())).rejects.toMatchObject({ code: 'ERR_SERVER_CLOSED' });
      expect(server.isServing()).toBe(false);
    });

    test('SRV-008, SRV-009: close may be called again; connections stay', async () => {
      const protocols: NotingProtocol[] = [];
      const server = await serve(() => {
        const protocol = new NotingProtocol();
        protocols.push(protocol);
        return protocol;
      });
      const client = connectTo(subject.current, addressOf(server));
      await iterate(3);
      server.close();
      server.close();
      client.send(Buffer.from('x'));
      await iterate();
      expect(protocols[0].received).toHaveLength(1);
      protocols[0].transport.abort();
    });

    test('SRV-010, SRV-011, SRV-012, SRV-035: counts its connections, and wakes who waits when the last is lost', async () => {
      const protocols: NotingProtocol[] = [];
      const server = await serve(() => {
        const protocol = new NotingProtocol();
        protocols.push(protocol);
        return protocol;
      });
      connectTo(subject.current, addressOf(server));
      await iterate(3);
      expect(server._activeCount).toBe(1);
      const waiting = subject.current.loop.createTask(server.waitClosed());
      await iterate();
      server.close();
      expect(() => server._attach()).toThrow(AssertionError);
      await iterate(2);
      expect(waiting.done()).toBe(false);
      protocols[0].transport.abort();
      await iterate(3);
      expect([waiting.done(), server._activeCount, server._waiters]).toEqual([true, 0, null]);
    });

    test('SRV-013, SRV-014: waitClosed waits for the close, also when nothing is attached', async () => {
      const server = await serve();
      const waiting = subject.current.loop.createTask(server.waitClosed());
      await iterate(3);
      expect(waiting.done()).toBe(false);
      server.close();
      await iterate(2);
      expect(waiting.done()).toBe(true);
      // Woken already: it does not wait any more.
      await subject.current.run(server.waitClosed());
    });

    test('SRV-015: only one may serve for ever, and not on a closed server', async () => {
      const { loop } = subject.current;
      const server = await serve();
      const serving = loop.createTask(server.serveForever());
      await iterate();
      await expect(subject.current.run(server.serveForever())).rejects.toMatchObject({ code: 'ERR_SERVER_BUSY' });
      serving.cancel();
      await iterate(3);
      await expect(subject.current.run(server.serveForever())).rejects.toMatchObject({ code: 'ERR_SERVER_CLOSED' });
    });

    test('SRV-016: a cancelled serveForever closes the server first', async () => {
      const { loop } = subject.current;
      const server = await serve(factory, { startServing: false });
      const serving = loop.createTask(server.serveForever());
      await iterate();
      expect(server.isServing()).toBe(true);
      serving.cancel();
      await iterate(4);
      expect([serving.cancelled(), server.isServing()]).toEqual([true, false]);
    });

    test('SRV-017: closing the server cancels serveForever', async () => {
      const { loop } = subject.current;
      const server = await serve();
      const serving = loop.createTask(server.serveForever());
      await iterate();
      server.close();
      await iterate(4);
      expect(serving.cancelled()).toBe(true);
    });

    test('SRV-018: an open connection holds a cancelled serveForever up, until it is cancelled again', async () => {
      const { loop } = subject.current;
      const protocols: NotingProtocol[] = [];
      const server = await serve(() => {
        const protocol = new NotingProtocol();
        protocols.push(protocol);
        return protocol;
      });
      connectTo(subject.current, addressOf(server));
      const serving = loop.createTask(server.serveForever());
      await iterate(3);
      serving.cancel();
      await iterate(4);
      expect(serving.done()).toBe(false);
      serving.cancel();
      await iterate(3);
      expect(serving.cancelled()).toBe(true);
      protocols[0].transport.abort();
    });

    test('SRV-021: its connections, and no others, can be closed or aborted', async () => {
      const protocols: NotingProtocol[] = [];
      const make = (): NotingProtocol => {
        const protocol = new NotingProtocol();
        protocols.push(protocol);
        return protocol;
      };
      const server = await serve(make);
      const other = await serve(make);
      for (const one of [server, server, other]) {
        connectTo(subject.current, addressOf(one));
        await iterate(3);
      }
      server.closeClients();
      await iterate();
      expect(protocols.map((protocol) => protocol.names().length)).toEqual([2, 2, 1]);
      other.abortClients();
      await iterate();
      expect(protocols[2].events.at(-1)).toEqual(['connectionLost', null]);
    });

    test('SRV-019: is disposed of by close and waitClosed', async () => {
      const server = await serve();
      await subject.current.run(async () => server[Symbol.asyncDispose]());
      expect(server.isServing()).toBe(false);
    });
  });

  describe('arguments', () => {
    test('SRV-022: host and port, or a stream socket, and not both', async () => {
      const { loop } = subject.current;
      const sock = new Socket();
      const datagram = new Socket(AF_INET, SOCK_DGRAM);
      const valueError = { name: 'ValueError' };
      await expect(subject.current.run(loop.createServer(factory))).rejects.toMatchObject(valueError);
      await expect(subject.current.run(loop.createServer(factory, '127.0.0.1', 0, { sock }))).rejects.toMatchObject(
        valueError,
      );
      await expect(
        subject.current.run(loop.createServer(factory, null, null, { sock: datagram })),
      ).rejects.toMatchObject(valueError);
      sock.close();
      datagram.close();
    });

    test('SRV-023, SRV-028, SRV-033: no host is one IPv4 and one IPv6-only socket, on ports of their own', async () => {
      const { loop } = subject.current;
      for (const host of [null, '']) {
        const server = await subject.current.run(loop.createServer(factory, host, 0));
        const { sockets } = server;
        expect(sockets.map((socket) => socket.family).sort()).toEqual([AF_INET, AF_INET6].sort());
        const six = sockets.find((socket) => socket.family === AF_INET6) as TransportSocket;
        expect(six.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY)).toBe(1);
        server.close();
      }
    });

    test('SRV-024: several hosts, each address once', async () => {
      const { loop } = subject.current;
      const server = await subject.current.run(
        loop.createServer(factory, ['127.0.0.1', otherLoopback, '127.0.0.1'], 0),
      );
      const hosts = server.sockets.map((socket) => (socket.getsockname() as [string, number])[0]);
      expect(hosts.sort()).toEqual(['127.0.0.1', otherLoopback]);
      server.close();
    });

    test('SRV-023: a host that is no text is a TypeError', async () => {
      const { loop } = subject.current;
      for (const host of [5, true, {}, [5], Buffer.from('127.0.0.1')]) {
        await expect(subject.current.run(loop.createServer(factory, host as never, 0))).rejects.toMatchObject({
          code: 'ERR_INVALID_ARG_TYPE',
        });
      }
    });

    test('SRV-025: a host without addresses is an OSError', async () => {
      const { loop } = subject.current;
      loop.getaddrinfo = (() =>
        (function* () {
          yield;
          return [];
        })()) as never;
      await expect(subject.current.run(loop.createServer(factory, 'no.addresses', 0))).rejects.toMatchObject({
        name: 'OSError',
      });
    });

    testOnPosix(
      'SRV-027: SO_REUSEADDR is on unless refused; SO_REUSEPORT on demand lets two share a port',
      async () => {
        const { loop } = subject.current;
        const first = await serve(factory, { reusePort: true });
        const [host, port] = addressOf(first);
        const second = await subject.current.run(loop.createServer(factory, host, port, { reusePort: true }));
        const without = await serve(factory, { reuseAddress: false });
        const option = (server: Server, number: number): boolean =>
          server.sockets[0].getsockopt(SOL_SOCKET, number) !== 0;
        expect([option(first, SO_REUSEADDR), option(first, SO_REUSEPORT)]).toEqual([true, true]);
        expect([option(without, SO_REUSEADDR), option(without, SO_REUSEPORT)]).toEqual([false, false]);
        second.close();
      },
    );

    if (isWindows) {
      test('SRV-027: SO_REUSEADDR is on on demand only; SO_REUSEPORT is refused', async () => {
        const option = (server: Server): boolean => server.sockets[0].getsockopt(SOL_SOCKET, SO_REUSEADDR) !== 0;
        expect(option(await serve())).toBe(false);
        expect(option(await serve(factory, { reuseAddress: true }))).toBe(true);
        await expect(serve(factory, { reusePort: true })).rejects.toMatchObject({
          name: 'ValueError',
          code: 'ERR_NO_REUSEPORT',
        });
      });
    }

    testOnPosix(
      'SRV-027: a system that knows SO_REUSEPORT but refuses it is a ValueError, and nothing stays open',
      async () => {
        const closed = jest.spyOn(Socket.prototype, 'close');
        const set = jest.spyOn(Socket.prototype, 'setsockopt').mockImplementation((_level, option) => {
          if (option === SO_REUSEPORT) throw makeOSError('setsockopt', { code: 'EOPNOTSUPP', errno: -95 });
        });
        const { loop } = subject.current;
        const noReusePort = { name: 'ValueError', code: 'ERR_NO_REUSEPORT' };
        await expect(serve(factory, { reusePort: true })).rejects.toMatchObject(noReusePort);
        const endpoint = loop.createDatagramEndpoint(() => new DatagramProtocol(), {
          family: AF_INET,
          reusePort: true,
        });
        await expect(subject.current.run(endpoint)).rejects.toMatchObject(noReusePort);
        expect(closed).toHaveBeenCalledTimes(2);
        set.mockRestore();
        closed.mockRestore();
      },
    );

    test('SRV-030: keepAlive sets SO_KEEPALIVE on the listening sockets', async () => {
      const option = (server: Server): boolean => server.sockets[0].getsockopt(SOL_SOCKET, SO_KEEPALIVE) !== 0;
      expect(option(await serve())).toBe(false);
      expect(option(await serve(factory, { keepAlive: true }))).toBe(true);
    });

    test('SRV-029: an address in use is an OSError that names it, and nothing stays open', async () => {
      const { loop } = subject.current;
      const server = await serve();
      const [host, port] = addressOf(server);
      await expect(subject.current.run(loop.createServer(factory, [otherLoopback, host], port))).rejects.toMatchObject({
        name: 'OSError',
        code: 'EADDRINUSE',
        address: host,
        port,
      });
    });

    test('SRV-026: an address family that the system lacks is skipped, with a warning in debug mode', async () => {
      const { loop } = subject.current;
      const levels: string[] = [];
      loop.getaddrinfo = (() =>
        (function* () {
          yield;
          const address = ['127.0.0.1', 0] as const;
          const common = { type: 1, proto: 6, canonicalName: '', address };
          return [
            { family: 250, ...common },
            { family: AF_INET, ...common },
          ];
        })()) as never;
      loop.setDebug(true);
      setLogReceiver((record) => levels.push(record.level));
      const server = await subject.current.run(loop.createServer(factory, 'two.families', 0));
      setLogReceiver(null);
      loop.setDebug(false);
      expect(server.sockets).toHaveLength(1);
      expect(levels).toContain('warning');
      server.close();
    });

    test('SRV-031: one that is cancelled while it starts, or cannot, leaves nothing that listens', async () => {
      const { loop } = subject.current;
      const cancelled = new Socket();
      cancelled.bind(['127.0.0.1', 0]);
      const { size } = loop._selector?.getMap() as { size: number };
      const task = loop.createTask(loop.createServer(factory, null, null, { sock: cancelled }));
      await iterate();
      expect(loop._selector?.getMap()?.size).toBe(size + 1);
      task.cancel();
      await iterate();
      expect([task.cancelled(), cancelled.fileno(), loop._selector?.getMap()?.size]).toEqual([true, -1, size]);
      const failing = new Socket();
      const error = makeOSError('in use', { code: 'EADDRINUSE', errno: -98 });
      failing.listen = () => {
        throw error;
      };
      await expect(subject.current.run(loop.createServer(factory, null, null, { sock: failing }))).rejects.toBe(error);
      expect(failing.fileno()).toBe(-1);
    });

    test('SRV-031, SRV-034: its sockets are non-blocking; starting to serve costs one iteration', async () => {
      const { loop } = subject.current;
      const seen: string[] = [];
      const server = await subject.current.run(function* () {
        loop.callSoon(() => seen.push('iteration'));
        const made = yield* loop.createServer(factory, '127.0.0.1', 0);
        seen.push('made');
        return made;
      });
      expect(seen).toEqual(['iteration', 'made']);
      expect(server._sockets?.map((socket) => socket.gettimeout())).toEqual([0]);
      expect(server._backlog).toBe(100);
      server.close();
    });

    test('SRV-032: a new server is logged in debug mode', async () => {
      const { loop } = subject.current;
      const records: string[] = [];
      loop.setDebug(true);
      setLogReceiver((record) => records.push(record.level));
      const server = await subject.current.run(loop.createServer(factory, '127.0.0.1', 0));
      setLogReceiver(null);
      loop.setDebug(false);
      server.close();
      expect(records).toContain('info');
    });
  });
});

describeWithUnixSockets('Unix sockets', () => {
  const subject = useLoop('sync');
  let folder: string;
  const factory = (): Protocol => new Protocol();

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'fdloop-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('UNIX-015, UNIX-018: a path, or a Unix stream socket, and not both', async () => {
    const { loop } = subject.current;
    const name = path.join(folder, 'socket');
    const wrong = [new Socket(AF_INET), new Socket(AF_UNIX, SOCK_DGRAM)];
    const right = new Socket(AF_UNIX);
    const valueError = { name: 'ValueError' };
    await expect(subject.current.run(loop.createUnixServer(factory))).rejects.toMatchObject(valueError);
    await expect(subject.current.run(loop.createUnixConnection(factory))).rejects.toMatchObject(valueError);
    await expect(subject.current.run(loop.createUnixServer(factory, name, { sock: right }))).rejects.toMatchObject(
      valueError,
    );
    for (const sock of wrong) {
      await expect(subject.current.run(loop.createUnixServer(factory, null, { sock }))).rejects.toMatchObject(
        valueError,
      );
      await expect(subject.current.run(loop.createUnixConnection(factory, null, { sock }))).rejects.toMatchObject(
        valueError,
      );
      sock.close();
    }
    right.close();
  });

  test('UNIX-016, UNIX-023: paths are strings or bytes; a connection goes through', async () => {
    const { loop } = subject.current;
    for (const name of [path.join(folder, 'text'), Buffer.from(path.join(folder, 'bytes'))]) {
      const server = await subject.current.run(loop.createUnixServer(factory, name));
      const [transport] = await subject.current.run(loop.createUnixConnection(factory, name));
      expect(transport.getExtraInfo('peername')).toBe(name.toString());
      transport.abort();
      server.close();
      await subject.current.runOnce();
      await subject.current.runOnce();
      await subject.current.runOnce();
    }
  });

  test('UNIX-017: a failing connect closes its socket and says why', async () => {
    const { loop } = subject.current;
    await expect(
      subject.current.run(loop.createUnixConnection(factory, path.join(folder, 'nobody'))),
    ).rejects.toMatchObject({ name: 'FileNotFoundError', code: 'ENOENT' });
  });

  test('UNIX-019, UNIX-022: a socket file in the way is replaced; it stays behind on close', async () => {
    const { loop } = subject.current;
    const name = path.join(folder, 'socket');
    const first = await subject.current.run(loop.createUnixServer(factory, name));
    const second = await subject.current.run(loop.createUnixServer(factory, name));
    first.close();
    second.close();
    expect(statSync(name).isSocket()).toBe(true);
    unlinkSync(name);
  });

  testOnPosix('UNIX-019: a link to a socket file is replaced, and what it leads to stays', async () => {
    const { loop } = subject.current;
    const [name, link] = [path.join(folder, 'socket'), path.join(folder, 'link')];
    const first = await subject.current.run(loop.createUnixServer(factory, name));
    symlinkSync(name, link);
    const second = await subject.current.run(loop.createUnixServer(factory, link));
    expect([lstatSync(name).isSocket(), lstatSync(link).isSocket()]).toEqual([true, true]);
    first.close();
    second.close();
    for (const file of [name, link]) unlinkSync(file);
    symlinkSync(name, link);
    await expect(subject.current.run(loop.createUnixServer(factory, link))).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    unlinkSync(link);
  });

  test('a path with a NUL in it is refused, and nothing is made', async () => {
    const { loop } = subject.current;
    const attempt = loop.createUnixServer(factory, path.join(folder, 'na\0me'));
    await expect(subject.current.run(attempt)).rejects.toMatchObject({ name: 'ValueError' });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('UNIX-020: any other file in the way is an error', async () => {
    const { loop } = subject.current;
    const name = path.join(folder, 'file');
    writeFileSync(name, 'not a socket');
    await expect(subject.current.run(loop.createUnixServer(factory, name))).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: expect.stringContaining(name),
    });
    expect(statSync(name).isFile()).toBe(true);
  });

  testOnLinux('UNIX-021: an abstract name is no file', async () => {
    const { loop } = subject.current;
    const name = `\0fdloop-${process.pid}-unix-021`;
    const server = await subject.current.run(loop.createUnixServer(factory, name));
    expect(server.sockets[0].getsockname()).toBe(name);
    server.close();
  });
});
