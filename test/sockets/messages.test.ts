// messages.test.ts: sendmsg and recvmsg with all their parts, and batches of messages.

import { EVENT_READ } from '../../lib/base/constants';
import { BlockingIOError, OSError, ValueError } from '../../lib/base/errors';
import { binding } from '../../lib/native/binding';
import type { Address } from '../../lib/sockets/address';
import {
  AF_INET,
  AF_UNIX,
  IOV_MAX,
  SHUT_WR,
  SOCK_DGRAM,
  SOL_SOCKET,
  socketConstants,
} from '../../lib/sockets/constants';
import { cmsgLen, cmsgSpace, type AncillaryItem } from '../../lib/sockets/control';
import type { OutgoingMessage } from '../../lib/sockets/messages';
import { detach } from '../support/detach';
import { pattern, thrownBy, useSocketKit, waitFor } from './socket-kit';
import { isLinux, isWindows, testOnLinux, testOnPosix } from '../support/systems';

const { MSG_TRUNC, MSG_CTRUNC, MSG_PEEK, MSG_DONTWAIT, SCM_RIGHTS, SO_PASSCRED } = socketConstants;
/** One that changes nothing here, and takes the full way. */
const ANY_FLAG = MSG_DONTWAIT ?? socketConstants.MSG_DONTROUTE;
const kit = useSocketKit();

describe('recvmsg', () => {
  test('gives bytes, ancillary data, flags and the sender', () => {
    const receiver = kit.current.receiver();
    const sender = kit.current.receiver();
    sender.sendto(Buffer.from('hello'), receiver.getsockname() as Address);
    waitFor(receiver, EVENT_READ);
    expect(receiver.recvmsg(100)).toEqual([Buffer.from('hello'), [], 0, sender.getsockname()]);
  });

  test('of a connected stream has no sender, and ends with no bytes', () => {
    const [left, right] = kit.current.pair();
    left.send(Buffer.from('abc'));
    left.close();
    expect(right.recvmsg(2)).toEqual([Buffer.from('ab'), [], 0, null]);
    expect(right.recvmsg(2)).toEqual([Buffer.from('c'), [], 0, null]);
    expect(right.recvmsg(2)).toEqual([Buffer.alloc(0), [], 0, null]);
  });

  test('a datagram that is too long for the buffer is cut, and says so', () => {
    const [left, right] = kit.current.pair(SOCK_DGRAM);
    left.send(Buffer.from('abcdef'));
    expect(right.recvmsg(2).slice(0, 3)).toEqual([Buffer.from('ab'), [], MSG_TRUNC]);
    left.send(Buffer.from('abcdef'));
    if (!isLinux) return;
    // As an argument the flag asks, on Linux, for the whole length; there are no more bytes for it.
    const [count, , flags] = right.recvmsgInto([Buffer.alloc(2)], 0, MSG_TRUNC);
    expect([count, flags]).toEqual([6, MSG_TRUNC]);
  });

  test('flags are passed on', () => {
    const [left, right] = kit.current.pair();
    left.send(Buffer.from('abc'));
    waitFor(right, EVENT_READ);
    expect(right.recvmsg(10, 0, MSG_PEEK)[0].toString()).toBe('abc');
    expect(right.recvmsg(10)[0].toString()).toBe('abc');
    // Windows has no such flag, and a call that may block would.
    if (MSG_DONTWAIT === undefined) return;
    right.setblocking(true);
    expect(thrownBy(() => right.recvmsg(10, 0, MSG_DONTWAIT))).toBeInstanceOf(BlockingIOError);
  });

  test('a call that would have to wait throws BlockingIOError', () => {
    const [, right] = kit.current.pair();
    for (const call of [
      () => right.recvmsg(1),
      () => right.recvmsgInto([Buffer.alloc(1)]),
      () => right.recvmmsg(2, 1),
    ]) {
      expect(thrownBy(call)).toBeInstanceOf(BlockingIOError);
    }
    expect(thrownBy(() => right.recvmsg(1))).toMatchObject({ code: 'EAGAIN', syscall: 'recvmsg' });
    // Elsewhere there is no such call, and the messages are taken one by one.
    const syscall = isLinux ? 'recvmmsg' : 'recvmsg';
    expect(thrownBy(() => right.recvmmsg(1, 1))).toMatchObject({ code: 'EAGAIN', syscall });
  });

  test('recvmsgInto fills one buffer after the other', () => {
    const [left, right] = kit.current.pair();
    const buffers = [Buffer.alloc(2), new Uint8Array(0), Buffer.alloc(3), Buffer.alloc(3)];
    left.send(Buffer.from('abcdef'));
    expect(right.recvmsgInto(buffers)).toEqual([6, [], 0, null]);
    expect(buffers.map((buffer) => Buffer.from(buffer).toString())).toEqual(['ab', '', 'cde', 'f\0\0']);
    left.send(Buffer.from('x'));
    expect(right.recvmsgInto([])[0]).toBe(0);
    expect(right.recv(1).toString()).toBe('x');
  });

  test('a buffer whose memory is gone counts as empty', () => {
    const [left, right] = kit.current.pair();
    const gone = new Uint8Array(4);
    detach(gone.buffer);
    const there = Buffer.alloc(4);
    left.send(Buffer.from('abcd'));
    expect(right.recvmsgInto([gone, there])[0]).toBe(4);
    expect(there.toString()).toBe('abcd');
  });

  test('more buffers than the system takes are refused', () => {
    const [left, right] = kit.current.pair();
    const buffers = Array.from({ length: IOV_MAX }, () => Buffer.alloc(1));
    left.send(pattern(IOV_MAX + 1));
    expect(right.recvmsgInto(buffers)[0]).toBe(IOV_MAX);
    expect(thrownBy(() => right.recvmsgInto([...buffers, Buffer.alloc(1)]))).toBeInstanceOf(ValueError);
    expect(right.recv(10)).toHaveLength(1);
  });

  testOnLinux('ancillary data without room is cut, and says so', () => {
    const [left, right] = kit.current.pair(SOCK_DGRAM);
    right.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
    left.send(Buffer.from('x'));
    expect(right.recvmsg(1).slice(1, 3)).toEqual([[], MSG_CTRUNC]);
    left.send(Buffer.from('x'));
    const [, items, flags] = right.recvmsg(1, cmsgLen(4));
    expect(flags).toBe(MSG_CTRUNC);
    expect(items.map(([, , data]) => data.length)).toEqual([4]);
    left.send(Buffer.from('x'));
    expect(right.recvmsg(1, cmsgSpace(12))[1][0][2]).toHaveLength(12);
  });
});

describe('sendmsg', () => {
  test('sends several pieces as one message to an address', () => {
    const receiver = kit.current.receiver();
    const sender = kit.current.receiver();
    const pieces = [Buffer.from('ab'), new Uint8Array(0), Buffer.from('cd')];
    expect(sender.sendmsg(pieces, [], 0, receiver.getsockname())).toBe(4);
    waitFor(receiver, EVENT_READ);
    expect(receiver.recvfrom(10)).toEqual([Buffer.from('abcd'), sender.getsockname()]);
  });

  // Windows has no MSG_DONTWAIT, and a call that may block would.
  testOnPosix('flags are passed on', () => {
    const [left, right] = kit.current.pair();
    right.setblocking(true);
    left.setblocking(true);
    const large = Buffer.alloc(60_000);
    const full = thrownBy(() => {
      for (;;) left.sendmsg([large], [], MSG_DONTWAIT);
    });
    expect(full).toBeInstanceOf(BlockingIOError);
    expect(full).toMatchObject({ syscall: 'sendmsg' });
  });

  // Windows' Unix sockets are streams.
  testOnPosix('an error names the path', () => {
    const socket = kit.current.socket(AF_UNIX, SOCK_DGRAM);
    expect(thrownBy(() => socket.sendmsg([Buffer.from('x')], [], 0, '/no/such/socket'))).toMatchObject({
      code: 'ENOENT',
      syscall: 'sendmsg',
      address: '/no/such/socket',
    });
  });

  test('an error names the address', () => {
    const inet = kit.current.socket(AF_INET, SOCK_DGRAM);
    expect(thrownBy(() => inet.sendmsg([Buffer.alloc(70_000)], [], 0, ['127.0.0.1', 9]))).toMatchObject({
      code: 'EMSGSIZE',
      address: '127.0.0.1',
      port: 9,
    });
  });

  test('a list of pieces alone is cut at what one call takes, and anything more makes it an error', () => {
    const [left, right] = kit.current.pair();
    const many = Array.from({ length: IOV_MAX + 1 }, () => Buffer.from('.'));
    expect(left.sendmsg(many)).toBe(IOV_MAX);
    expect(thrownBy(() => left.sendmsg(many, [], ANY_FLAG))).toMatchObject({ code: 'EMSGSIZE' });
    expect(right.recv(IOV_MAX * 2)).toHaveLength(IOV_MAX);
  });

  test('a stream that has no reader any more is EPIPE, without a signal', () => {
    const [left, right] = kit.current.pair();
    // Of a TCP peer that is gone, as a pair on Windows has, the first send hears nothing.
    if (isWindows) left.shutdown(SHUT_WR);
    else right.close();
    expect(thrownBy(() => left.sendmsg([Buffer.from('x')], [], ANY_FLAG))).toMatchObject({ code: 'EPIPE' });
    expect(thrownBy(() => left.sendmmsg([{ data: Buffer.from('x') }]))).toMatchObject({
      code: 'EPIPE',
      // Elsewhere there is no call for many.
      syscall: isLinux ? 'sendmmsg' : 'sendmsg',
    });
  });

  test('ancillary data is triples of two numbers and bytes', () => {
    const [left] = kit.current.pair();
    const bytes = Buffer.alloc(4);
    for (const items of [
      null,
      'text',
      {},
      [null],
      [[]],
      [[1, 1]],
      [[1, 1, 'x']],
      [[1, 1, bytes, 1]],
      [['1', 1, bytes]],
    ]) {
      expect(thrownBy(() => left.sendmsg([bytes], items as never))).toMatchObject({
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
    expect(thrownBy(() => left.sendmsg([bytes], [[1.5, 1, bytes]]))).toBeInstanceOf(ValueError);
  });

  test('ancillary data that the system refuses is an OSError', () => {
    const [left, right] = kit.current.pair();
    const wrong: AncillaryItem[] = [[SOL_SOCKET, 9999, Buffer.alloc(4)]];
    expect(thrownBy(() => left.sendmsg([Buffer.from('x')], wrong))).toMatchObject({
      code: isWindows ? 'EOPNOTSUPP' : 'EINVAL',
      syscall: 'sendmsg',
    });
    expect(thrownBy(() => right.recv(1))).toBeInstanceOf(BlockingIOError);
  });
});

describe('sizes of control data', () => {
  test('a length has no gap behind it, and a space has', () => {
    expect(cmsgLen(0)).toBe(cmsgSpace(0));
    for (let bytes = 1; bytes < 40; bytes++) {
      expect(cmsgLen(bytes)).toBe(cmsgLen(0) + bytes);
      expect(cmsgSpace(bytes)).toBeGreaterThanOrEqual(cmsgLen(bytes));
      expect(cmsgSpace(bytes) - cmsgLen(bytes)).toBeLessThan(8);
    }
  });

  test('a size is an integer that is not negative', () => {
    for (const value of [-1, 2 ** 31, 0.5]) {
      expect(thrownBy(() => cmsgLen(value))).toBeInstanceOf(ValueError);
      expect(thrownBy(() => cmsgSpace(value))).toBeInstanceOf(ValueError);
    }
    expect(thrownBy(() => cmsgSpace(2 ** 31 - 1))).toMatchObject({ code: 'EINVAL' });
  });
});

// The same with the system calls for batches, and one message after the other as where there are none.
describe.each(['in one call', 'one by one'])('batches %s', (way) => {
  beforeEach(() => {
    if (way === 'in one call') return;
    jest.spyOn(binding, 'recvMessages').mockReturnValue(-binding.errnoByName.ENOSYS);
    jest.spyOn(binding, 'sendMessages').mockReturnValue(-binding.errnoByName.ENOSYS);
  });
  afterEach(() => jest.restoreAllMocks());

  test('what is there comes in order, with its senders and borders', () => {
    const receiver = kit.current.receiver();
    const senders = [kit.current.receiver(), kit.current.receiver()];
    const target = receiver.getsockname() as Address;
    senders[0].sendto(Buffer.from('one'), target);
    senders[1].sendto(Buffer.from(''), target);
    senders[0].sendto(Buffer.from('three'), target);
    waitFor(receiver, EVENT_READ);
    const messages = receiver.recvmmsg(10, 4);
    expect(messages.map(([data]) => data.toString())).toEqual(['one', '', 'thre']);
    expect(messages.map(([, , flags]) => flags)).toEqual([0, 0, MSG_TRUNC]);
    const [first, second] = senders.map((socket) => socket.getsockname());
    expect(messages.map(([, , , address]) => address)).toEqual([first, second, first]);
    expect(thrownBy(() => receiver.recvmmsg(10, 4))).toBeInstanceOf(BlockingIOError);
  });

  test('no more are taken than are asked for', () => {
    const [left, right] = kit.current.pair(SOCK_DGRAM);
    for (const text of ['a', 'b', 'c']) left.send(Buffer.from(text));
    expect(right.recvmmsg(0, 10)).toEqual([]);
    expect(right.recvmmsg(2, 10).map(([data]) => data.toString())).toEqual(['a', 'b']);
    expect(right.recvmmsg(2, 10).map(([data]) => data.toString())).toEqual(['c']);
  });

  test('a blocking socket waits for the first message only', () => {
    const [left, right] = kit.current.pair(SOCK_DGRAM);
    right.setblocking(true);
    left.send(Buffer.from('a'));
    expect(right.recvmmsg(10, 10)).toHaveLength(1);
  });

  testOnLinux('each message has ancillary data of its own', () => {
    const [left, right] = kit.current.pair(SOCK_DGRAM);
    right.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
    left.send(Buffer.from('a'));
    left.send(Buffer.from('b'));
    const messages = right.recvmmsg(3, 1, cmsgSpace(12));
    expect(messages.map(([, items]) => items.map(([, , data]) => Buffer.from(data).readInt32LE(0)))).toEqual([
      [process.pid],
      [process.pid],
    ]);
  });

  test('messages go out to their addresses, in one piece or several', () => {
    const [first, second, sender] = [kit.current.receiver(), kit.current.receiver(), kit.current.receiver()];
    const messages: OutgoingMessage[] = [
      { data: Buffer.from('one'), address: first.getsockname() },
      { data: [Buffer.from('t'), Buffer.from('wo')], address: second.getsockname() },
      { data: [], address: first.getsockname() },
    ];
    expect(sender.sendmmsg(messages)).toBe(3);
    waitFor(first, EVENT_READ);
    expect(first.recvmmsg(5, 10).map(([data]) => data.toString())).toEqual(['one', '']);
    waitFor(second, EVENT_READ);
    expect(second.recv(10).toString()).toBe('two');
    expect(sender.sendmmsg([])).toBe(0);
  });

  // Windows passes no descriptors.
  testOnPosix('a message goes out with its ancillary data', () => {
    const [left, right] = kit.current.pair(SOCK_DGRAM);
    const fd = Buffer.from(new Int32Array([0]).buffer);
    const messages: OutgoingMessage[] = [
      { data: Buffer.from('plain') },
      { data: Buffer.from('full'), ancillary: [[SOL_SOCKET, SCM_RIGHTS, fd]] },
    ];
    expect(left.sendmmsg(messages)).toBe(2);
    expect(right.recvmsg(10, cmsgSpace(4)).slice(0, 2)).toEqual([Buffer.from('plain'), []]);
    const [data, items] = right.recvmsg(10, cmsgSpace(4));
    expect(data.toString()).toBe('full');
    expect(items.map(([level, type]) => [level, type])).toEqual([[SOL_SOCKET, SCM_RIGHTS]]);
    binding.close(Buffer.from(items[0][2]).readInt32LE(0));
  });

  test('a first message that cannot be sent throws, a later one ends the batch', () => {
    const receiver = kit.current.receiver();
    const sender = kit.current.receiver();
    const address = receiver.getsockname() as [string, number];
    const good: OutgoingMessage = { data: Buffer.from('x'), address };
    const bad: OutgoingMessage = { data: Buffer.alloc(70_000), address };
    expect(thrownBy(() => sender.sendmmsg([bad, good]))).toMatchObject({
      code: 'EMSGSIZE',
      address: address[0],
      port: address[1],
    });
    expect(sender.sendmmsg([good, bad, good])).toBe(1);
    waitFor(receiver, EVENT_READ);
    expect(receiver.recvmmsg(5, 1)).toHaveLength(1);
  });

  // A datagram of UDP that finds no room is lost without a word; for a Unix socket's, the BSDs say ENOBUFS.
  testOnLinux('a full receiver ends a batch that is larger than one call', () => {
    const [left, right] = kit.current.pair(SOCK_DGRAM);
    const messages = Array.from({ length: 5000 }, () => ({ data: Buffer.alloc(500) }));
    const sent = left.sendmmsg(messages);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(5000);
    expect(thrownBy(() => left.sendmmsg(messages))).toBeInstanceOf(BlockingIOError);
    let received = 0;
    while (received < sent) received += right.recvmmsg(1000, 500).length;
    expect(received).toBe(sent);
  });

  test('messages of many pieces are divided among calls, and none is cut', () => {
    const [left, right] = kit.current.pair(SOCK_DGRAM);
    const pieces = (count: number): OutgoingMessage => ({
      data: Array.from({ length: count }, () => Buffer.from('.')),
    });
    expect(left.sendmmsg([pieces(700), pieces(700), pieces(IOV_MAX)])).toBe(3);
    expect(right.recvmmsg(3, 2000).map(([data]) => data.length)).toEqual([700, 700, IOV_MAX]);
    expect(thrownBy(() => left.sendmmsg([pieces(IOV_MAX + 1)]))).toMatchObject({ code: 'EMSGSIZE' });
  });

  test('nothing is sent when a later message makes no sense', () => {
    const [left, right] = kit.current.pair(SOCK_DGRAM);
    const good = { data: Buffer.from('x') };
    for (const bad of [
      null,
      5,
      {},
      { data: 'x' },
      { data: [1] },
      { data: good.data, ancillary: 1 },
      { data: good.data, address: 5 },
    ]) {
      expect(thrownBy(() => left.sendmmsg([good, bad as never]))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
    expect(thrownBy(() => left.sendmmsg('x' as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(thrownBy(() => right.recvmmsg(1, 1))).toBeInstanceOf(BlockingIOError);
  });
});

test('every call answers EBADF on a closed socket', () => {
  const [socket] = kit.current.pair();
  socket.close();
  for (const call of [
    () => socket.recvmsg(1),
    () => socket.recvmsgInto([Buffer.alloc(1)]),
    () => socket.recvmmsg(1, 1),
    () => socket.sendmsg([Buffer.alloc(1)], [], ANY_FLAG),
    () => socket.sendmmsg([{ data: Buffer.alloc(1) }]),
    () => socket.recvFds(1),
    // Windows has no such thing.
    ...(isWindows ? [] : [() => socket.sendFds([0])]),
    ...(isLinux ? [() => socket.peerCredentials()] : []),
  ]) {
    const error = thrownBy(call);
    expect(error).toBeInstanceOf(OSError);
    expect(error.code).toBe('EBADF');
  }
});
