// server-socket.test.ts: listeners in one call.

import { EVENT_READ } from '../../lib/base/constants';
import { BlockingIOError, ValueError } from '../../lib/base/errors';
import type { Address } from '../../lib/sockets/address';
import { AF_INET, AF_INET6, AF_UNIX, socketConstants } from '../../lib/sockets/constants';
import { socketOptions } from '../../lib/sockets/options';
import { createServerSocket, hasDualstackIPv6, type ServerSocketOptions } from '../../lib/sockets/server-socket';
import type { Socket } from '../../lib/sockets/socket';
import { openDescriptors } from '../support/descriptors';
import { testOnLinux, testOnPosix } from '../support/systems';
import { hasInet6, thrownBy, useSocketKit, waitFor } from './socket-kit';

const kit = useSocketKit();
const { SOCK_SEQPACKET } = socketConstants;

function serve(address: Address, options?: ServerSocketOptions): Socket {
  return kit.current.own(createServerSocket(address, options));
}

test('a server socket listens, is non-blocking and may be bound again at once', () => {
  const server = serve(['127.0.0.1', 0]);
  expect([server.family, server.getblocking()]).toEqual([AF_INET, false]);
  expect(thrownBy(() => server.accept())).toBeInstanceOf(BlockingIOError);
  const address = server.getsockname() as Address;
  const client = kit.current.socket();
  client.connectEx(address);
  waitFor(server, EVENT_READ);
  kit.current.own(server.accept()[0]).close();
  server.close();
  expect(serve(address).getsockname()).toEqual(address);
});

test('an address that is taken is an error that names it, and leaves no descriptor', () => {
  const server = serve(['127.0.0.1', 0]);
  const [host, port] = server.getsockname() as [string, number];
  const before = openDescriptors().size;
  expect(thrownBy(() => createServerSocket([host, port]))).toMatchObject({
    code: 'EADDRINUSE',
    syscall: 'bind',
    address: host,
    port,
  });
  expect(thrownBy(() => createServerSocket('/path'))).toBeInstanceOf(TypeError);
  expect(openDescriptors().size).toBe(before);
});

// Windows has no SO_REUSEPORT.
testOnPosix('a port may be shared by those who all say so', () => {
  const first = serve(['127.0.0.1', 0], { reusePort: true });
  const address = first.getsockname() as Address;
  expect(serve(address, { reusePort: true }).getsockname()).toEqual(address);
  expect(thrownBy(() => createServerSocket(address))).toMatchObject({ code: 'EADDRINUSE' });
});

testOnLinux('a backlog is passed on', () => {
  const server = serve(['127.0.0.1', 0], { backlog: 1 });
  expect(socketOptions.tcpInfo.get(server).sacked).toBe(1);
});

test('a backlog is an integer', () => {
  expect(thrownBy(() => createServerSocket(['127.0.0.1', 0], { backlog: 1.5 }))).toBeInstanceOf(ValueError);
});

testOnLinux('Unix sockets listen too, of either type', () => {
  const path = `${kit.current.folder()}/socket`;
  const server = serve(path, { family: AF_UNIX });
  kit.current.socket(AF_UNIX).connect(path);
  expect(server.getsockname()).toBe(path);
  const packets = serve(`\0fdloop-server-${process.pid}`, { family: AF_UNIX, type: SOCK_SEQPACKET });
  expect(packets.type).toBe(SOCK_SEQPACKET);
});

test('IPv4 and IPv6 at once needs the family IPv6', () => {
  expect(thrownBy(() => createServerSocket(['', 0], { dualStack: true }))).toBeInstanceOf(ValueError);
});

test('whether a socket can take both is what the system says of one', () => {
  expect(hasDualstackIPv6()).toBe(hasInet6());
});

(hasDualstackIPv6() ? test : test.skip)('an IPv6 server takes IPv4 only when it is to', () => {
  const both = serve(['', 0], { family: AF_INET6, dualStack: true });
  const [, port] = both.getsockname() as [string, number];
  kit.current.socket().connectEx(['127.0.0.1', port]);
  waitFor(both, EVENT_READ);
  const [accepted, from] = both.accept();
  kit.current.own(accepted);
  expect((from as [string, number])[0]).toBe('::ffff:127.0.0.1');
  const one = serve(['', 0], { family: AF_INET6 });
  expect(socketOptions.v6Only.get(one)).toBe(true);
});
