// address.test.ts: addresses in Python's forms, to the system's bytes and back.

import { networkInterfaces } from 'node:os';

import { OSError, ValueError } from '../../lib/base/errors';
import { addressFields, decodeAddress, encodeAddress, type Address } from '../../lib/sockets/address';
import { AF_INET, AF_INET6, AF_UNIX, socketConstants } from '../../lib/sockets/constants';
import { thrownBy } from './socket-kit';
import { isMac, testOnLinux } from '../support/systems';

function thereAndBack(family: number, address: Address): Address | null {
  const { bytes, length } = encodeAddress(family, address);
  return decodeAddress(bytes, length);
}

describe('IPv4', () => {
  test('an address is a host and a port', () => {
    expect(thereAndBack(AF_INET, ['127.0.0.1', 8080])).toEqual(['127.0.0.1', 8080]);
    expect(thereAndBack(AF_INET, ['255.254.253.252', 0])).toEqual(['255.254.253.252', 0]);
    expect(thereAndBack(AF_INET, ['0.0.0.0', 65535])).toEqual(['0.0.0.0', 65535]);
  });

  test('the bytes are those of a sockaddr_in, the port in network order', () => {
    const { bytes, length } = encodeAddress(AF_INET, ['1.2.3.4', 0x1234]);
    expect(length).toBe(16);
    expect([...bytes.subarray(2, 8)]).toEqual([0x12, 0x34, 1, 2, 3, 4]);
    expect([...bytes.subarray(8, 16)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('an empty host is any, and <broadcast> is every', () => {
    expect(thereAndBack(AF_INET, ['', 1])).toEqual(['0.0.0.0', 1]);
    expect(thereAndBack(AF_INET, ['<broadcast>', 1])).toEqual(['255.255.255.255', 1]);
  });

  test.each([
    'localhost',
    '127.0.0',
    '127.1',
    '1.2.3.4.5',
    '256.0.0.1',
    '01.2.3.4',
    '::1',
    ' 1.2.3.4',
    '1.2.3.4\0',
    '1.2.3.4%1',
    '%',
  ])('the host %p is no numeric address', (host) => {
    const error = thrownBy(() => encodeAddress(AF_INET, [host, 80]));
    expect(error).toBeInstanceOf(ValueError);
    expect(error.code).toBe('ERR_INVALID_ADDRESS');
  });

  test('the form is exactly a string and a number', () => {
    for (const address of [
      '127.0.0.1',
      ['127.0.0.1'],
      [],
      ['127.0.0.1', '80'],
      [127, 80],
      ['127.0.0.1', null],
      ['127.0.0.1', 80, 0],
      ['127.0.0.1', 80, 0, 0],
      { host: '127.0.0.1', port: 80 },
      null,
      undefined,
      Buffer.from('x'),
    ]) {
      const error = thrownBy(() => encodeAddress(AF_INET, address as unknown as Address));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.code).toBe('ERR_INVALID_ARG_TYPE');
    }
  });
});

describe('IPv6', () => {
  test('an address is a host, a port, and flow information and scope, which may be left out', () => {
    expect(thereAndBack(AF_INET6, ['::1', 80])).toEqual(['::1', 80, 0, 0]);
    expect(thereAndBack(AF_INET6, ['::1', 80, 7])).toEqual(['::1', 80, 7, 0]);
    expect(thereAndBack(AF_INET6, ['2001:db8::1', 80, 0xfffff, 0xffffffff])).toEqual([
      '2001:db8::1',
      80,
      0xfffff,
      0xffffffff,
    ]);
    expect(thereAndBack(AF_INET6, ['fe80::1', 80, undefined, 3])).toEqual(['fe80::1', 80, 0, 3]);
  });

  test('the host comes back in its shortest form', () => {
    expect(thereAndBack(AF_INET6, ['2001:0DB8:0:0:0:0:0:1', 1])).toEqual(['2001:db8::1', 1, 0, 0]);
    expect(thereAndBack(AF_INET6, ['::ffff:1.2.3.4', 1])).toEqual(['::ffff:1.2.3.4', 1, 0, 0]);
    expect(thereAndBack(AF_INET6, ['', 1])).toEqual(['::', 1, 0, 0]);
  });

  test('a zone in the host is the scope, as a number and as the name of an interface', () => {
    expect(thereAndBack(AF_INET6, ['fe80::1%7', 1])).toEqual(['fe80::1', 1, 0, 7]);
    expect(thereAndBack(AF_INET6, ['fe80::1%7', 1, 0, 3])).toEqual(['fe80::1', 1, 0, 7]);
    for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
      const scopeId = addresses.find(({ scopeid = 0 }) => scopeid !== 0)?.scopeid;
      if (scopeId === undefined) continue;
      expect(thereAndBack(AF_INET6, [`fe80::1%${name}`, 1])).toEqual(['fe80::1', 1, 0, scopeId]);
    }
  });

  test('a zone that is no interface is refused, and not dropped', () => {
    for (const host of ['fe80::1%', 'fe80::1%no-such-interface', 'fe80::1%-1', 'fe80::1%99999999999']) {
      expect(thrownBy(() => encodeAddress(AF_INET6, [host, 1]))).toMatchObject({ code: 'ERR_INVALID_ADDRESS' });
    }
  });

  test.each([
    [-1, 0],
    [0x100000, 0],
    [0, -1],
    [0, 2 ** 32],
    [1.5, 0],
    [0, NaN],
  ])('the flow information %d with the scope %d is out of range', (flowInfo, scopeId) => {
    const error = thrownBy(() => encodeAddress(AF_INET6, ['::1', 1, flowInfo, scopeId]));
    expect(error).toBeInstanceOf(ValueError);
    expect(error.code).toBe('ERR_INVALID_ADDRESS');
  });

  test('the form is a string and up to three numbers', () => {
    for (const address of [['::1'], ['::1', 1, '0'], ['::1', 1, 0, null], ['::1', 1, 0, 0, 0], '::1']) {
      expect(thrownBy(() => encodeAddress(AF_INET6, address as unknown as Address))).toBeInstanceOf(TypeError);
    }
    for (const host of ['1.2.3.4', 'localhost', ':::', '<broadcast>']) {
      expect(thrownBy(() => encodeAddress(AF_INET6, [host, 1]))).toMatchObject({ code: 'ERR_INVALID_ADDRESS' });
    }
  });
});

test.each([AF_INET, AF_INET6])('a port of family %d is an integer from 0 to 65535', (family) => {
  const host = family === AF_INET ? '127.0.0.1' : '::1';
  for (const port of [-1, 65536, 1.5, NaN, Infinity, 2 ** 32]) {
    const error = thrownBy(() => encodeAddress(family, [host, port]));
    expect(error).toBeInstanceOf(ValueError);
    expect(error.code).toBe('ERR_SOCKET_BAD_PORT');
  }
});

describe('Unix', () => {
  const roomForPath = 108;

  test('a path is a string, as long as it is UTF-8', () => {
    expect(thereAndBack(AF_UNIX, '/run/some/socket')).toBe('/run/some/socket');
    expect(thereAndBack(AF_UNIX, Buffer.from('/run/socket'))).toBe('/run/socket');
    expect(thereAndBack(AF_UNIX, '/tmp/größe-☃')).toBe('/tmp/größe-☃');
  });

  test('a path that is no UTF-8 stays bytes', () => {
    const path = Buffer.from([0x2f, 0xff, 0xfe]);
    const decoded = thereAndBack(AF_UNIX, path);
    expect(Buffer.isBuffer(decoded)).toBe(true);
    expect(decoded).toEqual(path);
    expect(thereAndBack(AF_UNIX, decoded as Buffer)).toEqual(path);
  });

  testOnLinux('an abstract name starts with NUL and keeps every byte', () => {
    expect(thereAndBack(AF_UNIX, '\0name')).toBe('\0name');
    expect(thereAndBack(AF_UNIX, '\0na\0me\0')).toBe('\0na\0me\0');
    expect(encodeAddress(AF_UNIX, '\0name').length).toBe(2 + 5);
  });

  test('a path with a NUL in it is refused, and not cut there', () => {
    for (const address of ['/pa\0th', '/path\0', Buffer.from('p\0')]) {
      expect(thrownBy(() => encodeAddress(AF_UNIX, address))).toMatchObject({
        name: 'ValueError',
        code: 'ERR_INVALID_ADDRESS',
      });
    }
  });

  test('an empty path is the unnamed address', () => {
    expect(encodeAddress(AF_UNIX, '').length).toBe(2);
    expect(thereAndBack(AF_UNIX, '')).toBe('');
  });

  testOnLinux('the longest path leaves room for its end, and the longest abstract name needs none', () => {
    const path = `/${'p'.repeat(roomForPath - 2)}`;
    expect(thereAndBack(AF_UNIX, path)).toBe(path);
    const name = `\0${'n'.repeat(roomForPath - 1)}`;
    expect(thereAndBack(AF_UNIX, name)).toBe(name);
    for (const tooLong of [`${path}p`, `${name}n`, 'x'.repeat(100_000), 'ö'.repeat(54)]) {
      const error = thrownBy(() => encodeAddress(AF_UNIX, tooLong));
      expect(error).toBeInstanceOf(OSError);
      expect(error).toMatchObject({ code: 'ENAMETOOLONG', address: tooLong });
    }
  });

  test('the form is a string or bytes', () => {
    for (const address of [['/path', 0], 5, null, undefined, {}, new ArrayBuffer(4), new Uint16Array(2)]) {
      const error = thrownBy(() => encodeAddress(AF_UNIX, address as Address));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.code).toBe('ERR_INVALID_ARG_TYPE');
    }
  });
});

describe('other families and odd bytes', () => {
  const unknown = 200;
  /** How an address begins: the BSDs put its length before the family. */
  const header = isMac ? [0, unknown] : [unknown, 0];

  test('an address of a family without a form is the bytes of the system', () => {
    const bytes = Buffer.from([...header, 1, 2, 3]);
    expect(thereAndBack(unknown, bytes)).toEqual(bytes);
    for (const address of ['', '/path', ['1.2.3.4', 80], null, undefined, {}]) {
      expect(thrownBy(() => encodeAddress(unknown, address as Address))).toMatchObject({
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
    for (const length of [0, 1, 129]) {
      const error = thrownBy(() => encodeAddress(unknown, Buffer.alloc(length)));
      expect(error).toBeInstanceOf(ValueError);
      expect(error.code).toBe('ERR_INVALID_ADDRESS');
    }
  });

  test('bytes that are read are a copy', () => {
    const bytes = new Uint8Array(128);
    bytes.set(header);
    bytes[5] = 7;
    const decoded = decodeAddress(bytes, 12) as Buffer;
    expect([...decoded]).toEqual([...header, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0]);
    bytes[5] = 8;
    expect(decoded[5]).toBe(7);
  });

  test('no bytes are no address', () => {
    expect(decodeAddress(new Uint8Array(128), 0)).toBeNull();
  });

  test('a message shows host and port, or the path', () => {
    expect(addressFields(['1.2.3.4', 80])).toEqual({ address: '1.2.3.4', port: 80 });
    expect(addressFields('/path')).toEqual({ address: '/path' });
    expect(addressFields(new Uint8Array(Buffer.from('/path')))).toEqual({ address: '/path' });
    expect(addressFields(null)).toEqual({});
    expect(addressFields(['can0'])).toEqual({ address: 'can0' });
    expect(addressFields(Buffer.from([200, 0]), 200)).toEqual({ address: 'c800' });
  });

  testOnLinux('a message shows the first part of other families', () => {
    expect(addressFields([2, 1024], socketConstants.AF_VSOCK)).toEqual({ address: '2', port: 1024 });
    expect(addressFields([7, 1], socketConstants.AF_NETLINK)).toEqual({ address: '7' });
    expect(addressFields(['lo', 3], socketConstants.AF_PACKET)).toEqual({ address: 'lo' });
  });
});
