// node-handles.test.ts: descriptors of Node's things, sockets of Node's that become ours, and descriptors of ours that are
// given to Node.

import { spawn } from 'node:child_process';
import * as dgram from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import * as tls from 'node:tls';
import * as tty from 'node:tty';

import { EVENT_READ } from '../../lib/base/constants';
import { adoptSocket, AdoptedSocket, fdOf } from '../../lib/interop/node-handles';
import { watch } from '../../lib/interop/watch';
import { socketConstants } from '../../lib/sockets/constants';
import { socketpair, type Socket } from '../../lib/sockets/socket';
import { thrownBy, useSelectorKit } from '../contracts/selector-kit';
import { hasSyscalls, pseudoTerminal } from '../support/syscalls';
import { describeOnPosix, describeOnWindows, testOnPosix } from '../support/systems';

const kit = useSelectorKit();
const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

const kindOf = (fd: number) => fs.fstatSync(fd);

/** A server of Node's, a connected client and the server's side of it, none of which reads. */
async function connection(
  options: net.ServerOpts = { pauseOnConnect: true },
): Promise<{ server: net.Server; client: net.Socket; accepted: net.Socket }> {
  const server = net.createServer(options).listen(0, '127.0.0.1');
  cleanUps.push(() => server.close());
  await once(server, 'listening');
  const arrives = once(server, 'connection');
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  cleanUps.push(() => client.destroy());
  client.pause();
  await once(client, 'connect');
  const [accepted] = (await arrives) as [net.Socket];
  cleanUps.push(() => accepted.destroy());
  return { server, client, accepted };
}

/** Reads a socket of ours until `count` bytes are there, or it ends. */
async function receive(socket: Socket, count: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const _ready of watch(socket, 'r')) {
    const chunk = socket.recv(count - length);
    chunks.push(chunk);
    length += chunk.length;
    if (chunk.length === 0 || length === count) break;
  }
  return Buffer.concat(chunks).toString();
}

describe('fdOf', () => {
  testOnPosix('tells the descriptor of sockets and servers of Node', async () => {
    const { server, client, accepted } = await connection();
    const fds = [server, client, accepted].map((owner) => fdOf(owner));
    expect(new Set(fds).size).toBe(3);
    for (const fd of fds) expect(kindOf(fd).isSocket()).toBe(true);
  });

  testOnPosix('tells the descriptor of datagram sockets without a warning of deprecation', async () => {
    const warned = jest.fn();
    process.on('warning', warned);
    const socket = dgram.createSocket('udp4');
    expect(thrownBy(() => fdOf(socket))).toMatchObject({ code: 'ERR_NO_DESCRIPTOR' });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    expect(kindOf(fdOf(socket)).isSocket()).toBe(true);
    const seen = new Promise((resolve) => {
      watch(socket, 'w', (_ready, watcher) => resolve(watcher.close()));
    });
    await seen;
    socket.close();
    expect(thrownBy(() => fdOf(socket))).toMatchObject({ code: 'ERR_NO_DESCRIPTOR' });
    process.off('warning', warned);
    expect(warned).not.toHaveBeenCalled();
  });

  testOnPosix("tells the descriptors of a child's streams", async () => {
    const child = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] });
    const fds = [fdOf(child.stdin), fdOf(child.stdout)];
    expect(new Set(fds).size).toBe(2);
    child.stdin.end();
    const exited = once(child, 'close');
    child.stdout.resume();
    await exited;
    expect(thrownBy(() => fdOf(child.stdout))).toMatchObject({ code: 'ERR_NO_DESCRIPTOR' });
    expect(thrownBy(() => fdOf(child as never)).message).toMatch(/of a child process, one of its streams$/);
  });

  test('tells the descriptor of files, and what is open no more has none', async () => {
    const name = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'fdloop-test-')), 'file');
    cleanUps.push(() => fs.rmSync(path.dirname(name), { recursive: true }));
    const handle = await fs.promises.open(name, 'w');
    expect(kindOf(fdOf(handle)).ino).toBe(fs.statSync(name).ino);
    await handle.close();
    expect(thrownBy(() => fdOf(handle))).toMatchObject({ code: 'ERR_NO_DESCRIPTOR' });
    const stream = fs.createReadStream(name);
    expect(thrownBy(() => fdOf(stream))).toMatchObject({ code: 'ERR_NO_DESCRIPTOR' });
    await once(stream, 'open');
    expect(kindOf(fdOf(stream)).ino).toBe(fs.statSync(name).ino);
    stream.destroy();
    await once(stream, 'close');
    expect(thrownBy(() => fdOf(stream))).toMatchObject({ code: 'ERR_NO_DESCRIPTOR' });
  });

  (hasSyscalls ? test : test.skip)('tells the descriptor of a terminal until it is closed', async () => {
    const { master, terminal } = pseudoTerminal();
    kit.current.fd(master);
    const stream = new tty.ReadStream(terminal);
    expect(tty.isatty(fdOf(stream))).toBe(true);
    const ready = new Promise((resolve) => {
      watch(stream, 'r', (mask, watcher) => {
        watcher.close();
        resolve(mask);
      });
    });
    fs.writeSync(master, 'typed\n');
    expect(await ready).toBe(EVENT_READ);
    stream.destroy();
    await once(stream, 'close');
    expect(thrownBy(() => fdOf(stream))).toMatchObject({ code: 'ERR_NO_DESCRIPTOR' });
  });

  test('tells the descriptor of what is ours, and of numbers', () => {
    const [socket] = kit.current.pair();
    expect(fdOf(socket)).toBe(socket.fileno());
    expect(fdOf(socket.fileno())).toBe(socket.fileno());
    socket.close();
    expect(thrownBy(() => fdOf(socket))).toMatchObject({ code: 'ERR_INVALID_FD' });
  });

  test('a destroyed or unconnected socket and a closed server have none', async () => {
    const { server, client } = await connection();
    client.destroy();
    server.close();
    for (const owner of [client, server, new net.Socket(), net.createServer()]) {
      expect(thrownBy(() => fdOf(owner))).toMatchObject({ name: 'ValueError', code: 'ERR_NO_DESCRIPTOR' });
    }
  });

  test('a TLS socket has none to watch, though the socket under it has', async () => {
    const { client } = await connection();
    const secure = tls.connect({ socket: client });
    secure.on('error', () => undefined);
    const error = thrownBy(() => fdOf(secure));
    expect(error).toMatchObject({ name: 'ValueError', code: 'ERR_NO_DESCRIPTOR' });
    expect(error.message).toContain('encrypted');
    secure.destroy();
  });

  test.each([null, undefined, '1', true, {}, [], new EventEmitter()])('%p never has one', (owner) => {
    expect(thrownBy(() => fdOf(owner as never))).toBeInstanceOf(TypeError);
  });
});

describeOnWindows('a system on which Node shows no descriptors', () => {
  test('has none to tell or to adopt of sockets and servers', async () => {
    const { server, client, accepted } = await connection();
    const datagrams = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    cleanUps.push(() => datagrams.close());
    await once(datagrams, 'listening');
    for (const owner of [server, client, accepted, datagrams]) {
      for (const ask of [fdOf, adoptSocket] as ((owner: unknown) => unknown)[]) {
        const error = thrownBy(() => ask(owner));
        expect(error).toMatchObject({ name: 'ValueError', code: 'ERR_NO_DESCRIPTOR' });
        expect(error.message).toContain('Node does not show it on this system');
      }
    }
    accepted.destroy();
  });
});

describeOnPosix('adoptSocket', () => {
  test('takes a connection over: Node reads nothing more, and its socket can go', async () => {
    const { client, accepted } = await connection();
    const closed = once(accepted, 'close');
    const ours = kit.current.own(adoptSocket(accepted));
    expect(ours).toBeInstanceOf(AdoptedSocket);
    expect(ours.fileno()).not.toBe(fdOf(accepted));
    expect(ours.getblocking()).toBe(false);
    expect(ours.head).toHaveLength(0);
    client.write('first');
    expect(await receive(ours, 5)).toBe('first');
    accepted.destroy();
    await closed;
    client.write('second');
    expect(await receive(ours, 6)).toBe('second');
    const answer = once(client, 'data');
    client.resume();
    ours.send(Buffer.from('answer'));
    expect(String((await answer)[0])).toBe('answer');
    const ended = once(client, 'end');
    ours.close();
    await ended;
  });

  test('what Node had read already is the head', async () => {
    const { client, accepted } = await connection({ pauseOnConnect: false });
    accepted.on('readable', () => undefined);
    client.write('early');
    while (accepted.readableLength < 5) await once(accepted, 'readable');
    accepted.removeAllListeners('readable');
    const ours = kit.current.own(adoptSocket(accepted));
    expect(ours.head.toString()).toBe('early');
    client.write('later');
    expect(await receive(ours, 5)).toBe('later');
    expect(accepted.readableLength).toBe(0);
  });

  test('a socket that connects, writes or is destroyed is refused, and Node keeps it', async () => {
    const { server, client, accepted } = await connection();
    const connecting = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    expect(['ERR_SOCKET_BUSY', 'ERR_NO_DESCRIPTOR']).toContain(thrownBy(() => adoptSocket(connecting)).code);
    connecting.destroy();
    while (client.write(Buffer.alloc(1 << 20)));
    expect(thrownBy(() => adoptSocket(client)).code).toBe('ERR_SOCKET_BUSY');
    accepted.destroy();
    expect(thrownBy(() => adoptSocket(accepted)).code).toBe('ERR_NO_DESCRIPTOR');
    expect(thrownBy(() => adoptSocket({} as never))).toBeInstanceOf(TypeError);
  });

  test('a listening socket accepts here when Node has closed its server', async () => {
    const { server, client, accepted } = await connection();
    client.destroy();
    accepted.destroy();
    const ours = kit.current.own(adoptSocket(server));
    const { port } = server.address() as net.AddressInfo;
    server.close();
    await once(server, 'close');
    const late = net.connect(port, '127.0.0.1');
    cleanUps.push(() => late.destroy());
    await new Promise((resolve) => {
      watch(ours, 'r', (_ready, watcher) => resolve(watcher.close()));
    });
    const [socket] = ours.accept();
    socket.close();
    await once(late.resume(), 'close');
  });

  test('a datagram socket is no longer read by Node', async () => {
    const theirs = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    const heard = jest.fn();
    theirs.on('message', heard);
    await once(theirs, 'listening');
    const ours = kit.current.own(adoptSocket(theirs));
    const sender = dgram.createSocket('udp4');
    sender.send('datagram', theirs.address().port, '127.0.0.1');
    expect(await receive(ours, 8)).toBe('datagram');
    sender.close();
    theirs.close();
    expect(heard).not.toHaveBeenCalled();
  });
});

describeOnPosix('a descriptor that is given to Node', () => {
  test("is Node's: it is made non-blocking, and closed when its socket is", async () => {
    const [ours, given] = socketpair();
    kit.current.own(ours);
    given.setblocking(true);
    const fd = given.detach();
    const socket = new net.Socket({ fd, readable: true, writable: true });
    expect(fdOf(socket)).toBe(fd);
    ours.send(Buffer.from('to Node'));
    expect(String((await once(socket, 'data'))[0])).toBe('to Node');
    socket.write('from Node');
    expect(await receive(ours, 9)).toBe('from Node');
    const closed = once(socket, 'close');
    socket.destroy();
    await closed;
    expect(() => fs.fstatSync(fd)).toThrow(expect.objectContaining({ code: 'EBADF' }));
    expect(ours.recv(10)).toHaveLength(0);
  });

  test('is duplicated for a child: ours stays open, and the child sees the end only when all are closed', async () => {
    const [ours, given] = socketpair();
    kit.current.own(ours);
    const child = spawn('cat', { stdio: [given.fileno(), given.fileno(), 'inherit'] });
    const exited = once(child, 'exit');
    expect(given.fileno()).toBeGreaterThan(0);
    expect(fs.fstatSync(given.fileno()).isSocket()).toBe(true);
    given.close();
    ours.send(Buffer.from('through the child'));
    expect(await receive(ours, 17)).toBe('through the child');
    ours.shutdown(socketConstants.SHUT_WR);
    expect(await exited).toEqual([0, null]);
    expect(ours.recv(10)).toHaveLength(0);
  });

  // libuv makes the three standard streams of a child blocking, and the mode belongs to all duplicates.
  test('is blocking after it was given to a child as a standard stream; as another one it keeps its mode', async () => {
    for (const [stdio, blocking] of [
      [(fd: number) => [fd, 'ignore', 'ignore'] as const, true],
      [(fd: number) => ['ignore', 'ignore', 'ignore', fd] as const, false],
    ] as const) {
      const [ours, given] = kit.current.pair();
      const child = spawn('true', { stdio: [...stdio(given.fileno())] });
      await once(child, 'exit');
      expect(given.getblocking()).toBe(blocking);
      // The other end of the pair is another open file: its mode is its own.
      expect(ours.getblocking()).toBe(false);
    }
  });
});
