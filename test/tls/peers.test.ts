// peers.test.ts: TLS with programs that are not ours, in both roles: Node's tls, OpenSSL's s_client and s_server, and
// CPython's asyncio.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect as tlsConnect, createServer as createTlsServer, type TLSSocket } from 'node:tls';

import { Socket } from '../../lib/sockets/socket';
import { useCertificates, type Identity } from '../support/certificates';
import { useLoop } from '../support/loops';
import { addressOf } from '../support/peers';
import { NotingProtocol } from '../support/protocols';
import { describeOnPosix } from '../support/systems';

const certificates = useCertificates();
let identity: Identity;
let client: Identity;
beforeAll(() => {
  identity = certificates.current.selfSigned('server');
  client = certificates.current.selfSigned('client', 'client');
});

const message = 'the quick brown fox\n';
const PAYLOAD = 300_000;

// With the programs of another system.
describeOnPosix('TLS with other programs', () => {
  const subject = useLoop('hosted');
  const children: ChildProcessWithoutNullStreams[] = [];

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  /** A program, what it has said so far, and its end. */
  function start(command: string, args: string[]) {
    const child = spawn(command, args, { env: { ...process.env, PYENV_VERSION: '3.12.1' } });
    children.push(child);
    let text = '';
    const hear = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('error', (error) => {
      text += `the tests of TLS need the program ${command}: ${String(error)}`;
    });
    const ended = new Promise<number | null>((resolve) => {
      child.on('close', resolve);
    });
    const said = async (pattern: RegExp): Promise<string> => {
      while (!pattern.test(text)) {
        if (child.exitCode !== null || child.pid === undefined) throw new Error(`${command} ended: ${text}`);
        await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), ended]);
      }
      return text;
    };
    return { child, said, ended, text: () => text };
  }

  /** Our server: sends back whole lines in capitals, and closes when the peer does. */
  async function serve(options: object = {}) {
    const { loop } = subject.current;
    const made: NotingProtocol[] = [];
    const factory = (): NotingProtocol => {
      const protocol = new NotingProtocol({
        dataReceived: (transport, data) => transport.write(Buffer.from(String(data).toUpperCase())),
      });
      made.push(protocol);
      return protocol;
    };
    const ssl = { key: identity.key, cert: identity.cert, ...options };
    const server = await subject.current.run(loop.createServer(factory, '127.0.0.1', 0, { ssl }));
    subject.current.atEnd(() => server.close());
    return { made, server, port: addressOf(server)[1] };
  }

  /** Runs our loop until `done` is settled, then until the connections of `made` are lost. */
  async function running<T>(done: Promise<T>): Promise<T> {
    const { loop } = subject.current;
    return subject.current.run((async () => await loopFuture(done))());
    async function loopFuture(promise: Promise<T>): Promise<T> {
      const future = loop.createFuture<T>();
      promise.then(
        (value) => future.setResult(value),
        (error: unknown) => future.setException(error),
      );
      return future;
    }
  }

  /** Our client: says the message, takes the answer of `length` bytes, closes; gives what it heard. */
  async function ask(port: number, options: object = {}, text = message): Promise<{ answer: string; names: string[] }> {
    const { loop } = subject.current;
    const lost = loop.createFuture<unknown>();
    let answer = '';
    const protocol = new NotingProtocol({
      dataReceived: (transport, data) => {
        answer += String(data);
        if (answer.length === text.length) transport.close();
      },
      connectionLost: (_transport, error) => lost.setResult(error),
    });
    const ssl = { ca: identity.cert, ...options };
    const [transport] = await subject.current.run(
      loop.createConnection(() => protocol, '127.0.0.1', port, { ssl, serverHostname: 'localhost' }),
    );
    transport.write(Buffer.from(text));
    expect(await subject.current.run(lost)).toBeNull();
    return { answer, names: protocol.names().filter((name) => name !== 'dataReceived' && !name.endsWith('Writing')) };
  }

  const wholeLife = ['connectionMade', 'eofReceived', 'connectionLost'];

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const versions = { minVersion: version, maxVersion: version };

    test(`a client of node:tls, ${version}`, async () => {
      const { made, port } = await serve();
      const text = message.repeat(PAYLOAD / message.length);
      const socket = tlsConnect({ port, host: '127.0.0.1', servername: 'localhost', ca: identity.cert, ...versions });
      let heard = '';
      socket.on('data', (chunk: Buffer) => {
        heard += chunk.toString('latin1');
        if (heard.length === text.length) socket.end();
      });
      socket.write(text);
      await running(once(socket, 'close'));
      expect(heard).toBe(text.toUpperCase());
      expect(made[0].names().filter((name) => name !== 'dataReceived' && !name.endsWith('Writing'))).toEqual(wholeLife);
    });

    test(`a server of node:tls, ${version}`, async () => {
      const server = createTlsServer({ key: identity.key, cert: identity.cert, ...versions }, (socket) => {
        socket.on('data', (chunk: Buffer) => socket.write(String(chunk).toUpperCase()));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const text = message.repeat(PAYLOAD / message.length);
      const { answer, names } = await ask((server.address() as AddressInfo).port, versions, text);
      server.close();
      expect(answer).toBe(text.toUpperCase());
      expect(names).toEqual(wholeLife);
    });

    test(`openssl s_client, ${version}`, async () => {
      const { made, port } = await serve();
      const flag = version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3';
      const ca = ['-CAfile', identity.certFile, '-verify_return_error', '-servername', 'localhost'];
      const program = start('openssl', [
        's_client',
        '-connect',
        `127.0.0.1:${port}`,
        flag,
        '-quiet',
        '-no_ign_eof',
        ...ca,
      ]);
      program.child.stdin.write(message);
      await running(program.said(/THE QUICK BROWN FOX/));
      program.child.stdin.end();
      await running(program.ended);
      await subject.current.runOnce();
      expect(made[0].names()).toEqual(['connectionMade', 'dataReceived', 'eofReceived', 'connectionLost']);
    });

    test(`openssl s_server, ${version}`, async () => {
      const probe = new Socket();
      probe.bind(['127.0.0.1', 0]);
      const [, port] = probe.getsockname() as [string, number];
      probe.close();
      const flag = version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3';
      const files = ['-key', identity.keyFile, '-cert', identity.certFile];
      const program = start('openssl', ['s_server', '-accept', `127.0.0.1:${port}`, flag, '-rev', ...files]);
      await running(program.said(/ACCEPT/));
      const { answer, names } = await ask(port);
      expect(answer).toBe(`${[...message.trimEnd()].reverse().join('')}\n`);
      expect(names).toEqual(wholeLife);
    });
  }

  const pythonClient = `
import asyncio, ssl, sys
async def main():
    context = ssl.create_default_context(cafile=sys.argv[2])
    reader, writer = await asyncio.open_connection('127.0.0.1', int(sys.argv[1]), ssl=context, server_hostname='localhost')
    text = ${JSON.stringify(message)} * ${PAYLOAD / message.length}
    writer.write(text.encode())
    answer = await reader.readexactly(len(text))
    writer.close()
    await writer.wait_closed()
    print('good' if answer.decode() == text.upper() else 'bad', flush=True)
asyncio.run(main())
`;

  test('a client of asyncio', async () => {
    const { made, port } = await serve();
    const program = start('python3', ['-c', pythonClient, String(port), identity.certFile]);
    expect([await running(program.ended), program.text()]).toEqual([0, 'good\n']);
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(made[0].names().filter((name) => name !== 'dataReceived' && !name.endsWith('Writing'))).toEqual(wholeLife);
  });

  const pythonServer = `
import asyncio, ssl, sys
class Upper(asyncio.Protocol):
    names = []
    def connection_made(self, transport):
        self.transport = transport; self.names.append('connection_made')
    def data_received(self, data): self.transport.write(data.upper())
    def eof_received(self): self.names.append('eof_received')
    def connection_lost(self, exc):
        self.names.append('connection_lost'); print(' '.join(self.names), exc, flush=True); done.set_result(None)
async def main():
    global done
    loop = asyncio.get_running_loop(); done = loop.create_future()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(sys.argv[1], sys.argv[2])
    if len(sys.argv) > 3:
        context.load_verify_locations(sys.argv[3]); context.verify_mode = ssl.CERT_REQUIRED
    server = await loop.create_server(Upper, '127.0.0.1', 0, ssl=context)
    print('port', server.sockets[0].getsockname()[1], flush=True)
    await done
asyncio.run(main())
`;

  async function asyncioServer(...more: string[]) {
    const program = start('python3', ['-c', pythonServer, identity.certFile, identity.keyFile, ...more]);
    const port = Number(/port (\d+)/.exec(await running(program.said(/port \d+\n/)))?.[1]);
    return { program, port };
  }

  test('a server of asyncio', async () => {
    const { program, port } = await asyncioServer();
    const text = message.repeat(PAYLOAD / message.length);
    const { answer, names } = await ask(port, {}, text);
    expect(answer).toBe(text.toUpperCase());
    expect(names).toEqual(wholeLife);
    await running(program.ended);
    expect(program.text()).toContain('connection_made eof_received connection_lost None');
  });

  test('a server of asyncio that asks for a certificate of the client', async () => {
    const { port } = await asyncioServer(client.certFile);
    const { answer } = await ask(port, { key: client.key, cert: client.cert });
    expect(answer).toBe(message.toUpperCase());
  });

  test('a client of node:tls with and without the certificate that our server asks for', async () => {
    const { made, port } = await serve({ requestCert: true, ca: client.cert });
    const options = { port, host: '127.0.0.1', servername: 'localhost', ca: identity.cert };
    const good = tlsConnect({ ...options, key: client.key, cert: client.cert });
    good.once('data', () => good.end());
    good.write(message);
    await running(once(good, 'close'));
    expect(made[0].names()).toContain('dataReceived');
    expect(made[0].transport.getExtraInfo<{ subject: unknown }>('peercert')?.subject).toMatchObject({ CN: 'client' });
    const bad = tlsConnect(options);
    bad.on('error', () => undefined);
    bad.write(message);
    await running(once(bad, 'close'));
    expect(made[1].names()).toEqual([]);
    const stranger = tlsConnect({ ...options, key: identity.key, cert: identity.cert });
    stranger.on('error', () => undefined);
    await running(once(stranger, 'close'));
    expect(made[2].names()).toEqual([]);
  });

  test('SNI, ALPN and a session that is resumed, with node:tls', async () => {
    const names: string[] = [];
    const server = createTlsServer(
      {
        key: identity.key,
        cert: identity.cert,
        ALPNProtocols: ['b', 'c'],
        SNICallback: (name, done) => {
          names.push(name);
          done(null);
        },
      },
      (socket) => socket.on('data', (chunk: Buffer) => socket.write(chunk)),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { loop } = subject.current;
    const connectOnce = async (more: object): Promise<{ alpn: unknown; resumed: boolean; session?: Buffer }> => {
      const lost = loop.createFuture<void>();
      const protocol = new NotingProtocol({
        dataReceived: (transport) => transport.close(),
        connectionLost: () => lost.setResult(undefined),
      });
      const [transport] = await subject.current.run(
        loop.createConnection(() => protocol, '127.0.0.1', (server.address() as AddressInfo).port, {
          ssl: { ca: identity.cert, ALPNProtocols: ['a', 'b'], ...more },
          serverHostname: 'localhost',
        }),
      );
      const socket = transport.getExtraInfo('ssl_object') as TLSSocket;
      let session: Buffer | undefined;
      socket.on('session', (one: Buffer) => {
        session = one;
      });
      transport.write(Buffer.from('x'));
      const seen = { alpn: socket.alpnProtocol, resumed: socket.isSessionReused() };
      await subject.current.run(lost);
      return { ...seen, session };
    };
    const first = await connectOnce({});
    const second = await connectOnce({ session: first.session });
    server.close();
    expect([first.alpn, first.resumed, second.alpn, second.resumed]).toEqual(['b', false, 'b', true]);
    // A session that is resumed asks for no certificate.
    expect(names).toEqual(['localhost']);
  });
});
