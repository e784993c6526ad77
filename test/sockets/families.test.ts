// families.test.ts: the families below IP and beside it: their addresses to bytes and back, and sockets of those that this
// kernel has. Of one that it does not have the error is looked at.

import { EVENT_READ } from '../../lib/base/constants';
import { OSError, ValueError } from '../../lib/base/errors';
import { decodeAddress, encodeAddress, type Address } from '../../lib/sockets/address';
import { AF_INET, AF_UNIX, SOCK_DGRAM, SOCK_STREAM, socketConstants } from '../../lib/sockets/constants';
import { ifIndexToName, ifNameToIndex } from '../../lib/sockets/link-address';
import { Socket } from '../../lib/sockets/socket';
import { LOOPBACK, thrownBy, useSocketKit, waitFor } from './socket-kit';
import { describeOnLinux, isWindows, testOnLinux } from '../support/systems';

const { AF_NETLINK, AF_PACKET, AF_VSOCK, AF_CAN, SOCK_RAW, SOCK_SEQPACKET } = socketConstants;
const { CAN_RAW, CAN_ISOTP, CAN_J1939, ETH_P_IP, NETLINK_ROUTE, VMADDR_CID_ANY, VMADDR_PORT_ANY } = socketConstants;
const kit = useSocketKit();

function thereAndBack(family: number, address: Address, protocol?: number): Address | null {
  const { bytes, length } = encodeAddress(family, address);
  return decodeAddress(bytes, length, protocol);
}

/** A socket if the kernel has the family and the type, otherwise its error. */
function probe(family: number, type: number, protocol = 0): Socket | OSError {
  try {
    return kit.current.own(new Socket(family, type, protocol));
  } catch (error) {
    if (error instanceof OSError) return error;
    throw error;
  }
}

function expectNoSuchFamily(error: OSError): void {
  expect(error.syscall).toBe('socket');
  expect(['EAFNOSUPPORT', 'ESOCKTNOSUPPORT', 'EPROTONOSUPPORT', 'EPERM', 'EACCES', 'ENODEV']).toContain(error.code);
}

describe('interfaces', () => {
  test('have names and numbers', () => {
    const index = ifNameToIndex(LOOPBACK);
    expect(index).toBeGreaterThan(0);
    // Windows' interfaces have two names.
    if (isWindows) expect(ifNameToIndex(ifIndexToName(index))).toBe(index);
    else expect(ifIndexToName(index)).toBe(LOOPBACK);
  });

  test('that are not there are errors', () => {
    expect(thrownBy(() => ifNameToIndex('no-such-one'))).toMatchObject({
      code: 'ENODEV',
      syscall: 'if_nametoindex',
      address: 'no-such-one',
    });
    expect(thrownBy(() => ifNameToIndex('lo\0'))).toMatchObject({ code: 'ENODEV' });
    expect(thrownBy(() => ifIndexToName(999_999))).toMatchObject({ code: 'ENXIO', syscall: 'if_indextoname' });
    expect(thrownBy(() => ifIndexToName(-1))).toBeInstanceOf(ValueError);
    for (const value of [null, {}, undefined]) {
      expect(thrownBy(() => ifNameToIndex(value as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
      expect(thrownBy(() => ifIndexToName(value as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});

describeOnLinux('netlink', () => {
  test('an address is a port id and groups', () => {
    expect(thereAndBack(AF_NETLINK, [0, 0])).toEqual([0, 0]);
    expect(thereAndBack(AF_NETLINK, [4_294_967_295, 0x80000001])).toEqual([4_294_967_295, 0x80000001]);
    expect(encodeAddress(AF_NETLINK, [1, 2]).length).toBe(12);
  });

  test('the form is two numbers of 32 bits', () => {
    for (const address of [[1], [1, 2, 3], ['1', 2], [1, null], '', Buffer.alloc(12), null]) {
      expect(thrownBy(() => encodeAddress(AF_NETLINK, address as never))).toMatchObject({
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
    for (const address of [
      [-1, 0],
      [0, 2 ** 32],
      [0.5, 0],
      [NaN, 0],
    ] as const) {
      expect(thrownBy(() => encodeAddress(AF_NETLINK, address))).toBeInstanceOf(ValueError);
    }
  });

  test('the kernel answers a question about its interfaces', () => {
    const socket = kit.current.own(new Socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    socket.bind([0, 0]);
    const [portId, groups] = socket.getsockname() as [number, number];
    expect(portId).toBeGreaterThan(0);
    expect(groups).toBe(0);
    // struct nlmsghdr and struct ifinfomsg: RTM_GETLINK (18), NLM_F_REQUEST | NLM_F_DUMP.
    const request = Buffer.alloc(32);
    request.writeUInt32LE(request.length, 0);
    request.writeUInt16LE(18, 4);
    request.writeUInt16LE(0x301, 6);
    request.writeUInt32LE(7, 8);
    socket.sendto(request, [0, 0]);
    waitFor(socket, EVENT_READ);
    const [answer, , , from] = socket.recvmsg(65536);
    expect(from).toEqual([0, 0]);
    expect(answer.readUInt16LE(4)).toBe(16);
    expect(answer.readUInt32LE(8)).toBe(7);
    expect(answer.includes(Buffer.from('lo\0'))).toBe(true);
  });

  test('an error names the address', () => {
    const socket = kit.current.own(new Socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    const other = kit.current.own(new Socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    socket.bind([0, 0]);
    const [portId] = socket.getsockname() as [number, number];
    expect(thrownBy(() => other.bind([portId, 0]))).toMatchObject({
      code: 'EADDRINUSE',
      syscall: 'bind',
      address: String(portId),
    });
  });
});

describeOnLinux('packet', () => {
  test('an address is an interface, a protocol, and what may be left out', () => {
    expect(thereAndBack(AF_PACKET, ['lo', ETH_P_IP])).toEqual(['lo', ETH_P_IP, 0, 0, Buffer.alloc(0)]);
    const full = ['lo', 0xffff, 4, 772, Buffer.from([1, 2, 3, 4, 5, 6])] as const;
    expect(thereAndBack(AF_PACKET, full)).toEqual(full);
    expect(thereAndBack(AF_PACKET, ['', 0])).toEqual(['', 0, 0, 0, Buffer.alloc(0)]);
    // InfiniBand's hardware addresses go beyond the structure.
    const long = ['', 1, 0, 32, Buffer.alloc(20, 7)] as const;
    expect(thereAndBack(AF_PACKET, long)).toEqual(long);
  });

  test('the protocol is in network order below', () => {
    expect([...encodeAddress(AF_PACKET, ['', 0x0800]).bytes.subarray(2, 4)]).toEqual([8, 0]);
  });

  test('an interface that has gone is its number', () => {
    const { bytes, length } = encodeAddress(AF_PACKET, ['999999', 1]);
    expect(decodeAddress(bytes, length)).toEqual(['999999', 1, 0, 0, Buffer.alloc(0)]);
  });

  test('an interface that is not there and numbers that are too large are refused', () => {
    expect(thrownBy(() => encodeAddress(AF_PACKET, ['no-such-one', 1]))).toMatchObject({
      code: 'ENODEV',
      address: 'no-such-one',
    });
    for (const address of [
      ['', 65536],
      ['', 1, 256],
      ['', 1, 0, 65536],
      ['', -1],
    ] as const) {
      expect(thrownBy(() => encodeAddress(AF_PACKET, address))).toBeInstanceOf(ValueError);
    }
    expect(thrownBy(() => encodeAddress(AF_PACKET, ['', 1, 0, 0, Buffer.alloc(33)]))).toMatchObject({ code: 'EINVAL' });
    for (const address of [[''], [1, 1], ['', '1'], ['', 1, 0, 0, 'bytes'], ['', 1, 0, 0, Buffer.alloc(6), 0], 'lo']) {
      expect(thrownBy(() => encodeAddress(AF_PACKET, address as never))).toMatchObject({
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
  });

  test('a datagram on the loopback interface is seen, with where it came by', () => {
    const sniffer = probe(AF_PACKET, SOCK_DGRAM);
    if (sniffer instanceof OSError) return expectNoSuchFamily(sniffer);
    sniffer.bind(['lo', ETH_P_IP]);
    expect(sniffer.getsockname()).toEqual(['lo', ETH_P_IP, 0, 772, Buffer.alloc(6)]);
    const receiver = kit.current.receiver();
    const marker = Buffer.from(`fdloop-${process.pid}-${Math.random()}`);
    kit.current.socket(AF_INET, SOCK_DGRAM).sendto(marker, receiver.getsockname() as Address);
    for (;;) {
      waitFor(sniffer, EVENT_READ);
      const [packet, from] = sniffer.recvfrom(65536);
      if (!packet.includes(marker)) continue;
      expect(from).toEqual(['lo', ETH_P_IP, expect.any(Number), 772, Buffer.alloc(6)]);
      break;
    }
  });
});

describeOnLinux('vsock', () => {
  test('an address is a context id and a port', () => {
    expect(thereAndBack(AF_VSOCK, [2, 1024])).toEqual([2, 1024]);
    expect(thereAndBack(AF_VSOCK, [VMADDR_CID_ANY, VMADDR_PORT_ANY])).toEqual([0xffffffff, 0xffffffff]);
    expect(thrownBy(() => encodeAddress(AF_VSOCK, [0, 2 ** 32]))).toBeInstanceOf(ValueError);
    expect(thrownBy(() => encodeAddress(AF_VSOCK, ['2', 1] as never))).toBeInstanceOf(TypeError);
  });

  test.each([
    ['STREAM', SOCK_STREAM],
    ['SEQPACKET', SOCK_SEQPACKET],
  ])('a socket of the type %s binds to a port, or the kernel says what is missing', (_name, type) => {
    const socket = probe(AF_VSOCK, type);
    if (socket instanceof OSError) return expectNoSuchFamily(socket);
    socket.bind([VMADDR_CID_ANY, VMADDR_PORT_ANY]);
    const [contextId, port] = socket.getsockname() as [number, number];
    expect(contextId).toBe(0xffffffff);
    expect(port).toBeGreaterThan(0);
    const other = kit.current.own(new Socket(AF_VSOCK, type));
    expect(thrownBy(() => other.bind([VMADDR_CID_ANY, port]))).toMatchObject({
      code: 'EADDRINUSE',
      syscall: 'bind',
      address: '4294967295',
      port,
    });
  });
});

describeOnLinux('CAN', () => {
  // The headers enumerate these, without a macro of the same name.
  test('has the numbers of its options', () => {
    const { SOL_CAN_RAW, CAN_RAW_FILTER, CAN_RAW_LOOPBACK, CAN_RAW_FD_FRAMES, CAN_RAW_JOIN_FILTERS } = socketConstants;
    expect([SOL_CAN_RAW, CAN_RAW_FILTER, CAN_RAW_LOOPBACK, CAN_RAW_FD_FRAMES, CAN_RAW_JOIN_FILTERS]).toEqual([
      101, 1, 3, 5, 6,
    ]);
  });

  test('which form an address has is the affair of the protocol', () => {
    expect(thereAndBack(AF_CAN, ['lo'], CAN_RAW)).toEqual(['lo']);
    expect(thereAndBack(AF_CAN, [''], CAN_RAW)).toEqual(['']);
    expect(thereAndBack(AF_CAN, ['lo', 0x123, 0x80000456], CAN_ISOTP)).toEqual(['lo', 0x123, 0x80000456]);
    const name = 0xfedcba9876543210n;
    expect(thereAndBack(AF_CAN, ['lo', name, 0x40000, 0xff], CAN_J1939)).toEqual(['lo', name, 0x40000, 0xff]);
    expect(thereAndBack(AF_CAN, ['lo', 0n, 1, 2], CAN_J1939)).toEqual(['lo', 0n, 1, 2]);
  });

  test('another form is refused', () => {
    for (const address of [[], [1], ['lo', 1], ['lo', 1, 2, 3], ['lo', 1n, 2], ['lo', 1n, '2', 3], 'lo']) {
      expect(thrownBy(() => encodeAddress(AF_CAN, address as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
    for (const address of [
      ['', 2 ** 32, 0],
      ['', -1n, 0, 0],
      ['', 2n ** 64n, 0, 0],
      ['', 1n, 0, 256],
    ] as const) {
      expect(thrownBy(() => encodeAddress(AF_CAN, address as never))).toBeInstanceOf(ValueError);
    }
  });

  test('a raw socket binds to all interfaces, or the kernel says that it has none of the family', () => {
    const socket = probe(AF_CAN, SOCK_RAW, CAN_RAW);
    if (socket instanceof OSError) return expectNoSuchFamily(socket);
    socket.bind(['']);
    expect(socket.getsockname()).toEqual(['']);
  });
});

describe('types', () => {
  testOnLinux('SEQPACKET keeps the borders of messages and the order, and is connected', () => {
    const listener = kit.current.socket(AF_UNIX, SOCK_SEQPACKET);
    listener.bind(`\0fdloop-seqpacket-${process.pid}`);
    listener.listen();
    const client = kit.current.socket(AF_UNIX, SOCK_SEQPACKET);
    client.connect(listener.getsockname() as Address);
    const server = kit.current.own(listener.accept()[0]);
    expect(server.type).toBe(SOCK_SEQPACKET);
    client.send(Buffer.from('one'));
    client.send(Buffer.from('two'));
    const { MSG_TRUNC } = socketConstants;
    expect(server.recvmsg(10)[0].toString()).toBe('one');
    const [data, , flags] = server.recvmsg(1);
    expect([data.toString(), flags & MSG_TRUNC]).toEqual(['t', MSG_TRUNC]);
    client.close();
    expect(server.recvmsg(10)[0]).toHaveLength(0);
  });

  test('RAW gets an echo back from this machine', () => {
    const socket = probe(AF_INET, SOCK_RAW, socketConstants.IPPROTO_ICMP);
    if (socket instanceof OSError) return expect(socket).toMatchObject({ code: 'EPERM', syscall: 'socket' });
    const request = Buffer.from([8, 0, 0, 0, 0x12, 0x34, 0, 1]);
    request.writeUInt16BE(0xffff - (0x0800 + 0x1234 + 1), 2);
    socket.sendto(request, ['127.0.0.1', 0]);
    for (;;) {
      waitFor(socket, EVENT_READ);
      const [packet, from] = socket.recvfrom(100);
      const reply = packet.subarray((packet[0] & 15) * 4);
      if (reply[0] !== 0 || reply.readUInt16BE(4) !== 0x1234) continue;
      expect(from).toEqual(['127.0.0.1', 0]);
      break;
    }
  });
});
