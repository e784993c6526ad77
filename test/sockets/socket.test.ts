// socket.test.ts: the life of a socket: making, adopting, giving away, closing; its options and flags.

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import { inspect } from 'node:util';

import { EVENT_READ } from '../../lib/base/constants';
import { BlockingIOError, OSError, ValueError } from '../../lib/base/errors';
import { binding } from '../../lib/native/binding';
import type { Address } from '../../lib/sockets/address';
import { AF_INET, AF_UNIX, PAIR_FAMILY, SOCK_DGRAM, SOCK_STREAM, socketConstants } from '../../lib/sockets/constants';
import { Socket, socketpair } from '../../lib/sockets/socket';
import { closedDescriptor, openDescriptors } from '../support/descriptors';
import { isLinux, isWindows, testOnLinux } from '../support/systems';
import { thrownBy, useSocketKit, waitFor } from './socket-kit';

const { SOCK_SEQPACKET, SOL_SOCKET, SO_REUSEADDR, SO_LINGER, SO_RCVBUF, SO_TYPE, IPPROTO_TCP, TCP_NODELAY } =
  socketConstants;
const kit = useSocketKit();

describe('making', () => {
  test('a socket is IPv4 and a stream when nothing is said', () => {
    const socket = kit.current.own(new Socket());
    expect([socket.family, socket.type, socket.proto]).toEqual([AF_INET, SOCK_STREAM, 0]);
    expect(socket.fileno()).toBeGreaterThan(2);
    expect(socket.getsockopt(SOL_SOCKET, SO_TYPE)).toBe(SOCK_STREAM);
  });

  test('every way to make a socket makes it non-blocking and not inheritable', () => {
    const [left, right] = kit.current.pair();
    const [client, accepted] = kit.current.connection();
    const duplicate = kit.current.own(client.dup());
    for (const socket of [kit.current.socket(), left, right, client, accepted, duplicate]) {
      expect(socket.getblocking()).toBe(false);
      expect(socket.getInheritable()).toBe(false);
    }
  });

  testOnLinux('flags that came with the type are no part of it', () => {
    const { SOCK_NONBLOCK, SOCK_CLOEXEC } = socketConstants;
    const socket = kit.current.own(new Socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC));
    expect(socket.type).toBe(SOCK_DGRAM);
    expect(socket.getsockopt(SOL_SOCKET, SO_TYPE)).toBe(SOCK_DGRAM);
  });

  test('what the system does not have is an OSError', () => {
    expect(thrownBy(() => new Socket(250))).toMatchObject({ name: 'OSError', code: 'EAFNOSUPPORT', syscall: 'socket' });
    expect(thrownBy(() => new Socket(-1))).toMatchObject({ code: 'EAFNOSUPPORT' });
    expect(thrownBy(() => new Socket(AF_INET, SOCK_STREAM, 250))).toBeInstanceOf(OSError);
  });

  test('pairs are of one family', () => {
    const [family, code] = isWindows ? [AF_UNIX, 'EAFNOSUPPORT'] : [AF_INET, 'EOPNOTSUPP'];
    expect(thrownBy(() => socketpair(family))).toMatchObject({ code, syscall: 'socketpair' });
  });

  test('a pair of sockets is connected, of the type that is asked for', () => {
    for (const type of [SOCK_STREAM, ...(isWindows ? [] : [SOCK_DGRAM]), ...(isLinux ? [SOCK_SEQPACKET] : [])]) {
      const [left, right] = kit.current.pair(type);
      expect([left.family, left.type, right.type]).toEqual([PAIR_FAMILY, type, type]);
      left.send(Buffer.from('one'));
      right.send(Buffer.from('two'));
      expect([right.recv(10).toString(), left.recv(10).toString()]).toEqual(['one', 'two']);
      if (!isWindows) expect(left.getsockname()).toBe('');
    }
  });
});

describe('the descriptor', () => {
  test('close closes once, and leaves -1', () => {
    const [socket, other] = kit.current.pair();
    const fd = socket.fileno();
    socket.close();
    expect(socket.fileno()).toBe(-1);
    expect(openDescriptors().has(fd)).toBe(false);
    const [again] = kit.current.pair();
    // Windows gives its numbers in another order.
    if (!isWindows) expect(again.fileno()).toBe(fd);
    socket.close();
    expect(again.getblocking()).toBe(false);
    expect(other.recv(1)).toHaveLength(0);
  });

  test('close tells what the system said, and the descriptor is gone all the same', () => {
    const [socket] = kit.current.pair();
    binding.close(socket.fileno());
    expect(thrownBy(() => socket.close())).toMatchObject({ code: 'EBADF', syscall: 'close' });
    expect(socket.fileno()).toBe(-1);
    socket.close();
  });

  test('detach gives the open descriptor away', () => {
    const [socket, other] = kit.current.pair();
    const fd = socket.fileno();
    expect(socket.detach()).toBe(fd);
    expect(socket.fileno()).toBe(-1);
    expect(socket.detach()).toBe(-1);
    socket.close();
    const adopted = kit.current.own(Socket.fromFd(fd));
    other.send(Buffer.from('x'));
    expect(adopted.recv(1).toString()).toBe('x');
  });

  test('dup makes a second descriptor for the same socket', () => {
    const [socket, other] = kit.current.pair();
    const duplicate = kit.current.own(socket.dup());
    expect(duplicate.fileno()).not.toBe(socket.fileno());
    expect([duplicate.family, duplicate.type, duplicate.proto]).toEqual([socket.family, socket.type, socket.proto]);
    socket.close();
    duplicate.send(Buffer.from('x'));
    expect(other.recv(1).toString()).toBe('x');
    expect(thrownBy(() => socket.dup())).toMatchObject({ code: 'EBADF', syscall: 'dup' });
  });

  test('leaving a using-block closes', () => {
    const [socket] = kit.current.pair();
    socket[Symbol.dispose]();
    expect(socket.fileno()).toBe(-1);
  });

  test('fromFd asks the system what it adopts, and changes nothing', () => {
    const original = kit.current.socket(AF_INET, SOCK_DGRAM);
    original.setblocking(true);
    const adopted = kit.current.own(Socket.fromFd(original.detach()));
    expect(adopted).toBeInstanceOf(Socket);
    // Windows says what the socket was made with, and the BSDs nothing.
    const proto = isLinux ? socketConstants.IPPROTO_UDP : 0;
    expect([adopted.family, adopted.type, adopted.proto]).toEqual([AF_INET, SOCK_DGRAM, proto]);
    expect(adopted.getblocking()).toBe(true);
  });

  test('fromFd refuses what is no socket', () => {
    expect(thrownBy(() => Socket.fromFd(closedDescriptor()))).toMatchObject({ code: 'EBADF' });
    for (const fd of [-1, 2 ** 31, 1.5, NaN]) expect(thrownBy(() => Socket.fromFd(fd))).toBeInstanceOf(ValueError);
    for (const fd of ['1', null, undefined, {}]) {
      expect(thrownBy(() => Socket.fromFd(fd as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
  });

  test('fromFd refuses a file, and leaves it open', () => {
    const file = fs.openSync(os.devNull, 'r');
    // On Windows files and sockets have numbers of their own, and the same number may be nothing at all.
    const code = isWindows ? expect.stringMatching(/^(ENOTSOCK|EBADF)$/) : 'ENOTSOCK';
    expect(thrownBy(() => Socket.fromFd(file))).toMatchObject({ code });
    fs.closeSync(file);
  });

  testOnLinux('only an inheritable descriptor is there after an exec', () => {
    const socket = kit.current.socket();
    const link = `/proc/self/fd/${socket.fileno()}`;
    expect(spawnSync('readlink', [link]).stdout.toString()).toBe('');
    socket.setInheritable(true);
    expect(socket.getInheritable()).toBe(true);
    expect(spawnSync('readlink', [link]).stdout.toString()).toMatch(/^socket:/);
    socket.setInheritable(false);
    expect(socket.getInheritable()).toBe(false);
  });
});

describe('blocking', () => {
  test('setblocking and settimeout say the same in two ways', () => {
    const [socket] = kit.current.pair();
    expect([socket.getblocking(), socket.gettimeout()]).toEqual([false, 0]);
    socket.setblocking(true);
    expect([socket.getblocking(), socket.gettimeout()]).toEqual([true, null]);
    socket.settimeout(0);
    expect([socket.getblocking(), socket.gettimeout()]).toEqual([false, 0]);
    socket.settimeout(null);
    expect([socket.getblocking(), socket.gettimeout()]).toEqual([true, null]);
  });

  test('a time limit other than none and no time is refused', () => {
    const [socket] = kit.current.pair();
    for (const timeout of [1, -1, 0.5, NaN, '0', undefined]) {
      expect(thrownBy(() => socket.settimeout(timeout as number))).toBeInstanceOf(ValueError);
    }
    expect(socket.getblocking()).toBe(false);
  });

  test('a call that would have to wait throws BlockingIOError', () => {
    const [socket] = kit.current.pair();
    expect(thrownBy(() => socket.recv(1))).toBeInstanceOf(BlockingIOError);
    expect(thrownBy(() => socket.recvInto(Buffer.alloc(1)))).toBeInstanceOf(BlockingIOError);
    expect(thrownBy(() => socket.recvfrom(1))).toMatchObject({ code: 'EAGAIN', syscall: 'recvfrom' });
    expect(thrownBy(() => kit.current.listener().accept())).toMatchObject({ code: 'EAGAIN', syscall: 'accept' });
  });
});

describe('options', () => {
  test('an option is a number or a boolean', () => {
    const socket = kit.current.socket();
    expect(socket.getsockopt(SOL_SOCKET, SO_REUSEADDR)).toBe(0);
    socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    // The BSDs answer with a bit of their own.
    expect(socket.getsockopt(SOL_SOCKET, SO_REUSEADDR)).not.toBe(0);
    socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, false);
    expect(socket.getsockopt(SOL_SOCKET, SO_REUSEADDR)).toBe(0);
    socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, true);
    expect(socket.getsockopt(IPPROTO_TCP, TCP_NODELAY)).not.toBe(0);
    socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 20_000);
    expect(socket.getsockopt(SOL_SOCKET, SO_RCVBUF)).toBeGreaterThanOrEqual(20_000);
  });

  test('an option is bytes where its length is given', () => {
    const socket = kit.current.socket();
    // Its two numbers have 16 bits on Windows.
    const Parts = isWindows ? Uint16Array : Int32Array;
    socket.setsockopt(SOL_SOCKET, SO_LINGER, new Uint8Array(Parts.of(1, 30).buffer));
    const bytes = socket.getsockopt(SOL_SOCKET, SO_LINGER, 64);
    expect(bytes).toHaveLength(2 * Parts.BYTES_PER_ELEMENT);
    expect([...new Parts(new Uint8Array(bytes).buffer)]).toEqual([1, 30]);
    if (!isWindows) expect(socket.getsockopt(SOL_SOCKET, SO_REUSEADDR, 2)).toHaveLength(2);
  });

  test('an option that the system refuses is an OSError', () => {
    const socket = kit.current.socket(PAIR_FAMILY);
    expect(thrownBy(() => socket.getsockopt(SOL_SOCKET, 9999))).toMatchObject({
      code: 'ENOPROTOOPT',
      syscall: 'getsockopt',
    });
    expect(thrownBy(() => socket.setsockopt(SOL_SOCKET, 9999, 1))).toMatchObject({
      code: 'ENOPROTOOPT',
      syscall: 'setsockopt',
    });
    expect(thrownBy(() => socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, Buffer.alloc(0)))).toMatchObject({
      code: isWindows ? 'EFAULT' : 'EINVAL',
    });
  });

  test('a value of another type is refused, and not converted', () => {
    const socket = kit.current.socket();
    for (const value of ['1', null, undefined, 1n, {}, [1], new Int32Array(1)]) {
      expect(thrownBy(() => socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, value as never))).toMatchObject({
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
    for (const value of [NaN, 1.5, 2 ** 33]) {
      expect(thrownBy(() => socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, value))).toBeInstanceOf(ValueError);
    }
    expect(socket.getsockopt(SOL_SOCKET, SO_REUSEADDR)).toBe(0);
  });
});

describe('subclasses', () => {
  class Counting extends Socket {
    received = 0;

    override recv(maxBytes: number, flags?: number): Buffer {
      const chunk = super.recv(maxBytes, flags);
      this.received += chunk.length;
      return chunk;
    }
  }

  test('a duplicate is of the class of its original, and an accepted socket is plain', () => {
    const counting = kit.current.own(new Counting());
    const duplicate = kit.current.own(counting.dup());
    expect(duplicate).toBeInstanceOf(Counting);
    expect(duplicate.received).toBe(0);
    const listener = kit.current.own(new Counting());
    listener.bind(['127.0.0.1', 0]);
    listener.listen();
    kit.current.socket().connectEx(listener.getsockname() as Address);
    waitFor(listener, EVENT_READ);
    expect(kit.current.own(listener.accept()[0])).not.toBeInstanceOf(Counting);
  });

  test('a duplicate that its class refuses leaves no descriptor', () => {
    const problem = new Error('refused');
    class Refusing extends Socket {
      constructor(...args: ConstructorParameters<typeof Socket>) {
        super(...args);
        if (args.length === 4) throw problem;
      }
    }
    const socket = kit.current.own(new Refusing(PAIR_FAMILY));
    const before = openDescriptors().size;
    expect(thrownBy(() => socket.dup())).toBe(problem);
    expect(openDescriptors().size).toBe(before);
  });

  test('a subclass can be made and can adopt', () => {
    const made = kit.current.own(new Counting(PAIR_FAMILY));
    expect(made.received).toBe(0);
    const [plain, other] = kit.current.pair();
    const adopted = kit.current.own(Counting.fromFd(plain.detach())) as Counting;
    expect(adopted).toBeInstanceOf(Counting);
    other.send(Buffer.from('four'));
    waitFor(adopted, EVENT_READ);
    expect(adopted.recv(10).toString()).toBe('four');
    expect(adopted.received).toBe(4);
  });

  test('inspect shows class, descriptor, family and type, and the addresses that there are', () => {
    const socket = kit.current.own(new Counting(AF_INET, SOCK_DGRAM));
    expect(inspect(socket)).toMatch(`<Counting fd=${socket.fileno()} family=2 type=2 proto=0`);
    socket.bind(['127.0.0.1', 0]);
    const own = `laddr=${inspect(socket.getsockname())}`;
    expect(inspect(socket)).toBe(`<Counting fd=${socket.fileno()} family=2 type=2 proto=0 ${own}>`);
    socket.connect(socket.getsockname() as Address);
    const peer = `raddr=${inspect(socket.getpeername())}`;
    expect(inspect(socket)).toBe(`<Counting fd=${socket.fileno()} family=2 type=2 proto=0 ${own} ${peer}>`);
    socket.close();
    expect(inspect(socket)).toBe('<Counting closed family=2 type=2 proto=0>');
  });

  test('a method on something else than a socket throws', () => {
    expect(() => Socket.prototype.fileno.call({} as Socket)).toThrow(TypeError);
    expect(() => Socket.prototype.recv.call(Object.create(Socket.prototype) as Socket, 1)).toThrow(TypeError);
  });
});
