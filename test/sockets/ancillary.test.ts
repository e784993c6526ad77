// ancillary.test.ts: what travels beside a datagram, by meaning: destination, TTL, type of service, time, segments.

import { EVENT_READ } from '../../lib/base/constants';
import { ValueError } from '../../lib/base/errors';
import type { Address } from '../../lib/sockets/address';
import { ancillary } from '../../lib/sockets/ancillary';
import { AF_INET, AF_INET6, SOCK_DGRAM, SOL_SOCKET, socketConstants } from '../../lib/sockets/constants';
import type { AncillaryItem } from '../../lib/sockets/control';
import { ifNameToIndex } from '../../lib/sockets/link-address';
import { socketOptions } from '../../lib/sockets/options';
import type { Socket } from '../../lib/sockets/socket';
import { isMac, isWindows, testNotOnMac, testNotOnWine, testOnLinux, testOnPosix } from '../support/systems';
import { hasInet6, LOOPBACK, thrownBy, useSocketKit, waitFor } from './socket-kit';

const kit = useSocketKit();
const ROOM = 256;

/** What came with the next datagram. */
function itemsOf(socket: Socket): AncillaryItem[] {
  waitFor(socket, EVENT_READ);
  return socket.recvmsg(1000, ROOM)[1];
}

function send(target: Socket, items: AncillaryItem[] = [], family: number = AF_INET): void {
  kit.current.socket(family, SOCK_DGRAM).sendmsg([Buffer.from('x')], items, 0, target.getsockname());
}

const loopback = ifNameToIndex(LOOPBACK);
// A machine without IPv6 has only the first row.
const families: [name: string, family: number, host: string][] = [
  ['IPv4', AF_INET, '127.0.0.1'],
  ...(hasInet6() ? [['IPv6', AF_INET6, '::1'] as [string, number, string]] : []),
];

describe.each(families)('%s', (_name, family, host) => {
  const receiver = (): Socket => kit.current.receiver(family, [host, 0]);

  test('nothing comes along unless it was asked for', () => {
    const socket = receiver();
    send(socket, [], family);
    const items = itemsOf(socket);
    expect(items).toEqual([]);
    expect(ancillary.packetInfo.decode(items)).toBeNull();
    expect(ancillary.ttl.decode(items)).toBeNull();
    expect(ancillary.tos.decode(items)).toBeNull();
    expect(ancillary.timestamp.decode(items)).toBeNull();
    expect(ancillary.segmentSize.decode(items)).toBeNull();
    expect(ancillary.originalDestination.decode(items)).toBeNull();
    expect(ancillary.fds.decode(items)).toEqual([]);
  });

  test('packet info tells the address and the interface that a datagram came to', () => {
    const socket = receiver();
    socketOptions.packetInfo.set(socket, true);
    expect(socketOptions.packetInfo.get(socket)).toBe(true);
    send(socket, [], family);
    expect(ancillary.packetInfo.decode(itemsOf(socket))).toEqual({
      interfaceIndex: loopback,
      destination: host,
      source: host,
    });
  });

  test('a TTL is the one that the sender has set', () => {
    const socket = receiver();
    socketOptions.receiveTtl.set(socket, true);
    const sender = kit.current.socket(family, SOCK_DGRAM);
    socketOptions.ttl.set(sender, 9);
    sender.sendto(Buffer.from('x'), socket.getsockname() as Address);
    expect(ancillary.ttl.decode(itemsOf(socket))).toBe(9);
  });

  // Windows sets no type of service.
  testOnPosix('a type of service is the one that the sender has set', () => {
    const socket = receiver();
    socketOptions.receiveTos.set(socket, true);
    const sender = kit.current.socket(family, SOCK_DGRAM);
    socketOptions.tos.set(sender, 0x10);
    sender.sendto(Buffer.from('x'), socket.getsockname() as Address);
    expect(ancillary.tos.decode(itemsOf(socket))).toBe(0x10);
  });

  // Windows takes neither with a datagram, and the BSDs not over IPv4.
  testOnLinux('TTL and type of service are those that the datagram was sent with', () => {
    const socket = receiver();
    socketOptions.receiveTtl.set(socket, true);
    socketOptions.receiveTos.set(socket, true);
    send(socket, [ancillary.ttl.encode(7, family), ancillary.tos.encode(0xb8, family)], family);
    const items = itemsOf(socket);
    expect([ancillary.ttl.decode(items), ancillary.tos.decode(items)]).toEqual([7, 0xb8]);
  });

  testOnLinux('the original destination is the address that was asked', () => {
    const socket = receiver();
    socketOptions.receiveOriginalDestination.set(socket, true);
    send(socket, [], family);
    expect(ancillary.originalDestination.decode(itemsOf(socket))).toEqual(socket.getsockname());
  });

  (isMac ? test.skip : testNotOnWine)('a source that is not ours is refused', () => {
    const foreign = family === AF_INET ? '203.0.113.7' : '2001:db8::7';
    const error = thrownBy(() => send(receiver(), [ancillary.packetInfo.encode({ source: foreign })], family));
    expect(error).toMatchObject({
      syscall: 'sendmsg',
      code: expect.stringMatching(/^(EINVAL|EADDRNOTAVAIL|ENETUNREACH)$/),
    });
  });

  testOnLinux.each(['microseconds', 'nanoseconds'] as const)('a time in %s is between before and after', (unit) => {
    const socket = receiver();
    socketOptions.timestamps.set(socket, unit);
    expect(socketOptions.timestamps.get(socket)).toBe(unit);
    const before = Date.now();
    send(socket, [], family);
    const time = ancillary.timestamp.decode(itemsOf(socket));
    const after = Date.now() + 1;
    const { seconds, nanoseconds } = time as { seconds: number; nanoseconds: number };
    const milliseconds = seconds * 1000 + nanoseconds / 1e6;
    expect(milliseconds).toBeGreaterThanOrEqual(before - 1);
    expect(milliseconds).toBeLessThanOrEqual(after);
    expect(nanoseconds).toBeLessThan(1e9);
    if (unit === 'microseconds') expect(nanoseconds % 1000).toBe(0);
    socketOptions.timestamps.set(socket, 'off');
    expect(socketOptions.timestamps.get(socket)).toBe('off');
  });
});

testNotOnWine('a server on every address answers from the one that was asked', () => {
  const server = kit.current.receiver(AF_INET, ['', 0]);
  const [, port] = server.getsockname() as [string, number];
  socketOptions.packetInfo.set(server, true);
  // macOS has the one address.
  for (const asked of ['127.0.0.1', ...(isMac ? [] : ['127.0.0.2', '127.9.9.9'])]) {
    const client = kit.current.receiver(AF_INET, ['127.0.0.1', 0]);
    client.sendto(Buffer.from('?'), [asked, port]);
    waitFor(server, EVENT_READ);
    const [question, items, , from] = server.recvmsg(100, ROOM);
    const info = ancillary.packetInfo.decode(items);
    expect(info).toEqual({ interfaceIndex: loopback, destination: asked, source: asked });
    if (info !== null) server.sendmsg([question], [ancillary.packetInfo.encode(info)], 0, from);
    waitFor(client, EVENT_READ);
    expect(client.recvfrom(10)).toEqual([Buffer.from('?'), [asked, port]]);
  }
});

(hasInet6() ? testNotOnMac : test.skip)('an IPv6 socket that takes IPv4 too tells the mapped address', () => {
  const server = kit.current.socket(AF_INET6, SOCK_DGRAM);
  socketOptions.v6Only.set(server, false);
  server.bind(['::', 0]);
  socketOptions.packetInfo.set(server, true);
  const [, port] = server.getsockname() as [string, number];
  kit.current.socket(AF_INET, SOCK_DGRAM).sendto(Buffer.from('x'), ['127.0.0.1', port]);
  expect(ancillary.packetInfo.decode(itemsOf(server))?.destination).toBe('::ffff:127.0.0.1');
});

describe('segments', () => {
  testOnLinux('one send goes out as several datagrams', () => {
    const receiver = kit.current.receiver();
    const sender = kit.current.socket(AF_INET, SOCK_DGRAM);
    sender.sendmsg([Buffer.alloc(250, 1)], [ancillary.segmentSize.encode(100)], 0, receiver.getsockname());
    waitFor(receiver, EVENT_READ);
    expect(receiver.recvmmsg(10, 1000).map(([data]) => data.length)).toEqual([100, 100, 50]);
    socketOptions.udpSegment.set(sender, 60);
    expect(socketOptions.udpSegment.get(sender)).toBe(60);
    sender.sendto(Buffer.alloc(100), receiver.getsockname() as Address);
    expect(receiver.recvmmsg(10, 1000).map(([data]) => data.length)).toEqual([60, 40]);
  });

  testOnLinux('datagrams of one send arrive in one piece, with their length', () => {
    const receiver = kit.current.receiver();
    socketOptions.udpReceiveSegments.set(receiver, true);
    const sender = kit.current.socket(AF_INET, SOCK_DGRAM);
    sender.sendmsg([Buffer.alloc(250, 1)], [ancillary.segmentSize.encode(100)], 0, receiver.getsockname());
    waitFor(receiver, EVENT_READ);
    const [data, items] = receiver.recvmsg(1000, ROOM);
    expect([data.length, ancillary.segmentSize.decode(items)]).toEqual([250, 100]);
  });

  test('a length is an integer from 1 to 65535', () => {
    for (const value of [0, -1, 65536, 0.5]) {
      expect(thrownBy(() => ancillary.segmentSize.encode(value))).toBeInstanceOf(ValueError);
    }
  });
});

describe('the codec alone', () => {
  const { IPPROTO_IP, IPPROTO_IPV6, IP_PKTINFO, IPV6_PKTINFO, IP_TTL, SO_TIMESTAMP, SCM_RIGHTS } = socketConstants;

  test('the family of a route is that of its source, otherwise the one that is given', () => {
    const kindOf = ([level, type]: AncillaryItem): number[] => [level, type];
    expect(kindOf(ancillary.packetInfo.encode({}))).toEqual([IPPROTO_IP, IP_PKTINFO]);
    expect(kindOf(ancillary.packetInfo.encode({ source: '::1' }))).toEqual([IPPROTO_IPV6, IPV6_PKTINFO]);
    expect(kindOf(ancillary.packetInfo.encode({ family: AF_INET6 }))).toEqual([IPPROTO_IPV6, IPV6_PKTINFO]);
    expect(kindOf(ancillary.packetInfo.encode({ source: '1.2.3.4', family: AF_INET6 }))).toEqual([
      IPPROTO_IP,
      IP_PKTINFO,
    ]);
    expect([...ancillary.packetInfo.encode({ interfaceIndex: 3, source: '1.2.3.4' })[2]]).toEqual(
      isWindows ? [1, 2, 3, 4, 3, 0, 0, 0] : [3, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0],
    );
  });

  test('a source is a numeric address', () => {
    for (const source of ['localhost', '1.2.3', '1.2.3.4:80']) {
      expect(thrownBy(() => ancillary.packetInfo.encode({ source }))).toMatchObject({ code: 'ERR_INVALID_ADDRESS' });
    }
    expect(thrownBy(() => ancillary.packetInfo.encode(null as never))).toBeInstanceOf(TypeError);
  });

  (isWindows ? test : test.skip)('a multicast address of IPv4 is no source where the system gives one address', () => {
    const data = Buffer.from([224, 0, 0, 1, 5, 0, 0, 0]);
    expect(ancillary.packetInfo.decode([[IPPROTO_IP, IP_PKTINFO, data]])).toEqual({
      interfaceIndex: 5,
      destination: '224.0.0.1',
      source: '',
    });
  });

  testOnPosix('where the system leaves our address out, it is the destination, unless that is a group', () => {
    for (const [destination, source] of [
      ['10.0.0.1', '10.0.0.1'],
      ['239.0.0.1', ''],
    ]) {
      const data = Buffer.from([5, 0, 0, 0, 0, 0, 0, 0, ...destination.split('.').map(Number)]);
      expect(ancillary.packetInfo.decode([[IPPROTO_IP, IP_PKTINFO, data]])).toEqual({
        interfaceIndex: 5,
        destination,
        source,
      });
    }
  });

  testOnPosix('TTL, type of service and time are known by the names of the BSDs too', () => {
    const { IP_RECVTTL, IP_RECVTOS, SCM_TIMESTAMP } = socketConstants;
    const time = Buffer.alloc(16);
    time.writeInt32LE(1_700_000_000, 0);
    time.writeInt32LE(123_456, 8);
    // Behind 32 bits of a fraction may lie anything.
    time.writeInt32LE(77, 12);
    const items: AncillaryItem[] = [
      [IPPROTO_IP, IP_RECVTTL, Buffer.from([9])],
      [IPPROTO_IP, IP_RECVTOS, Buffer.from([0x10])],
      [SOL_SOCKET, SCM_TIMESTAMP, time],
    ];
    expect([ancillary.ttl.decode(items), ancillary.tos.decode(items)]).toEqual([9, 0x10]);
    expect(ancillary.timestamp.decode(items)).toEqual({ seconds: 1_700_000_000, nanoseconds: 123_456_000 });
  });

  test('a multicast address is no source', () => {
    const data = Buffer.alloc(20);
    data[0] = 0xff;
    data[15] = 1;
    expect(ancillary.packetInfo.decode([[IPPROTO_IPV6, IPV6_PKTINFO, data]])).toMatchObject({
      destination: 'ff00::1',
      source: '',
    });
  });

  test('entries that were cut, and those of another kind, are passed over', () => {
    const cut: AncillaryItem[] = [
      [IPPROTO_IP, IP_PKTINFO, Buffer.alloc(isWindows ? 7 : 11)],
      [IPPROTO_IPV6, IPV6_PKTINFO, Buffer.alloc(19)],
      [IPPROTO_IP, IP_TTL, Buffer.alloc(0)],
      [SOL_SOCKET, SO_TIMESTAMP, Buffer.alloc(7)],
      [SOL_SOCKET, SCM_RIGHTS, Buffer.from([5, 0, 0, 0, 6, 0])],
    ];
    expect(ancillary.packetInfo.decode(cut)).toBeNull();
    expect(ancillary.ttl.decode(cut)).toBeNull();
    expect(ancillary.timestamp.decode(cut)).toBeNull();
    expect(ancillary.credentials.decode(cut)).toBeNull();
    // Windows has no number for them.
    if (!isWindows) expect(ancillary.fds.decode(cut)).toEqual([5]);
  });

  testOnPosix('times of systems of 32 bits are read too', () => {
    const data = Buffer.alloc(8);
    data.writeInt32LE(1_700_000_000, 0);
    data.writeInt32LE(123_456, 4);
    expect(ancillary.timestamp.decode([[SOL_SOCKET, SO_TIMESTAMP, data]])).toEqual({
      seconds: 1_700_000_000,
      nanoseconds: 123_456_000,
    });
  });
});
