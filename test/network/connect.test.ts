// connect.test.ts: createConnection: its arguments, its attempts, and what comes of failures.

import { CancelledError, OSError } from '../../lib/base/errors';
import { setLogReceiver } from '../../lib/base/log';
import { binding } from '../../lib/native/binding';
import { interleaveFamilies } from '../../lib/network/connect';
import type { AddressInfo } from '../../lib/sockets/numeric-address';
import { AF_INET, AF_INET6, IPPROTO_TCP, SOCK_DGRAM, SOCK_STREAM } from '../../lib/sockets/constants';
import { Socket, socketpair } from '../../lib/sockets/socket';
import { Protocol } from '../../lib/transports/protocol';
import { useLoop } from '../support/loops';
import { NotingProtocol } from '../support/protocols';
import { isMac, otherLoopback } from '../support/systems';

describe('createConnection', () => {
  const subject = useLoop('sync');
  const factory = (): Protocol => new Protocol();
  const info = (host: string, port: number): AddressInfo => {
    const six = host.includes(':');
    return {
      family: six ? AF_INET6 : AF_INET,
      type: SOCK_STREAM,
      proto: IPPROTO_TCP,
      canonicalName: '',
      address: six ? [host, port, 0, 0] : [host, port],
    };
  };
  const resolveTo = (...infos: AddressInfo[]): string[] => {
    const asked: string[] = [];
    subject.current.loop.getaddrinfo = ((host: string) => {
      asked.push(host);
      return (function* () {
        yield;
        return infos;
      })();
    }) as never;
    return asked;
  };
  const listen = (): [string, number] => {
    const listener = new Socket();
    listener.bind(['127.0.0.1', 0]);
    listener.listen();
    subject.current.atEnd(() => listener.close());
    return listener.getsockname() as [string, number];
  };
  const refused = (): [string, number] => {
    const listener = new Socket();
    listener.bind(['127.0.0.1', 0]);
    const address = listener.getsockname() as [string, number];
    listener.close();
    return address;
  };
  const closeSoon = (transport: { abort(): void }): void => subject.current.atEnd(() => transport.abort());

  test('CONN-001: host and port, or a stream socket, and not both', async () => {
    const { loop } = subject.current;
    const valueError = { name: 'ValueError' };
    const sock = new Socket();
    const datagram = new Socket(AF_INET, SOCK_DGRAM);
    await expect(subject.current.run(loop.createConnection(factory))).rejects.toMatchObject(valueError);
    await expect(subject.current.run(loop.createConnection(factory, 'host', 1, { sock }))).rejects.toMatchObject(
      valueError,
    );
    await expect(
      subject.current.run(loop.createConnection(factory, null, null, { sock: datagram })),
    ).rejects.toMatchObject(valueError);
    sock.close();
    datagram.close();
  });

  test('CONN-003: errors come when the coroutine is awaited, not when it is made', async () => {
    const coroutine = subject.current.loop.createConnection(factory);
    await expect(subject.current.run(coroutine)).rejects.toMatchObject({ name: 'ValueError' });
  });

  test('CONN-004: the remote host is resolved first, then the local one; no address of either is an OSError', async () => {
    const { loop } = subject.current;
    const asked = resolveTo(info(...refused()));
    const resolveBoth = loop.getaddrinfo;
    loop.getaddrinfo = ((host: string, ...rest: never[]) => {
      if (host !== 'local') return Reflect.apply(resolveBoth, loop, [host, ...rest]);
      asked.push(host);
      return (function* () {
        yield;
        return [info('127.0.0.2', 0)];
      })();
    }) as never;
    await expect(
      subject.current.run(loop.createConnection(factory, 'remote', 1, { localAddr: ['local', 0] })),
    ).rejects.toBeInstanceOf(OSError);
    expect(asked).toEqual(['remote', 'local']);
    resolveTo();
    await expect(subject.current.run(loop.createConnection(factory, 'remote', 1))).rejects.toMatchObject({
      name: 'OSError',
      message: expect.stringContaining('remote'),
    });
  });

  test('CONN-005, CONN-015: an address that fails gives way to the next; the factory waits for a success', async () => {
    const { loop } = subject.current;
    const good = listen();
    resolveTo(info(...refused()), info(...good));
    let made = 0;
    const [transport] = await subject.current.run(
      loop.createConnection(
        () => {
          made += 1;
          return new Protocol();
        },
        'two.addresses',
        1,
      ),
    );
    expect([made, transport.getExtraInfo('peername')]).toEqual([1, good]);
    closeSoon(transport);
    resolveTo(info(...refused()));
    await expect(
      subject.current.run(
        loop.createConnection(
          () => {
            made += 1;
            return new Protocol();
          },
          'refused',
          1,
        ),
      ),
    ).rejects.toMatchObject({ name: 'ConnectionRefusedError' });
    expect(made).toBe(1);
  });

  test('CONN-005: a cancelled connect closes its socket', async () => {
    const { loop } = subject.current;
    const connecting = loop.createTask(loop.createConnection(factory, ...listen()));
    await subject.current.runOnce();
    connecting.cancel();
    await expect(subject.current.run(connecting)).rejects.toBeInstanceOf(CancelledError);
    expect(loop._selector?.getMap()?.size).toBe(1);
  });

  test('CONN-006, CONN-007: binds to the first local address of the family that works', async () => {
    const { loop } = subject.current;
    const good = listen();
    const connect = (localAddr: [string, number]) =>
      subject.current.run(loop.createConnection(factory, ...good, { localAddr }));
    // macOS has no second address of the family.
    const local = isMac ? '127.0.0.1' : otherLoopback;
    const [transport] = await connect([local, 0]);
    expect((transport.getExtraInfo('sockname') as [string, number])[0]).toBe(local);
    closeSoon(transport);
    await expect(connect(['::1', 0])).rejects.toMatchObject({ message: expect.stringContaining('no matching local') });
    await expect(connect(['8.8.8.8', 0])).rejects.toMatchObject({ code: 'EADDRNOTAVAIL', address: '8.8.8.8' });
  });

  test('CONN-008: one error as it is, equal ones once, different ones together', async () => {
    const { loop } = subject.current;
    const [host, port] = refused();
    resolveTo(info(host, port), info(host, port));
    await expect(subject.current.run(loop.createConnection(factory, 'same', 1))).rejects.toMatchObject({
      name: 'ConnectionRefusedError',
      port,
    });
    const [otherHost, otherPort] = refused();
    resolveTo(info(host, port), info(otherHost, otherPort));
    await expect(subject.current.run(loop.createConnection(factory, 'different', 1))).rejects.toMatchObject({
      name: 'OSError',
      message: expect.stringMatching(/^Multiple exceptions: /),
    });
  });

  test('CONN-009: allErrors gives every one of them, even if it is one', async () => {
    const { loop } = subject.current;
    resolveTo(info(...refused()));
    const error = await subject.current
      .run(loop.createConnection(factory, 'refused', 1, { allErrors: true }))
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors).toEqual([expect.objectContaining({ code: 'ECONNREFUSED' })]);
  });

  test.each([null, 0.5])(
    'CONN-007, CONN-009: local addresses that could not be had are among the errors, attempt by attempt (delay %s)',
    async (happyEyeballsDelay) => {
      const { loop } = subject.current;
      const taken = listen();
      const locals = [info(...taken), info('127.0.0.1', 0)];
      const remotes = [info(...refused()), info(...refused())];
      const resolve = (host: string) =>
        (function* () {
          yield;
          return host === 'locals' ? locals : remotes;
        })();
      loop.getaddrinfo = resolve as never;
      const connect = (allErrors: boolean) =>
        subject.current
          .run(
            loop.createConnection(factory, 'remotes', 1, {
              localAddr: ['locals', 0],
              happyEyeballsDelay,
              allErrors,
            }),
          )
          .catch((reason: unknown) => reason);
      const ports = ((await connect(true)) as AggregateError).errors.map(({ code, port }: OSError) => [code, port]);
      expect(ports).toEqual(
        remotes.flatMap(({ address }) => [
          ['EADDRINUSE', taken[1]],
          ['ECONNREFUSED', address[1]],
        ]),
      );
      expect(await connect(false)).toMatchObject({ message: expect.stringMatching(/^Multiple.*EADDRINUSE.*REFUSED/) });
    },
  );

  test('CONN-010: with happy eyeballs a stuck address does not hold the next one up', async () => {
    const { loop } = subject.current;
    const good = listen();
    const stuck: [string, number] = ['127.0.0.1', 1];
    resolveTo(info(...stuck), info(...good));
    // Connecting to the first address never ends: the writer of its descriptor is never called.
    const connect = Socket.prototype._connect;
    jest.spyOn(Socket.prototype, '_connect').mockImplementation(function (this: Socket, address) {
      if ((address as [string, number])[1] !== 1) return Reflect.apply(connect, this, [address]);
      const addWriter = loop._addWriter.bind(loop);
      loop._addWriter = () => {
        loop._addWriter = addWriter;
        return loop.callLater(1e6, () => undefined);
      };
      return -binding.errnoByName.EINPROGRESS;
    });
    const [transport] = await subject.current.run(
      loop.createConnection(factory, 'two.addresses', 1, { happyEyeballsDelay: 0.001 }),
    );
    jest.restoreAllMocks();
    expect(transport.getExtraInfo('peername')).toEqual(good);
    closeSoon(transport);
  });

  test('CONN-010: happy eyeballs that are cancelled, after whatever iteration, leave no socket open', async () => {
    const { loop } = subject.current;
    const good = listen();
    resolveTo(info(...good), info(...good));
    const sockets: Socket[] = [];
    const connect = Socket.prototype._connect;
    jest.spyOn(Socket.prototype, '_connect').mockImplementation(function (this: Socket, address) {
      sockets.push(this);
      return Reflect.apply(connect, this, [address]);
    });
    let isCancelled = true;
    for (let iterations = 1; isCancelled; iterations++) {
      const task = loop.createTask(loop.createConnection(factory, 'some.name', 1, { happyEyeballsDelay: 0.001 }));
      for (let index = 0; index < iterations; index++) await subject.current.runOnce();
      task.cancel();
      await subject.current.runUntil(() => task.done());
      await subject.current.runOnce();
      isCancelled = task.cancelled();
      if (!isCancelled) task.result()[0].abort();
      await subject.current.runOnce();
      expect(sockets.splice(0).filter((socket) => socket.fileno() >= 0)).toEqual([]);
    }
    jest.restoreAllMocks();
  });

  test('CONN-010, CONN-008: when every address fails, happy eyeballs throw as usual', async () => {
    const { loop } = subject.current;
    const [host, port] = refused();
    resolveTo(info(host, port), info(host, port));
    await expect(
      subject.current.run(loop.createConnection(factory, 'refused', 1, { happyEyeballsDelay: 0.5 })),
    ).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('CONN-011: families take turns after the head start of the first one', () => {
    const infos = ['::1', '::2', '::3', '1.1.1.1', '2.2.2.2'].map((host) => info(host, 1));
    const order = (count: number): string[] =>
      interleaveFamilies(infos, count).map(({ address }) => (address as [string, number])[0]);
    expect(order(1)).toEqual(['::1', '1.1.1.1', '::2', '2.2.2.2', '::3']);
    expect(order(2)).toEqual(['::1', '::2', '1.1.1.1', '::3', '2.2.2.2']);
  });

  test('CONN-012, CONN-014, CONN-018: a socket of the caller’s becomes non-blocking, and is closed if set-up fails', async () => {
    const { loop } = subject.current;
    const [near, far] = socketpair();
    near.setblocking(true);
    const protocol = new NotingProtocol();
    const connection = await subject.current.run(loop.createConnection(() => protocol, null, null, { sock: near }));
    expect([connection[1], near.gettimeout()]).toEqual([protocol, 0]);
    closeSoon(connection[0]);
    const failing = (): never => {
      throw new Error('no protocol');
    };
    await expect(subject.current.run(loop.createConnection(failing, null, null, { sock: far }))).rejects.toThrow(
      'no protocol',
    );
    expect(far.fileno()).toBe(-1);
  });

  test('CONN-012: a set-up that is cancelled closes the transport', async () => {
    const { loop } = subject.current;
    const [near, far] = socketpair();
    const protocol = new NotingProtocol();
    const task = loop.createTask(loop.createConnection(() => protocol, null, null, { sock: near }));
    await subject.current.runOnce();
    task.cancel();
    await expect(subject.current.run(task)).rejects.toBeInstanceOf(CancelledError);
    await subject.current.runOnce();
    expect(protocol.names()).toEqual(['connectionMade', 'connectionLost']);
    far.close();
  });

  test('CONN-016: a connection is logged in debug mode', async () => {
    const { loop } = subject.current;
    const messages: string[] = [];
    const address = listen();
    loop.setDebug(true);
    setLogReceiver((record) => messages.push(`${record.level} ${record.message}`));
    const [transport] = await subject.current.run(loop.createConnection(factory, ...address));
    setLogReceiver(null);
    loop.setDebug(false);
    closeSoon(transport);
    expect(messages.some((message) => message.startsWith('debug') && message.includes('connected'))).toBe(true);
  });

  test('CONN-017: connectAcceptedSocket takes a stream socket that was accepted elsewhere', async () => {
    const { loop } = subject.current;
    const [near, far] = socketpair();
    const protocol = new NotingProtocol();
    const [transport] = await subject.current.run(loop.connectAcceptedSocket(() => protocol, near));
    far.send(Buffer.from('x'));
    await subject.current.runOnce();
    expect(protocol.received.map(String)).toEqual(['x']);
    closeSoon(transport);
    far.close();
    const datagram = new Socket(AF_INET, SOCK_DGRAM);
    await expect(subject.current.run(loop.connectAcceptedSocket(factory, datagram))).rejects.toMatchObject({
      name: 'ValueError',
    });
    datagram.close();
  });

  test('a literal address is connected to in the same step', async () => {
    const { loop } = subject.current;
    const seen: string[] = [];
    const address = listen();
    jest.spyOn(Socket.prototype, '_connect').mockImplementation(() => {
      seen.push('connect');
      return -binding.errnoByName.ECONNREFUSED;
    });
    await subject.current
      .run(function* () {
        loop.callSoon(() => seen.push('next iteration'));
        yield* loop.createConnection(factory, ...address);
      })
      .catch(() => seen.push('refused'));
    jest.restoreAllMocks();
    expect(seen[0]).toBe('connect');
  });
});
