// datagram.test.ts: createDatagramEndpoint.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

import { OSError } from '../../lib/base/errors';
import type { DatagramOptions } from '../../lib/network/datagram';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  SO_BROADCAST,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_DGRAM,
  SOL_SOCKET,
} from '../../lib/sockets/constants';
import type { AddressInfo } from '../../lib/sockets/numeric-address';
import { Socket } from '../../lib/sockets/socket';
import { DatagramProtocol } from '../../lib/transports/protocol';
import type { TransportSocket } from '../../lib/transports/transport-socket';
import { useLoop } from '../support/loops';
import { isWindows, testNotOnWine, testOnPosix } from '../support/systems';

/** Windows has none, and says so. */
const noReusePort = { name: 'ValueError', code: 'ERR_NO_REUSEPORT' };

class Noting extends DatagramProtocol {
  readonly received: string[] = [];

  override datagramReceived(data: Buffer): void {
    this.received.push(data.toString());
  }
}

describe('createDatagramEndpoint', () => {
  const subject = useLoop('sync');
  const open = async (options: DatagramOptions) => {
    const { loop } = subject.current;
    const [transport, protocol] = await subject.current.run(loop.createDatagramEndpoint(() => new Noting(), options));
    subject.current.atEnd(() => transport.abort());
    return { transport, protocol, socket: transport.getExtraInfo<TransportSocket>('socket') as TransportSocket };
  };
  const rejection = async (options: unknown) =>
    open(options as DatagramOptions).then(
      () => 'opened',
      (error: unknown) => error,
    );

  test('CONN-026: a pair of them talks', async () => {
    const server = await open({ localAddr: ['127.0.0.1', 0] });
    const address = server.socket.getsockname() as [string, number];
    const client = await open({ remoteAddr: address });
    client.transport.sendto(Buffer.from('hello'));
    await subject.current.runOnce();
    expect(server.protocol.received).toEqual(['hello']);
    expect([client.transport._address, server.transport._address]).toEqual([address, null]);
  });

  test('CONN-019: a given socket must be one for datagrams, alone, and becomes non-blocking', async () => {
    const stream = new Socket(AF_INET);
    expect(await rejection({ sock: stream })).toMatchObject({ name: 'ValueError' });
    stream.close();
    const sock = new Socket(AF_INET, SOCK_DGRAM);
    sock.setblocking(true);
    expect(await rejection({ sock, reusePort: true, family: AF_INET })).toMatchObject({
      name: 'ValueError',
      message: expect.stringMatching(/reusePort.*family|family.*reusePort/),
    });
    const { transport } = await open({ sock, reusePort: false });
    expect([sock.gettimeout(), transport._address]).toEqual([0, null]);
  });

  test('CONN-020: without an address the family must be told', async () => {
    expect(await rejection({})).toMatchObject({ name: 'ValueError' });
    const { socket } = await open({ family: AF_INET6 });
    expect(socket.family).toBe(AF_INET6);
  });

  test('CONN-021: addresses are [host, port]; with AF_UNIX, paths', async () => {
    for (const options of [
      { localAddr: '127.0.0.1' },
      { localAddr: ['127.0.0.1'] },
      { remoteAddr: ['::1', 1, 0, 0] },
      { family: AF_UNIX, localAddr: ['a', 1] },
      { family: AF_UNIX, remoteAddr: 5 },
    ]) {
      expect(await rejection(options)).toMatchObject({ name: 'TypeError' });
    }
  });

  // Windows' Unix sockets are streams.
  testOnPosix('CONN-022: a socket file in the way is removed', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fdloop-'));
    const name = path.join(folder, 'socket');
    const first = await open({ family: AF_UNIX, localAddr: name });
    const second = await open({ family: AF_UNIX, localAddr: name });
    const client = await open({ family: AF_UNIX, remoteAddr: name });
    client.transport.sendto(Buffer.from('to the second'));
    await subject.current.runOnce();
    expect([first.protocol.received, second.protocol.received]).toEqual([[], ['to the second']]);
    expect(existsSync(name)).toBe(true);
    rmSync(folder, { recursive: true });
  });

  describe('resolution', () => {
    const info = (host: string): AddressInfo => ({
      family: host.includes(':') ? AF_INET6 : AF_INET,
      type: SOCK_DGRAM,
      proto: 17,
      canonicalName: '',
      address: host.includes(':') ? [host, 0, 0, 0] : [host, 0],
    });
    const resolveTo = (names: Record<string, string[]>): void => {
      subject.current.loop.getaddrinfo = ((host: string) =>
        (function* () {
          yield;
          return names[host].map(info);
        })()) as never;
    };

    test('CONN-023: both sides must have an address of one family', async () => {
      resolveTo({ local: ['::1'], remote: ['127.0.0.1'] });
      expect(await rejection({ localAddr: ['local', 0], remoteAddr: ['remote', 0] })).toMatchObject({
        name: 'ValueError',
      });
      resolveTo({ local: ['::1', '127.0.0.1'], remote: ['127.0.0.2'] });
      const { socket } = await open({ localAddr: ['local', 0], remoteAddr: ['remote', 0] });
      expect(socket.family).toBe(AF_INET);
    });

    // wine binds to any address.
    testNotOnWine(
      'CONN-024: the next pair is tried when one fails; when all fail, the first error counts',
      async () => {
        resolveTo({ local: ['2001:db8::1', '127.0.0.1'] });
        const { socket } = await open({ localAddr: ['local', 0] });
        expect(socket.family).toBe(AF_INET);
        resolveTo({ local: ['2001:db8::1', '192.0.2.1'] });
        const error = await rejection({ localAddr: ['local', 0] });
        expect(error).toBeInstanceOf(OSError);
        expect(error).toMatchObject({ code: 'EADDRNOTAVAIL', address: '2001:db8::1' });
      },
    );
  });

  test('CONN-024, CONN-025: SO_REUSEPORT and SO_BROADCAST on demand, SO_REUSEADDR never', async () => {
    const option = (socket: TransportSocket, number: number): boolean => socket.getsockopt(SOL_SOCKET, number) !== 0;
    const read = ({ socket }: Awaited<ReturnType<typeof open>>) =>
      [SO_REUSEADDR, SO_BROADCAST, ...(isWindows ? [] : [SO_REUSEPORT])].map((number) => option(socket, number));
    const localAddr = ['127.0.0.1', 0] as [string, number];
    expect(read(await open({ localAddr }))).toEqual([false, false, ...(isWindows ? [] : [false])]);
    expect(read(await open({ localAddr, allowBroadcast: true })).slice(0, 2)).toEqual([false, true]);
    if (isWindows) expect(await rejection({ localAddr, reusePort: true })).toMatchObject(noReusePort);
    else expect(read(await open({ localAddr, reusePort: true }))).toEqual([false, false, true]);
  });

  test('CONN-024: with broadcast the remote address is remembered and not connected to', async () => {
    const { transport } = await open({ remoteAddr: ['127.0.0.1', 9], allowBroadcast: true });
    expect([transport._address, transport.getExtraInfo('peername')]).toEqual([['127.0.0.1', 9], null]);
  });

  test('a factory that fails leaves no socket open', async () => {
    const { loop } = subject.current;
    const sock = new Socket(AF_INET, SOCK_DGRAM);
    const failing = (): never => {
      throw new Error('no protocol');
    };
    await expect(subject.current.run(loop.createDatagramEndpoint(failing, { sock }))).rejects.toThrow('no protocol');
    expect(sock.fileno()).toBe(-1);
  });
});
