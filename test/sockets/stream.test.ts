// stream.test.ts: connections over TCP and Unix sockets, and what goes through them.

import * as path from 'node:path';

import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import {
  BlockingIOError,
  ConnectionRefusedError,
  ConnectionResetError,
  FileNotFoundError,
} from '../../lib/base/errors';
import { binding } from '../../lib/native/binding';
import type { InetAddress } from '../../lib/sockets/address';
import { AF_INET, AF_INET6, AF_UNIX, socketConstants } from '../../lib/sockets/constants';
import { socketOptions } from '../../lib/sockets/options';
import {
  isLinux,
  isWindows,
  isWine,
  testNotOnWine,
  testOnLinux,
  testOnPosix,
  testWithUnixSockets,
} from '../support/systems';
import { hasInet6, pattern, receiveAll, thrownBy, useSocketKit, waitFor } from './socket-kit';

const { SHUT_RD, SHUT_WR, SHUT_RDWR, SOL_SOCKET, SO_ERROR, MSG_PEEK, IOV_MAX } = socketConstants;
const kit = useSocketKit();

describe('connecting', () => {
  test('a TCP connection knows both of its addresses', () => {
    const [client, server] = kit.current.connection();
    expect(client.getpeername()).toEqual(server.getsockname());
    expect(server.getpeername()).toEqual(client.getsockname());
    const [host, port] = client.getpeername() as InetAddress;
    expect(host).toBe('127.0.0.1');
    expect(port).toBeGreaterThan(0);
  });

  (hasInet6() ? test : test.skip)('an IPv6 connection has addresses of four parts', () => {
    const [client, server] = kit.current.connection(AF_INET6, ['::1', 0]);
    expect(client.getpeername()).toEqual(['::1', expect.any(Number), 0, 0]);
    expect(server.getpeername()).toEqual(client.getsockname());
  });

  testWithUnixSockets('a Unix connection is known by the path that was bound', () => {
    const name = path.join(kit.current.folder(), 'socket');
    const [client, server] = kit.current.connection(AF_UNIX, name);
    expect([client.getsockname(), client.getpeername()]).toEqual(['', name]);
    expect([server.getsockname(), server.getpeername()]).toEqual([name, '']);
  });

  testOnLinux('an abstract name works as a path does', () => {
    const name = `\0fdloop-test-${process.pid}`;
    const [client, server] = kit.current.connection(AF_UNIX, name);
    expect([client.getpeername(), server.getsockname()]).toEqual([name, name]);
    const unnamed = kit.current.socket(AF_UNIX);
    unnamed.bind('');
    expect(unnamed.getsockname()).toMatch(/^\0[0-9a-f]{5}$/);
  });

  test('accept gives the new socket and its peer', () => {
    const listener = kit.current.listener();
    const client = kit.current.socket();
    client.connectEx(listener.getsockname() as InetAddress);
    waitFor(listener, EVENT_READ);
    const [server, address] = listener.accept();
    kit.current.own(server);
    expect(address).toEqual(client.getsockname());
    expect([server.family, server.type, server.proto]).toEqual([listener.family, listener.type, listener.proto]);
  });

  test('a connect that takes time throws BlockingIOError, and SO_ERROR tells its end', () => {
    const listener = kit.current.listener();
    const client = kit.current.socket();
    const error = thrownBy(() => client.connect(listener.getsockname() as InetAddress));
    expect(error).toBeInstanceOf(BlockingIOError);
    expect(error).toMatchObject({ code: 'EINPROGRESS', syscall: 'connect', address: '127.0.0.1' });
    waitFor(client, EVENT_WRITE);
    expect(client.getsockopt(SOL_SOCKET, SO_ERROR)).toBe(0);
    // Linux tells success once, others that there is a connection already.
    const again = isLinux ? 0 : binding.errnoByName.EISCONN;
    expect(client.connectEx(listener.getsockname() as InetAddress)).toBe(again);
  });

  test('a refused connect is told at once by a blocking socket, with where it went', () => {
    const address = unusedAddress();
    const client = kit.current.socket();
    client.setblocking(true);
    const error = thrownBy(() => client.connect(address));
    expect(error).toBeInstanceOf(ConnectionRefusedError);
    expect(error).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect', address: address[0], port: address[1] });
    expect(error.message).toContain(`${address[0]}:${address[1]}`);
  });

  test('connectEx gives a positive errno in place of an error', () => {
    const client = kit.current.socket();
    client.setblocking(true);
    expect(client.connectEx(unusedAddress())).toBe(binding.errnoByName.ECONNREFUSED);
  });

  testWithUnixSockets('a connect to a path where there is nothing fails at once', () => {
    const name = path.join(kit.current.folder(), 'nobody');
    expect(kit.current.socket(AF_UNIX).connectEx(name)).toBe(2);
    expect(thrownBy(() => kit.current.socket(AF_UNIX).connect(name))).toBeInstanceOf(FileNotFoundError);
  });

  test('an address can be bound once', () => {
    const listener = kit.current.listener();
    const [host, port] = listener.getsockname() as InetAddress;
    const error = thrownBy(() => kit.current.socket().bind([host, port]));
    expect(error).toMatchObject({ name: 'OSError', code: 'EADDRINUSE', syscall: 'bind', address: host, port });
  });

  test('listen takes any backlog, a negative one as none', () => {
    for (const backlog of [undefined, 0, -1, -(2 ** 31), 1, 2 ** 31 - 1]) {
      const listener = kit.current.socket();
      listener.bind(['127.0.0.1', 0]);
      listener.listen(backlog);
      expect(thrownBy(() => listener.accept())).toBeInstanceOf(BlockingIOError);
    }
    expect(thrownBy(() => kit.current.socket(AF_INET, socketConstants.SOCK_DGRAM).listen())).toMatchObject({
      // The former is wine's before 10.
      code: isWine ? expect.stringMatching(/^(EINVAL|EOPNOTSUPP)$/) : 'EOPNOTSUPP',
      syscall: 'listen',
    });
  });

  test('a socket that is not connected has no peer', () => {
    expect(thrownBy(() => kit.current.socket().getpeername())).toMatchObject({
      code: 'ENOTCONN',
      syscall: 'getpeername',
    });
  });

  function unusedAddress(): InetAddress {
    const socket = kit.current.socket();
    socket.bind(['127.0.0.1', 0]);
    return socket.getsockname() as InetAddress;
  }
});

describe.each(['TCP', 'Unix'])('bytes over %s', (road) => {
  const connect = () => (road === 'TCP' ? kit.current.connection() : kit.current.pair());

  test('what is sent arrives, in order', () => {
    const [client, server] = connect();
    const sent = pattern(300_000);
    const received: Buffer[] = [];
    for (let start = 0, left = sent.length; left > 0;) {
      const result = start < sent.length ? client._send(sent.subarray(start)) : 0;
      if (result > 0) start += result;
      waitFor(server, EVENT_READ);
      const chunk = server.recv(64 * 1024);
      received.push(chunk);
      left -= chunk.length;
    }
    expect(Buffer.concat(received).equals(sent)).toBe(true);
  });

  test('recv takes what is there, up to its limit', () => {
    const [client, server] = connect();
    client.send(Buffer.from('abcdef'));
    waitFor(server, EVENT_READ);
    expect(server.recv(4, MSG_PEEK).toString()).toBe('abcd');
    expect(server.recv(4).toString()).toBe('abcd');
    expect(server.recv(1000).toString()).toBe('ef');
  });

  test('recv of nothing gives nothing and takes nothing', () => {
    const [client, server] = connect();
    client.send(Buffer.from('x'));
    waitFor(server, EVENT_READ);
    expect(server.recv(0)).toHaveLength(0);
    expect(server.recv(1).toString()).toBe('x');
  });

  test('recvInto fills the buffer, or as much of it as is asked for', () => {
    const [client, server] = connect();
    client.send(Buffer.from('abcdefgh'));
    waitFor(server, EVENT_READ);
    const memory = new Uint8Array(10).fill(46);
    expect(server.recvInto(memory.subarray(2, 5))).toBe(3);
    expect(server.recvInto(memory.subarray(6), 2)).toBe(2);
    expect(Buffer.from(memory).toString()).toBe('..abc.de..');
    expect(server.recvInto(new Uint8Array(0))).toBe(0);
    expect(server.recvInto(memory, 1, MSG_PEEK)).toBe(1);
    expect(server.recvInto(memory)).toBe(3);
    expect(Buffer.from(memory).toString()).toBe('fghbc.de..');
  });

  test('recvInto refuses more than the buffer holds', () => {
    const [, server] = connect();
    const error = thrownBy(() => server.recvInto(Buffer.alloc(3), 4));
    expect(error).toMatchObject({ name: 'ValueError', code: 'ERR_INVALID_ARG_VALUE' });
  });

  test('send of nothing sends nothing', () => {
    const [client, server] = connect();
    expect(client.send(Buffer.alloc(0))).toBe(0);
    expect(client.sendmsg([])).toBe(0);
    expect(client.sendmsg([Buffer.alloc(0), Buffer.alloc(0)])).toBe(0);
    expect(thrownBy(() => server.recv(1))).toBeInstanceOf(BlockingIOError);
  });

  test('send sends exactly the view that it is given', () => {
    const [client, server] = connect();
    const memory = Buffer.from('0123456789');
    expect(client.send(memory.subarray(3, 6))).toBe(3);
    expect(client.send(new Uint8Array(memory.buffer, memory.byteOffset + 7, 2))).toBe(2);
    expect(receiveAll(server, 5).toString()).toBe('34578');
  });

  test('a full send buffer is BlockingIOError for one piece and for many', () => {
    const [client] = connect();
    const chunk = Buffer.alloc(1 << 20);
    while (client._send(chunk) > 0);
    expect(thrownBy(() => client.send(chunk))).toMatchObject({
      name: 'BlockingIOError',
      code: 'EAGAIN',
      syscall: 'send',
    });
    expect(thrownBy(() => client.sendmsg([chunk, chunk]))).toMatchObject({
      name: 'BlockingIOError',
      syscall: 'sendmsg',
    });
  });

  test('sendmsg sends its pieces one after the other', () => {
    const [client, server] = connect();
    const pieces = ['a', '', 'bc', 'def', ''].map((text) => Buffer.from(text));
    expect(client.sendmsg([...pieces, new Uint8Array([103])])).toBe(7);
    expect(receiveAll(server, 7).toString()).toBe('abcdefg');
  });

  test('sendmsg looks at IOV_MAX pieces at the most', () => {
    const [client, server] = connect();
    const pieces = Array.from({ length: IOV_MAX + 10 }, (_, index) => Buffer.from([index % 251]));
    expect(client.sendmsg(pieces)).toBe(IOV_MAX);
    expect(receiveAll(server, IOV_MAX).equals(Buffer.concat(pieces.slice(0, IOV_MAX)))).toBe(true);
  });

  test('the end of the stream is an empty buffer, again and again', () => {
    const [client, server] = connect();
    client.send(Buffer.from('last'));
    client.shutdown(SHUT_WR);
    expect(receiveAll(server, 4).toString()).toBe('last');
    waitFor(server, EVENT_READ);
    expect([server.recv(10).length, server.recv(10).length, server.recvInto(Buffer.alloc(1))]).toEqual([0, 0, 0]);
    server.send(Buffer.from('answer'));
    expect(receiveAll(client, 6).toString()).toBe('answer');
  });

  test('shutdown takes SHUT_RD, SHUT_WR and SHUT_RDWR, and nothing else', () => {
    // Windows takes receiving after it for an error.
    const ended = isWindows ? -binding.errnoByName.EPIPE : 0;
    for (const how of [SHUT_RD, SHUT_WR, SHUT_RDWR]) {
      const [client] = connect();
      client.shutdown(how);
      expect(client._recv(1)).toBe(how === SHUT_WR ? -binding.errnoByName.EAGAIN : ended);
    }
    const [client] = connect();
    expect(thrownBy(() => client.shutdown(9))).toMatchObject({ code: 'EINVAL', syscall: 'shutdown' });
    expect(thrownBy(() => kit.current.socket().shutdown(SHUT_WR))).toMatchObject({ code: 'ENOTCONN' });
  });

  // Windows calls it a reset.
  testOnPosix('SOCK-050: a send to a peer that is gone throws BrokenPipeError, and there is no signal', () => {
    const [client, server] = connect();
    server.close();
    const error = thrownBy(() => {
      for (;;) client.send(Buffer.from('x'));
    });
    expect(error).toMatchObject({ name: 'BrokenPipeError', code: 'EPIPE', syscall: 'send' });
    expect(thrownBy(() => client.sendmsg([Buffer.from('x')]))).toMatchObject({ name: 'BrokenPipeError' });
  });
});

testNotOnWine('a connection that was reset throws ConnectionResetError', () => {
  const [client, server] = kit.current.connection();
  socketOptions.linger.set(server, 0);
  server.close();
  waitFor(client, EVENT_READ);
  const error = thrownBy(() => client.recv(1));
  expect(error).toBeInstanceOf(ConnectionResetError);
  expect(error).toMatchObject({ code: 'ECONNRESET', syscall: 'recv' });
});

test('SOCK-049: every call on a closed socket fails at once with EBADF', () => {
  const [socket] = kit.current.pair();
  const address = socket.family === AF_UNIX ? '/path' : (['127.0.0.1', 1] as const);
  socket.close();
  const calls: [string, () => unknown][] = [
    ['recv', () => socket.recv(1)],
    ['recv', () => socket.recvInto(Buffer.alloc(1))],
    ['recvfrom', () => socket.recvfrom(1)],
    ['recvfrom', () => socket.recvfromInto(Buffer.alloc(1))],
    ['send', () => socket.send(Buffer.alloc(1))],
    ['sendto', () => socket.sendto(Buffer.alloc(1), address)],
    ['sendmsg', () => socket.sendmsg([Buffer.alloc(1)])],
    ['bind', () => socket.bind(address)],
    ['listen', () => socket.listen()],
    ['accept', () => socket.accept()],
    ['connect', () => socket.connect(address)],
    ['shutdown', () => socket.shutdown(SHUT_WR)],
    ['dup', () => socket.dup()],
    ['getsockname', () => socket.getsockname()],
    ['getpeername', () => socket.getpeername()],
    ['getsockopt', () => socket.getsockopt(SOL_SOCKET, SO_ERROR)],
    ['setsockopt', () => socket.setsockopt(SOL_SOCKET, SO_ERROR, 1)],
    ['setNonBlocking', () => socket.setblocking(false)],
    ['getNonBlocking', () => socket.getblocking()],
    ['getNonBlocking', () => socket.gettimeout()],
    ['setInheritable', () => socket.setInheritable(true)],
    ['getInheritable', () => socket.getInheritable()],
  ];
  for (const [syscall, call] of calls) {
    expect(thrownBy(call)).toMatchObject({ name: 'OSError', code: 'EBADF', errno: -9, syscall });
  }
  expect(socket.connectEx(address)).toBe(9);
});
