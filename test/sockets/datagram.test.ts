// datagram.test.ts: sockets that keep messages apart: UDP and Unix.

import * as path from 'node:path';

import { EVENT_READ } from '../../lib/base/constants';
import type { Address } from '../../lib/sockets/address';
import { AF_INET6, AF_UNIX, SOCK_DGRAM, socketConstants } from '../../lib/sockets/constants';
import { socketOptions } from '../../lib/sockets/options';
import { testNotOnWine, testOnLinux } from '../support/systems';
import { hasInet6, pattern, thrownBy, useSocketKit, waitFor } from './socket-kit';

const kit = useSocketKit();

test('a datagram arrives with the address of its sender', () => {
  const sender = kit.current.receiver();
  const receiver = kit.current.receiver();
  expect(sender.sendto(Buffer.from('hello'), receiver.getsockname() as Address)).toBe(5);
  waitFor(receiver, EVENT_READ);
  expect(receiver.recvfrom(100)).toEqual([Buffer.from('hello'), sender.getsockname()]);
});

(hasInet6() ? test : test.skip)('an IPv6 sender has an address of four parts', () => {
  const sender = kit.current.receiver(AF_INET6, ['::1', 0]);
  const receiver = kit.current.receiver(AF_INET6, ['::1', 0]);
  sender.sendto(Buffer.from('hello'), receiver.getsockname() as Address);
  waitFor(receiver, EVENT_READ);
  expect(receiver.recvfrom(100)[1]).toEqual(['::1', expect.any(Number), 0, 0]);
});

test('datagrams stay apart, and an empty one is one', () => {
  const sender = kit.current.receiver();
  const receiver = kit.current.receiver();
  sender.connect(receiver.getsockname() as Address);
  for (const text of ['one', '', 'three']) sender.send(Buffer.from(text));
  const texts: string[] = [];
  for (let times = 0; times < 3; times++) {
    waitFor(receiver, EVENT_READ);
    texts.push(receiver.recv(100).toString());
  }
  expect(texts).toEqual(['one', '', 'three']);
});

test('what does not fit of a datagram is lost', () => {
  const [left, right] = kit.current.pair(SOCK_DGRAM);
  left.send(Buffer.from('abcdef'));
  left.send(Buffer.from('next'));
  expect(right.recvfrom(3)[0].toString()).toBe('abc');
  expect(right.recv(100).toString()).toBe('next');
});

test('recvfromInto fills the buffer, or as much of it as is asked for', () => {
  const sender = kit.current.receiver();
  const receiver = kit.current.receiver();
  const memory = Buffer.from('..........');
  const send = (text: string) => {
    sender.sendto(Buffer.from(text), receiver.getsockname() as Address);
    waitFor(receiver, EVENT_READ);
  };
  send('abcdef');
  expect(receiver.recvfromInto(memory.subarray(1, 4))).toEqual([3, sender.getsockname()]);
  send('uvwxyz');
  expect(receiver.recvfromInto(memory.subarray(5), 2)).toEqual([2, sender.getsockname()]);
  expect(memory.toString()).toBe('.abc.uv...');
  expect(thrownBy(() => receiver.recvfromInto(memory, 11))).toMatchObject({ name: 'ValueError' });
});

testOnLinux('a named Unix sender is known by its path, an unnamed one by nothing', () => {
  const folder = kit.current.folder();
  const receiver = kit.current.receiver(AF_UNIX, path.join(folder, 'receiver'));
  const named = kit.current.receiver(AF_UNIX, path.join(folder, 'named'));
  const unnamed = kit.current.socket(AF_UNIX, SOCK_DGRAM);
  const abstract = kit.current.receiver(AF_UNIX, `\0fdloop-datagram-${process.pid}`);
  for (const sender of [named, unnamed, abstract]) {
    sender.sendto(Buffer.from('x'), receiver.getsockname() as Address);
  }
  expect(receiver.recvfrom(1)[1]).toBe(path.join(folder, 'named'));
  expect(receiver.recvfrom(1)[1]).toBeNull();
  expect(receiver.recvfrom(1)[1]).toBe(`\0fdloop-datagram-${process.pid}`);
});

testOnLinux('recv gives what fits, also when the system tells the size of the whole datagram', () => {
  const [left, right] = kit.current.pair(SOCK_DGRAM);
  for (const length of [100, 1000]) {
    left.send(Buffer.alloc(length, 'a'));
    expect(right.recv(10, socketConstants.MSG_TRUNC).toString()).toBe('a'.repeat(10));
  }
});

test('sendto takes flags between data and address', () => {
  const { MSG_DONTWAIT, MSG_DONTROUTE } = socketConstants;
  const receiver = kit.current.receiver();
  const sender = kit.current.receiver();
  expect(sender.sendto(Buffer.from('xy'), MSG_DONTWAIT ?? MSG_DONTROUTE, receiver.getsockname() as Address)).toBe(2);
  waitFor(receiver, EVENT_READ);
  expect(receiver.recv(10).toString()).toBe('xy');
});

test('sendmsg makes one datagram of its pieces', () => {
  const [left, right] = kit.current.pair(SOCK_DGRAM);
  expect(left.sendmsg([Buffer.from('ab'), Buffer.from(''), Buffer.from('c')])).toBe(3);
  expect(left.sendmsg([])).toBe(0);
  expect(right.recv(10).toString()).toBe('abc');
  expect(right.recv(10)).toHaveLength(0);
});

test('the largest UDP datagram goes through whole, a larger one is refused', () => {
  const receiver = kit.current.receiver();
  const sender = kit.current.receiver();
  // macOS begins with room for less.
  for (const socket of [receiver, sender]) {
    socketOptions.receiveBuffer.set(socket, 200_000);
    socketOptions.sendBuffer.set(socket, 200_000);
  }
  const largest = pattern(65_507);
  sender.sendto(largest, receiver.getsockname() as Address);
  waitFor(receiver, EVENT_READ);
  expect(receiver.recvfrom(100_000)[0].equals(largest)).toBe(true);
  const error = thrownBy(() => sender.sendto(Buffer.alloc(65_508), receiver.getsockname() as Address));
  expect(error).toMatchObject({ name: 'OSError', code: 'EMSGSIZE', syscall: 'sendto', address: '127.0.0.1' });
});

testNotOnWine('a datagram to a closed port comes back as ConnectionRefusedError', () => {
  const sender = kit.current.receiver();
  const gone = kit.current.receiver();
  sender.connect(gone.getsockname() as Address);
  gone.close();
  sender.send(Buffer.from('x'));
  waitFor(sender, EVENT_READ);
  expect(thrownBy(() => sender.recv(10))).toMatchObject({ name: 'ConnectionRefusedError', syscall: 'recv' });
});
