// recent-addresses.test.ts: addresses of datagrams that are remembered are the ones that were meant.

import { AF_INET, AF_INET6, AF_UNIX, AF_VSOCK } from '../../lib/sockets/constants';
import { decodeAddress, encodeAddress, type Address } from '../../lib/sockets/address';
import { decodeRecent, lastAddress, targetOf } from '../../lib/sockets/recent-addresses';
import { testOnLinux } from '../support/systems';

/** As the system leaves the address of a sender. */
function arrive(family: number, address: Address): Address | null {
  const { bytes, length } = encodeAddress(family, address);
  lastAddress.lengths[0] = length;
  lastAddress.bytes.set(bytes);
  return decodeRecent();
}

function sent(family: number, address: Address): Address | null {
  const { memory, length } = targetOf(family, address);
  return decodeAddress(new Uint8Array(memory), length);
}

const hosts = Array.from({ length: 40 }, (_, index) => `10.${index}.${(index * 37) % 256}.${255 - index}`);
const ports = Array.from({ length: 40 }, (_, index) => (index * 1637) % 65536);
const inet = hosts.flatMap((host) => ports.map((port): Address => [host, port]));
const inet6 = hosts.flatMap((_, index) =>
  ports.map((port): Address => [`fe80::${(index + 1).toString(16)}`, port, index % 3, index % 5]),
);

describe.each([
  ['IPv4', AF_INET, inet],
  ['IPv6', AF_INET6, inet6],
] as const)('more %s addresses than are remembered', (_name, family, addresses) => {
  test('senders are told apart, first and again', () => {
    for (const address of [...addresses, ...addresses]) expect(arrive(family, address)).toEqual(address);
    for (const address of addresses.slice(-3)) {
      expect(arrive(family, address)).toEqual(address);
      expect(arrive(family, address)).toEqual(address);
    }
  });

  test('targets are told apart, first and again', () => {
    for (const address of [...addresses, ...addresses]) expect(sent(family, address)).toEqual(address);
  });
});

test('an address that was told is the receiver’s own', () => {
  const first = arrive(AF_INET, ['10.1.2.3', 4]) as [string, number];
  first[0] = 'changed';
  expect(arrive(AF_INET, ['10.1.2.3', 4])).toEqual(['10.1.2.3', 4]);
  const sixth = arrive(AF_INET6, ['::1', 4, 0, 0]) as unknown as unknown[];
  sixth[1] = 5;
  expect(arrive(AF_INET6, ['::1', 4, 0, 0])).toEqual(['::1', 4, 0, 0]);
});

test('IPv6 with two parts is the same as with zeros', () => {
  expect(sent(AF_INET6, ['::7', 9])).toEqual(['::7', 9, 0, 0]);
  expect(sent(AF_INET6, ['::7', 10, 0, 0])).toEqual(['::7', 10, 0, 0]);
  expect(sent(AF_INET6, ['::7', 11, 3])).toEqual(['::7', 11, 3, 0]);
  expect(sent(AF_INET6, ['::7', 12])).toEqual(['::7', 12, 0, 0]);
});

test.each([
  ['a port that is none', ['10.9.9.9', 65536]],
  ['a negative port', ['10.9.9.9', -1]],
  ['a fraction', ['10.9.9.9', 1.5]],
  ['no port', ['10.9.9.9']],
  ['a third part', ['10.9.9.9', 1, 0]],
  ['four parts', ['10.9.9.9', 1, 0, 0]],
  ['a name', ['localhost', 1]],
  ['nothing', null],
])('%s is refused, also when the host is known', (_name, address) => {
  targetOf(AF_INET, ['10.9.9.9', 1]);
  expect(() => targetOf(AF_INET, address as unknown as Address)).toThrow();
  expect(sent(AF_INET, ['10.9.9.9', 2])).toEqual(['10.9.9.9', 2]);
});

test.each([13, 25])('a path of %i bytes is not taken for an address that is as long', (length) => {
  const first = '/'.padEnd(length, 'a');
  const second = '/.'.padEnd(length, 'a');
  expect([arrive(AF_UNIX, first), arrive(AF_UNIX, second), arrive(AF_UNIX, first)]).toEqual([first, second, first]);
});

testOnLinux('an address of vsock, as long as one of IPv4, keeps its own port', () => {
  for (const port of [70_000, 70_001, 70_000]) expect(arrive(AF_VSOCK, [3, port])).toEqual([3, port]);
});

test('other families pass', () => {
  expect(arrive(AF_UNIX, '/somewhere')).toBe('/somewhere');
  expect(sent(AF_UNIX, '/somewhere')).toBe('/somewhere');
  lastAddress.lengths[0] = 0;
  expect(decodeRecent()).toBeNull();
});
