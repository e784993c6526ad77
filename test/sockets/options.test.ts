// options.test.ts: options by name: set, asked for, and what the kernel does then.

import { networkInterfaces } from 'node:os';

import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import { OSError, ValueError } from '../../lib/base/errors';
import { binding } from '../../lib/native/binding';
import type { Address } from '../../lib/sockets/address';
import { AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_STREAM, socketConstants } from '../../lib/sockets/constants';
import { ifNameToIndex } from '../../lib/sockets/link-address';
import { socketOptions, type OptionSocket } from '../../lib/sockets/options';
import type { Socket } from '../../lib/sockets/socket';
import { decodeTcpInfo } from '../../lib/sockets/tcp-info';
import { TransportSocket } from '../../lib/transports/transport-socket';
import { isLinux, isWindows, testNotOnMac, testNotOnWine, testOnLinux, testWithUnixSockets } from '../support/systems';
import { hasInet6, LOOPBACK, pattern, receiveAll, thrownBy, useSocketKit, waitFor } from './socket-kit';

const kit = useSocketKit();
const o = socketOptions;

/** An option whatever its values are. */
interface AnyOption {
  get: (socket: OptionSocket) => unknown;
  set: (socket: OptionSocket, value: never) => void;
}

function expectRoundTrip(option: AnyOption, socket: OptionSocket, values: readonly unknown[]): void {
  for (const value of values) {
    option.set(socket, value as never);
    expect(option.get(socket)).toEqual(value);
  }
}

/** A value that may need a right: set and read back, or refused with EPERM. */
function expectRoundTripOrNoRight(option: AnyOption, socket: OptionSocket, values: readonly unknown[]): void {
  try {
    expectRoundTrip(option, socket, values);
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
    expect(error).toMatchObject({ code: 'EPERM', syscall: 'setsockopt' });
  }
}

const booleans = [true, false, true];

type OptionRow = [name: string, option: AnyOption, type: number, values: readonly unknown[]];

/** What every system has. */
const common: OptionRow[] = [
  ['linger', o.linger, SOCK_STREAM, [5, 0, null]],
  ['reuseAddress', o.reuseAddress, SOCK_STREAM, booleans],
  ['broadcast', o.broadcast, SOCK_DGRAM, booleans],
  ['noDelay', o.noDelay, SOCK_STREAM, booleans],
  ['ttl', o.ttl, SOCK_DGRAM, [1, 64, 255]],
  ['packetInfo', o.packetInfo, SOCK_DGRAM, booleans],
  ['multicastTtl', o.multicastTtl, SOCK_DGRAM, [4, 0]],
  ['multicastLoop', o.multicastLoop, SOCK_DGRAM, booleans],
];
/** What is of POSIX, and more so of Linux. */
const ofLinux: OptionRow[] = [
  ['reusePort', o.reusePort, SOCK_STREAM, booleans],
  ['receiveLowWater', o.receiveLowWater, SOCK_STREAM, [100, 1]],
  ['bindToDevice', o.bindToDevice, SOCK_DGRAM, ['lo', '']],
  ['priority', o.priority, SOCK_DGRAM, [6, 0]],
  ['maxPacingRate', o.maxPacingRate, SOCK_STREAM, [1_000_000]],
  [
    'timestamps',
    o.timestamps,
    SOCK_DGRAM,
    ['nanoseconds', 'microseconds', 'nanoseconds', 'off', 'microseconds', 'off'],
  ],
  ['cork', o.cork, SOCK_STREAM, booleans],
  ['userTimeout', o.userTimeout, SOCK_STREAM, [1.5, 30, 0]],
  ['fastOpenConnect', o.fastOpenConnect, SOCK_STREAM, booleans],
  ['notSentLowWater', o.notSentLowWater, SOCK_STREAM, [4096]],
  ['synCount', o.synCount, SOCK_STREAM, [3]],
  ['tos', o.tos, SOCK_DGRAM, [0x10, 0xb8]],
  ['freeBind', o.freeBind, SOCK_STREAM, booleans],
  ['receiveTtl', o.receiveTtl, SOCK_DGRAM, booleans],
  ['receiveTos', o.receiveTos, SOCK_DGRAM, booleans],
  ['receiveOriginalDestination', o.receiveOriginalDestination, SOCK_DGRAM, booleans],
  ['mtuDiscover', o.mtuDiscover, SOCK_DGRAM, [2, 0]],
  ['multicastAll', o.multicastAll, SOCK_DGRAM, booleans],
  ['udpSegment', o.udpSegment, SOCK_DGRAM, [1200, 0]],
];

test.each(isLinux ? [...common, ...ofLinux] : common)(
  '%s is read as it was set, over IPv4 and IPv6',
  (_name, option, type, values) => {
    for (const family of hasInet6() ? [AF_INET, AF_INET6] : [AF_INET]) {
      expectRoundTrip(option, kit.current.socket(family, type), values);
    }
  },
);

testOnLinux.each<[string, AnyOption, readonly unknown[]]>([
  ['mark', o.mark, [7, 0]],
  ['transparent', o.transparent, booleans],
])('%s is read as it was set, with the right to set it', (_name, option, values) => {
  for (const family of hasInet6() ? [AF_INET, AF_INET6] : [AF_INET]) {
    expectRoundTripOrNoRight(option, kit.current.socket(family), values);
  }
});

test('every option that can be set checks the type of its value', () => {
  const socket = kit.current.socket(AF_INET);
  for (const option of Object.values(socketOptions)) {
    if (!('set' in option)) continue;
    for (const value of [undefined, Symbol('x'), 1n, () => 1]) {
      const error = thrownBy(() => option.set(socket, value as never));
      expect(error instanceof TypeError || error instanceof ValueError).toBe(true);
      expect(error.code).toMatch(/^ERR_INVALID_ARG/);
    }
  }
});

testNotOnWine('the socket of a transport has options too', () => {
  const shown = new TransportSocket(kit.current.socket());
  o.keepAlive.set(shown, { idle: 7 });
  expect(o.keepAlive.get(shown)).toMatchObject({ enabled: true, idle: 7 });
  if (isLinux) expect(o.tcpInfo.get(shown).state).toBe('CLOSE');
});

testWithUnixSockets('an option that a socket does not have is an OSError', () => {
  const unix = kit.current.socket(AF_UNIX);
  for (const call of [
    () => o.noDelay.get(unix),
    () => o.noDelay.set(unix, true),
    () => o.ttl.get(unix),
    () => o.tcpInfo.get(unix),
    () => o.keepAlive.get(unix),
    () => o.udpSegment.set(unix, 5),
    () => o.joinGroup.set(unix, { group: '239.1.2.3' }),
  ]) {
    expect(thrownBy(call)).toMatchObject({
      code: expect.stringMatching(/^(EOPNOTSUPP|ENOPROTOOPT|EINVAL|ERR_INVALID_ARG_TYPE)$/),
    });
  }
});

test('an option that the platform does not have is ENOPROTOOPT', () => {
  const socket = kit.current.socket();
  // SO_ORIGINAL_DST without a firewall rule, or without the module.
  expect(thrownBy(() => o.originalDestination.get(socket))).toMatchObject({
    code: expect.stringMatching(/^(ENOENT|ENOPROTOOPT|ENOTCONN)$/),
    syscall: 'getsockopt',
  });
});

describe('on any socket', () => {
  test('buffers are as large as was asked for, or larger', () => {
    const socket = kit.current.socket();
    o.receiveBuffer.set(socket, 30_000);
    o.sendBuffer.set(socket, 40_000);
    expect(o.receiveBuffer.get(socket)).toBeGreaterThanOrEqual(30_000);
    expect(o.sendBuffer.get(socket)).toBeGreaterThanOrEqual(40_000);
    try {
      o.forceReceiveBuffer.set(socket, 100_000_000);
      o.forceSendBuffer.set(socket, 100_000_000);
      expect(o.receiveBuffer.get(socket)).toBeGreaterThanOrEqual(100_000_000);
      expect(o.sendBuffer.get(socket)).toBeGreaterThanOrEqual(100_000_000);
    } catch (error) {
      expect(error).toMatchObject({ code: isLinux ? 'EPERM' : 'ENOPROTOOPT' });
    }
  });

  test('a linger time that the system has no room for is refused', () => {
    const socket = kit.current.socket();
    for (const seconds of [2 ** 32, ...(isWindows ? [65_536, -1] : [])]) {
      expect(thrownBy(() => o.linger.set(socket, seconds))).toBeInstanceOf(ValueError);
    }
    expect(o.linger.get(socket)).toBeNull();
  });

  testNotOnWine('a linger time of 0 makes close a reset', () => {
    const [client, server] = kit.current.connection();
    o.linger.set(client, 0);
    client.close();
    waitFor(server, EVENT_READ);
    expect(thrownBy(() => server.recv(1))).toMatchObject({ code: 'ECONNRESET' });
  });

  test('error is what went wrong, once', () => {
    const gone = kit.current.listener();
    const address = gone.getsockname() as Address;
    gone.close();
    const socket = kit.current.socket();
    socket.connectEx(address);
    waitFor(socket, EVENT_WRITE);
    expect(o.error.get(socket)).toBe(binding.errnoByName.ECONNREFUSED);
    // Windows goes on telling it.
    if (!isWindows) expect(o.error.get(socket)).toBe(0);
  });

  // macOS cannot be asked.
  testNotOnMac('only a listener listens', () => {
    expect(o.isListening.get(kit.current.listener())).toBe(true);
    expect(o.isListening.get(kit.current.socket())).toBe(false);
  });

  testOnLinux('a device that is not there, and a name that is too long, are refused', () => {
    const socket = kit.current.socket();
    expect(thrownBy(() => o.bindToDevice.set(socket, 'no-such-one'))).toMatchObject({ code: 'ENODEV' });
    for (const name of ['x'.repeat(16), 'lo\0']) {
      expect(thrownBy(() => o.bindToDevice.set(socket, name))).toBeInstanceOf(ValueError);
    }
    expect(o.bindToDevice.get(socket)).toBe('');
  });
});

describe('TCP', () => {
  testNotOnWine('keepAlive is off, on, or on with times', () => {
    const socket = kit.current.socket();
    expect(o.keepAlive.get(socket).enabled).toBe(false);
    o.keepAlive.set(socket, { idle: 30, interval: 5, count: 3 });
    expect(o.keepAlive.get(socket)).toEqual({ enabled: true, idle: 30, interval: 5, count: 3 });
    o.keepAlive.set(socket, false);
    expect(o.keepAlive.get(socket)).toEqual({ enabled: false, idle: 30, interval: 5, count: 3 });
    o.keepAlive.set(socket, { idle: 0.2, enabled: false });
    expect(o.keepAlive.get(socket)).toMatchObject({ enabled: false, idle: 1 });
    o.keepAlive.set(socket, true);
    expect(o.keepAlive.get(socket).enabled).toBe(true);
    expect(thrownBy(() => o.keepAlive.set(socket, { idle: 1e9 }))).toMatchObject({ code: 'EINVAL' });
  });

  testOnLinux('tcpInfo tells the state and what went over the connection', () => {
    const [client, server] = kit.current.connection();
    const bytes = pattern(50_000);
    let sent = 0;
    const received: Buffer[] = [];
    while (sent < bytes.length) {
      const count = client.send(bytes.subarray(sent));
      received.push(receiveAll(server, count));
      sent += count;
    }
    expect(Buffer.concat(received).equals(bytes)).toBe(true);
    const info = o.tcpInfo.get(client);
    expect(info).toMatchObject({ state: 'ESTABLISHED', bytesSent: 50_000, lost: 0, totalRetrans: 0 });
    expect(o.tcpInfo.get(server)).toMatchObject({ state: 'ESTABLISHED', bytesReceived: 50_000 });
    // A loopback answers in less than a second, and not in no time.
    expect(info.rtt).toBeGreaterThan(0);
    expect(info.rtt).toBeLessThan(1);
    expect(info.rto).toBeGreaterThan(0.01);
    expect(info.sndMss).toBeGreaterThan(500);
    client.shutdown(socketConstants.SHUT_WR);
    waitFor(server, EVENT_READ);
    expect(o.tcpInfo.get(server).state).toBe('CLOSE_WAIT');
    expect(o.tcpInfo.get(kit.current.listener()).state).toBe('LISTEN');
    expect(o.tcpInfo.get(kit.current.socket()).state).toBe('CLOSE');
  });

  test('what an older kernel does not tell is not there', () => {
    const info = decodeTcpInfo(new Uint8Array(14));
    expect(Object.keys(info)).toEqual([
      'state',
      'caState',
      'retransmits',
      'probes',
      'backoff',
      'options',
      'windowScales',
      'flags',
      'rto',
    ]);
  });

  testOnLinux('the congestion control is a name', () => {
    const socket = kit.current.socket();
    const name = o.congestion.get(socket);
    expect(name).toMatch(/^[a-z]+$/);
    o.congestion.set(socket, name);
    expect(thrownBy(() => o.congestion.set(socket, 'no-such-one'))).toMatchObject({ code: 'ENOENT' });
  });

  testOnLinux('a listener with fastOpen, deferAccept and quickAck accepts as before', () => {
    const listener = kit.current.listener();
    o.fastOpen.set(listener, 5);
    expect(o.fastOpen.get(listener)).toBe(5);
    o.deferAccept.set(listener, 1);
    expect(o.deferAccept.get(listener)).toBeGreaterThanOrEqual(1);
    const client = kit.current.socket();
    o.quickAck.set(client, true);
    client.connectEx(listener.getsockname() as Address);
    waitFor(client, 2);
    client.send(Buffer.from('x'));
    waitFor(listener, EVENT_READ);
    const server = kit.current.own(listener.accept()[0]);
    expect(receiveAll(server, 1).toString()).toBe('x');
    expect(o.maxSegment.get(server)).toBeGreaterThan(500);
    expect(o.mtu.get(server)).toBeGreaterThan(1000);
  });

  testOnLinux('freeBind binds to an address that the machine does not have', () => {
    const socket = kit.current.socket();
    const foreign: Address = ['203.0.113.77', 0];
    expect(thrownBy(() => socket.bind(foreign))).toMatchObject({
      code: 'EADDRNOTAVAIL',
      address: '203.0.113.77',
      port: 0,
    });
    o.freeBind.set(socket, true);
    socket.bind(foreign);
    expect((socket.getsockname() as [string, number])[0]).toBe('203.0.113.77');
  });
});

describe('multicast', () => {
  const lo = ifNameToIndex(LOOPBACK);
  // The loopback interface has a route for multicast over IPv4 only; so IPv6 takes another one, where there is one.
  const [device, source6] = Object.entries(networkInterfaces())
    .flatMap(([name, list = []]) => list.map((entry) => ({ name, ...entry })))
    .filter(({ family, internal, scopeid }) => family === 'IPv6' && !internal && scopeid === 0)
    .map(({ name, address }) => [name, address])[0] ?? [LOOPBACK, undefined];

  interface Row {
    family: number;
    group: string;
    any: string;
    source: string;
    other: string;
    name: string;
  }

  const rows: Row[] = [
    { family: AF_INET, group: '239.77.1.2', any: '0.0.0.0', source: '127.0.0.1', other: '127.0.0.9', name: LOOPBACK },
  ];
  if (source6 !== undefined) {
    rows.push({
      family: AF_INET6,
      group: 'ff02::77:1',
      any: '::',
      source: source6,
      other: '2001:db8::9',
      name: device,
    });
  }

  /** Whether `receiver` hears what is sent to a group. A datagram to itself tells when there is nothing more to come. */
  function hearing(receiver: Socket, sender: Socket, group: string, own: string): () => boolean {
    const [, port] = receiver.getsockname() as [string, number];
    let round = 0;
    return () => {
      round += 1;
      sender.sendto(Buffer.from(`group ${round}`), [group, port]);
      sender.sendto(Buffer.from(`own ${round}`), [own, port]);
      for (let heard = false; ;) {
        waitFor(receiver, EVENT_READ);
        const text = receiver.recv(100).toString();
        if (text === `own ${round}`) return heard;
        heard ||= text === `group ${round}`;
      }
    };
  }

  testOnLinux.each(rows)(
    'a group is heard while one is in it: $group',
    ({ family, group, any, source, other, name }) => {
      const receiver = kit.current.socket(family, SOCK_DGRAM);
      receiver.bind([any, 0]);
      o.multicastAll.set(receiver, false);
      const sender = kit.current.socket(family, SOCK_DGRAM);
      sender.bind([source, 0]);
      o.multicastInterface.set(sender, name);
      const heard = hearing(receiver, sender, group, source);
      expect(heard()).toBe(false);
      for (const by of [name, ifNameToIndex(name), source]) {
        o.joinGroup.set(receiver, { group, interface: by });
        expect(heard()).toBe(true);
        expect(thrownBy(() => o.joinGroup.set(receiver, { group, interface: by }))).toMatchObject({
          code: 'EADDRINUSE',
        });
        o.leaveGroup.set(receiver, { group, interface: by });
        expect(heard()).toBe(false);
      }
      o.joinGroup.set(receiver, { group, interface: name, source });
      expect(heard()).toBe(true);
      o.leaveGroup.set(receiver, { group, interface: name, source });
      o.joinGroup.set(receiver, { group, interface: name, source: other });
      expect(heard()).toBe(false);
      o.joinGroup.set(receiver, { group, interface: name, source });
      expect(heard()).toBe(true);
      o.multicastLoop.set(sender, false);
      // What goes out by the loopback interface comes back by it, whatever the option says.
      expect(heard()).toBe(name === LOOPBACK);
    },
  );

  testNotOnWine('the interface of what is sent is a name, a number or an address', () => {
    const socket = kit.current.socket(AF_INET, SOCK_DGRAM);
    for (const device of [LOOPBACK, lo, '127.0.0.1', '0.0.0.0', '', 0]) o.multicastInterface.set(socket, device);
    expect(thrownBy(() => o.multicastInterface.set(socket, 'no-such-one'))).toMatchObject({ code: 'ENODEV' });
    expect(thrownBy(() => o.multicastInterface.set(socket, '203.0.113.77'))).toMatchObject({
      code: 'EADDRNOTAVAIL',
      address: '203.0.113.77',
    });
    expect(Object.keys(networkInterfaces())).toContain(LOOPBACK);
  });

  testNotOnWine('what is no group is refused', () => {
    const socket = kit.current.socket(AF_INET, SOCK_DGRAM);
    expect(thrownBy(() => o.joinGroup.set(socket, { group: '127.0.0.1', interface: LOOPBACK }))).toMatchObject({
      code: 'EINVAL',
    });
    expect(thrownBy(() => o.joinGroup.set(socket, { group: 'ff01::1' }))).toMatchObject({
      code: 'ERR_INVALID_ADDRESS',
    });
    expect(thrownBy(() => o.leaveGroup.set(socket, { group: '239.1.1.1', interface: LOOPBACK }))).toMatchObject({
      code: 'EADDRNOTAVAIL',
    });
    for (const value of ['239.1.1.1', null, { address: '239.1.1.1' }]) {
      expect(thrownBy(() => o.joinGroup.set(socket, value as never))).toMatchObject({
        code: 'ERR_INVALID_ARG_TYPE',
        message: expect.stringContaining('a group is { group, interface?, source? }') as string,
      });
    }
  });
});
