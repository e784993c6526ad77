// arguments.test.ts: what Socket's methods make of arguments that make no sense.

import { ValueError } from '../../lib/base/errors';
import { binding } from '../../lib/native/binding';
import { AF_UNIX, SOCK_DGRAM, SOCK_STREAM } from '../../lib/sockets/constants';
import { Socket, socketpair } from '../../lib/sockets/socket';
import { detach } from '../support/detach';
import { isWindows, testWithUnixSockets } from '../support/systems';
import { thrownBy, useSocketKit } from './socket-kit';

const kit = useSocketKit();
const notNumbers = ['1', null, true, {}, [], 1n, Symbol('1'), () => 1];
const notIntegers = [NaN, Infinity, 0.5, 2 ** 32, -(2 ** 31) - 1];
const notBytes = [
  'text',
  5,
  null,
  undefined,
  {},
  [1, 2],
  new ArrayBuffer(2),
  new Uint16Array(2),
  new DataView(new ArrayBuffer(2)),
];

type Call = (socket: Socket, value: never) => unknown;

const numberArguments: Record<string, Call> = {
  'recv byte count': (socket, value) => socket.recv(value),
  'recv flags': (socket, value) => socket.recv(1, value),
  'recvInto byte count': (socket, value) => socket.recvInto(Buffer.alloc(1), value),
  'recvInto flags': (socket, value) => socket.recvInto(Buffer.alloc(1), 1, value),
  'recvfrom byte count': (socket, value) => socket.recvfrom(value),
  'recvfrom flags': (socket, value) => socket.recvfrom(1, value),
  'recvfromInto byte count': (socket, value) => socket.recvfromInto(Buffer.alloc(1), value),
  'recvfromInto flags': (socket, value) => socket.recvfromInto(Buffer.alloc(1), 1, value),
  'send flags': (socket, value) => socket.send(Buffer.alloc(1), value),
  'sendto flags': (socket, value) => socket.sendto(Buffer.alloc(1), value, '/path'),
  'listen backlog': (socket, value) => socket.listen(value),
  'shutdown how': (socket, value) => socket.shutdown(value),
  'getsockopt level': (socket, value) => socket.getsockopt(value, 1),
  'getsockopt option': (socket, value) => socket.getsockopt(1, value),
  'getsockopt byte length': (socket, value) => socket.getsockopt(1, 2, value),
  'setsockopt level': (socket, value) => socket.setsockopt(value, 2, 1),
  'setsockopt option': (socket, value) => socket.setsockopt(1, value, 1),
  'socket family': (_socket, value) => new Socket(value),
  'socket type': (_socket, value) => new Socket(AF_UNIX, value),
  'socket protocol': (_socket, value) => new Socket(AF_UNIX, SOCK_STREAM, value),
  'socketpair family': (_socket, value) => socketpair(value),
  'socketpair type': (_socket, value) => socketpair(AF_UNIX, value),
  'socketpair protocol': (_socket, value) => socketpair(AF_UNIX, SOCK_STREAM, value),
};

describe.each(Object.entries(numberArguments))('%s', (_name, call) => {
  test('is a number', () => {
    const [socket] = kit.current.pair();
    for (const value of notNumbers) {
      expect(thrownBy(() => call(socket, value as never))).toMatchObject({
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
  });

  test('is an integer of 32 bits', () => {
    const [socket] = kit.current.pair();
    for (const value of notIntegers) expect(thrownBy(() => call(socket, value as never))).toBeInstanceOf(ValueError);
  });
});

test.each(Object.entries(numberArguments).filter(([name]) => /byte/.test(name)))(
  '%s is not negative',
  (_name, call) => {
    const [socket] = kit.current.pair();
    for (const value of [-1, -(2 ** 31), 2 ** 31, 2 ** 32 - 1]) {
      const error = thrownBy(() => call(socket, value as never));
      expect(error).toBeInstanceOf(ValueError);
      expect(error.message).toContain(`not ${value}`);
    }
  },
);

test.each<[string, Call]>([
  ['recvInto', (socket, value) => socket.recvInto(value)],
  ['recvfromInto', (socket, value) => socket.recvfromInto(value)],
  ['send', (socket, value) => socket.send(value)],
  ['sendto', (socket, value) => socket.sendto(value, '/path')],
  ['sendmsg, as its only piece', (socket, value) => socket.sendmsg([value])],
  ['sendmsg, as a later piece', (socket, value) => socket.sendmsg([Buffer.from('x'), value])],
])('%s takes bytes and nothing else', (_name, call) => {
  const [socket, other] = kit.current.pair();
  for (const value of notBytes) {
    expect(thrownBy(() => call(socket, value as never))).toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_TYPE',
      message: expect.stringMatching(/^data must be a Uint8Array or a Buffer, not /),
    });
  }
  expect(other._recv(1)).toBe(-binding.errnoByName.EAGAIN);
});

test('sendmsg takes an array', () => {
  const [socket] = kit.current.pair();
  for (const chunks of ['text', null, undefined, {}, new Set(), Buffer.alloc(1), { length: 1, 0: Buffer.alloc(1) }]) {
    expect(thrownBy(() => socket.sendmsg(chunks as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  }
});

testWithUnixSockets('an address with a port is refused by a Unix socket before the system is asked', () => {
  // On Windows they are streams only.
  const unix = kit.current.socket(AF_UNIX, isWindows ? SOCK_STREAM : SOCK_DGRAM);
  for (const call of [
    () => unix.bind(['127.0.0.1', 0]),
    () => unix.connect(['127.0.0.1', 0]),
    () => unix.connectEx(['127.0.0.1', 0]),
    () => unix.sendto(Buffer.alloc(1), ['127.0.0.1', 0]),
  ]) {
    expect(thrownBy(call)).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  }
});

test('a path is refused by a socket of IP before the system is asked', () => {
  const inet = kit.current.socket();
  for (const call of [
    () => inet.bind('/path'),
    () => inet.connect('/path'),
    () => inet.sendto(Buffer.alloc(1), undefined as never),
  ]) {
    expect(thrownBy(call)).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  }
});

test('a buffer whose memory is gone counts as empty', () => {
  const [socket, other] = kit.current.pair();
  other.send(Buffer.from('x'));
  const gone = new Uint8Array(16);
  detach(gone.buffer);
  expect(socket.recvInto(gone)).toBe(0);
  expect(thrownBy(() => socket.recvInto(gone, 1))).toBeInstanceOf(ValueError);
  expect(socket.send(gone)).toBe(0);
  expect(socket.sendmsg([gone, Buffer.from('y'), gone])).toBe(1);
  expect(other.recv(10).toString()).toBe('y');
  expect(socket.recv(10).toString()).toBe('x');
});
