// start-tls.test.ts: a connection that begins in plain text and goes on in TLS, by every driver.

import { CancelledError, isWouldBlock } from '../../lib/base/errors';
import type { Task } from '../../lib/futures/task';
import { SO_SNDBUF } from '../support/options';
import { SOL_SOCKET } from '../../lib/sockets/constants';
import { socketpair, type Socket } from '../../lib/sockets/socket';
import { SSLEngine } from '../../lib/tls/ssl-engine';
import { SSLTransport } from '../../lib/tls/ssl-transport';
import type { Transport } from '../../lib/transports/transport';
import { driverNames, useLoop } from '../support/loops';
import { NotingBufferedProtocol, NotingProtocol } from '../support/protocols';
import { useTlsCertificates } from '../support/tls';

/** What a client says first, as TLS: made by an engine that has nobody to talk to. */
function clientHello(): Buffer {
  const flight: Uint8Array[] = [];
  const nothing = (): void => undefined;
  const events = { plain: nothing, handshakeDone: nothing, ended: nothing, failed: nothing };
  const engine = new SSLEngine(
    { options: {}, serverSide: false, serverHostname: null },
    { ...events, output: (chunk) => flight.push(chunk) },
  );
  engine.destroy();
  return Buffer.concat(flight);
}

/** The head of a record of the handshake. */
const SERVER_HELLO = '\x16\x03\x03';

/** What can be read now, as text. */
function arrived(sock: Socket): string {
  try {
    return sock.recv(65536).toString('latin1');
  } catch (error) {
    if (isWouldBlock(error)) return '';
    throw error;
  }
}

for (const driver of driverNames) {
  describe(`startTls, ${driver}`, () => {
    const use = useLoop(driver);
    const certificates = useTlsCertificates();

    /** A plain transport on one end of a socket pair, whose protocol was told. */
    async function plain(protocol: NotingProtocol | NotingBufferedProtocol, sock: Socket): Promise<Transport> {
      const { loop } = use.current;
      const [transport] = await use.current.run(loop.createConnection(() => protocol, null, null, { sock }));
      protocol.transport = transport;
      use.current.atEnd(() => transport.abort());
      return transport;
    }

    async function pair(near = new NotingProtocol(), far = new NotingProtocol()) {
      const [one, two] = socketpair();
      return { near, far, ours: await plain(near, one), theirs: await plain(far, two) };
    }

    /** Both sides at once; what they return. */
    async function upgradeBoth(
      wired: Awaited<ReturnType<typeof pair>>,
      late: { ours?: object; theirs?: object } = {},
    ): Promise<[SSLTransport, SSLTransport]> {
      const { loop } = use.current;
      const { clientSsl, serverSsl } = certificates;
      const served = loop.createTask(
        loop.startTls(wired.theirs, wired.far, serverSsl, { serverSide: true, ...late.theirs }),
      );
      const client = await use.current.run(
        loop.startTls(wired.ours, wired.near, clientSsl, { serverHostname: 'localhost', ...late.ours }),
      );
      const server = await use.current.run(served);
      wired.near.transport = client as never;
      wired.far.transport = server as never;
      use.current.atEnd(() => {
        client.abort();
        server.abort();
      });
      return [client, server];
    }

    const until = async (condition: () => boolean): Promise<void> => {
      for (let turn = 0; turn < 500; turn++) {
        if (condition()) return;
        await use.current.runOnce();
      }
      throw new Error('it did not come to pass in 500 iterations');
    };
    const text = (protocol: NotingProtocol): string => Buffer.concat(protocol.received).toString('latin1');

    test('TLS-074: what is no set of options, no transport for it, or no bytes is a TypeError, and changes nothing', async () => {
      const { loop } = use.current;
      const { ours, near } = await pair();
      const { clientSsl } = certificates;
      const wrong = [
        loop.startTls(ours, near, true as never),
        loop.startTls(ours, near, null as never),
        loop.startTls(null as never, near, clientSsl),
        loop.startTls({ _startTlsCompatible: false } as never, near, clientSsl),
        loop.startTls(ours, near, clientSsl, { received: 'text' as never }),
      ];
      for (const attempt of wrong) {
        await expect(use.current.run(attempt)).rejects.toMatchObject({
          name: 'TypeError',
          code: 'ERR_INVALID_ARG_TYPE',
        });
      }
      expect([ours.getProtocol(), ours.isReading()]).toEqual([near, true]);
    });

    test('TLS-078: timeouts must be positive, and nothing is changed before they are looked at', async () => {
      const { loop } = use.current;
      const { ours, near } = await pair();
      for (const options of [{ sslHandshakeTimeout: 0 }, { sslShutdownTimeout: -1 }]) {
        await expect(use.current.run(loop.startTls(ours, near, certificates.clientSsl, options))).rejects.toMatchObject(
          { name: 'ValueError' },
        );
      }
      expect([ours.getProtocol(), ours.isReading()]).toEqual([near, true]);
    });

    test('a transport that is closing is refused at once, and its protocol hears of the end', async () => {
      const { loop } = use.current;
      const { ours, near } = await pair();
      ours.close();
      await expect(use.current.run(loop.startTls(ours, near, certificates.clientSsl))).rejects.toMatchObject({
        name: 'RuntimeError',
        code: 'ERR_TRANSPORT_CLOSING',
      });
      await until(() => near.names().includes('connectionLost'));
    });

    test('TLS-075, TLS-076: reading is paused, the protocol is exchanged at once, and TLS begins one iteration later', async () => {
      const { loop } = use.current;
      const { ours, near, theirs, far } = await pair();
      const served = loop.createTask(loop.startTls(theirs, far, certificates.serverSsl, { serverSide: true }));
      const task = loop.createTask(loop.startTls(ours, near, certificates.clientSsl, { serverHostname: 'localhost' }));
      const seen: unknown[] = [];
      const look = (): number => seen.push([ours.getProtocol() === near, ours.isReading()]);
      loop.callSoon(() => {
        look();
        loop.callSoon(look);
      });
      await use.current.runOnce();
      await use.current.runOnce();
      expect(seen).toEqual([
        [false, false],
        [false, true],
      ]);
      const transport = await use.current.run(task);
      expect(transport).toBeInstanceOf(SSLTransport);
      expect(transport.getProtocol()).toBe(near);
      use.current.atEnd(() => transport.abort());
      const server = await use.current.run(served);
      use.current.atEnd(() => server.abort());
      expect([near.names(), far.names()]).toEqual([['connectionMade'], ['connectionMade']]);
    });

    test('TLS-075: plain bytes that were written before arrive before, and TLS ones after', async () => {
      const wired = await pair();
      wired.ours.write(Buffer.from('plain, '));
      await until(() => text(wired.far) === 'plain, ');
      const [client, server] = await upgradeBoth(wired);
      client.write(Buffer.from('secret'));
      server.write(Buffer.from('answer'));
      await until(() => text(wired.far) === 'plain, secret' && text(wired.near) === 'answer');
    });

    test('TLS-076: a buffered protocol goes on with its own memory', async () => {
      const far = new NotingBufferedProtocol();
      const wired = await pair(new NotingProtocol(), far as never);
      const [client] = await upgradeBoth(wired);
      client.write(Buffer.from('secret'));
      await until(() => far.names().includes('bufferUpdated'));
      expect(Buffer.from(far.buffer).toString('latin1', 0, 6)).toBe('secret');
    });

    test('no byte is lost: what came in one piece with the last plain bytes goes into `received`', async () => {
      const { loop } = use.current;
      let task: Task<SSLTransport> | null = null;
      const far = new NotingProtocol({
        dataReceived: (transport, data) => {
          const line = (data as Buffer).indexOf('\n') + 1;
          const received = (data as Buffer).subarray(line);
          task = loop.createTask(loop.startTls(transport, far, certificates.serverSsl, { serverSide: true, received }));
        },
      });
      const [one, two] = socketpair();
      await plain(far, two);
      use.current.atEnd(() => one.close());
      one.send(Buffer.concat([Buffer.from('STARTTLS\n'), clientHello()]));
      // The server answers: it has read the hello, all of it.
      await until(() => arrived(one).startsWith(SERVER_HELLO));
      expect(task).not.toBeNull();
    });

    test("the memory of `received` is the caller's again as soon as the upgrade has begun", async () => {
      const { loop } = use.current;
      const far = new NotingProtocol();
      const [one, two] = socketpair();
      const theirs = await plain(far, two);
      use.current.atEnd(() => one.close());
      const received = clientHello();
      const options = { serverSide: true, received };
      const task = loop.createTask(loop.startTls(theirs, far, certificates.serverSsl, options));
      loop.callSoon(() => received.fill(0));
      await until(() => arrived(one).startsWith(SERVER_HELLO));
      task.cancel();
      await expect(use.current.run(task)).rejects.toThrow(CancelledError);
    });

    test('no byte is lost: what is in the kernel when the upgrade begins goes to TLS, whoever begins', async () => {
      const { loop } = use.current;
      let served: Task<SSLTransport> | null = null;
      const wired = await pair(
        new NotingProtocol(),
        new NotingProtocol({
          dataReceived: (transport, data) => {
            if (String(data) !== 'STARTTLS\n') return;
            served = loop.createTask(loop.startTls(transport, wired.far, certificates.serverSsl, { serverSide: true }));
            // In the same handle, before the task has had its first step.
            client = loop.createTask(
              loop.startTls(wired.ours, wired.near, certificates.clientSsl, { serverHostname: 'localhost' }),
            );
          },
        }),
      );
      let client: Task<SSLTransport> | null = null;
      wired.ours.write(Buffer.from('STARTTLS\n'));
      await until(() => client !== null && client.done());
      const ours = (client as unknown as Task<SSLTransport>).result();
      const theirs = await use.current.run(served as unknown as Task<SSLTransport>);
      use.current.atEnd(() => {
        ours.abort();
        theirs.abort();
      });
      expect(text(wired.far)).toBe('STARTTLS\n');
    });

    test('no byte is lost: a protocol that pauses reading first may take its time', async () => {
      const { loop } = use.current;
      const far = new NotingProtocol({ dataReceived: (transport) => transport.pauseReading() });
      const [one, two] = socketpair();
      const theirs = await plain(far, two);
      use.current.atEnd(() => one.close());
      one.send(Buffer.from('STARTTLS\n'));
      await until(() => far.received.length === 1);
      one.send(clientHello());
      for (let turn = 0; turn < 5; turn++) await use.current.runOnce();
      const task = loop.createTask(loop.startTls(theirs, far, certificates.serverSsl, { serverSide: true }));
      await until(() => arrived(one).startsWith(SERVER_HELLO));
      task.cancel();
      await expect(use.current.run(task)).rejects.toThrow(CancelledError);
      expect(text(far)).toBe('STARTTLS\n');
    });

    test('a name that is none is told of before the connection is touched', async () => {
      const { loop } = use.current;
      const { ours, near } = await pair();
      for (const [serverHostname, name] of [
        ['a..b', 'ValueError'],
        [5 as never, 'TypeError'],
      ] as const) {
        const attempt = loop.startTls(ours, near, certificates.clientSsl, { serverHostname });
        await expect(use.current.run(attempt)).rejects.toMatchObject({ name });
      }
      expect(ours.isReading()).toBe(true);
      expect(ours.getProtocol()).toBe(near);
    });

    test('TLS-077: an upgrade that fails closes the connection, and the protocol hears why', async () => {
      const { loop } = use.current;
      const { ours, near, theirs } = await pair();
      theirs.write(Buffer.from('this is no TLS at all\n'));
      const attempt = loop.startTls(ours, near, certificates.clientSsl, { serverHostname: 'localhost' });
      await expect(use.current.run(attempt)).rejects.toMatchObject({ name: 'SSLError' });
      await until(() => near.names().includes('connectionLost'));
      expect(near.events.at(-1)).toEqual(['connectionLost', expect.objectContaining({ name: 'SSLError' })]);
      expect(ours.isClosing()).toBe(true);
    });

    test('TLS-077: the end of the stream, instead of an answer, is ConnectionResetError', async () => {
      const { loop } = use.current;
      const { ours, near, theirs } = await pair();
      theirs.writeEof();
      const attempt = loop.startTls(ours, near, certificates.clientSsl, { serverHostname: 'localhost' });
      await expect(use.current.run(attempt)).rejects.toMatchObject({ name: 'ConnectionResetError' });
    });

    test('TLS-077: an upgrade that is cancelled closes the connection, at whatever time', async () => {
      const { loop } = use.current;
      for (const iterations of [1, 4]) {
        const { ours, near, far } = await pair();
        const task = loop.createTask(
          loop.startTls(ours, near, certificates.clientSsl, { serverHostname: 'localhost' }),
        );
        for (let turn = 0; turn < iterations; turn++) await use.current.runOnce();
        task.cancel();
        await expect(use.current.run(task)).rejects.toThrow(CancelledError);
        await until(() => far.names().includes('connectionLost'));
        // As in asyncio: a connection that is lost in the handshake is not told to the protocol.
        expect(near.names()).toEqual(['connectionMade']);
        expect([...loop._scheduled].filter((timer) => !timer.cancelled())).toEqual([]);
      }
    });

    test('TLS-079: writing that was paused goes on, in order, and the protocol hears resumeWriting', async () => {
      const [one, two] = socketpair();
      one.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
      const near = new NotingProtocol();
      const far = new NotingProtocol();
      const wired = { near, far, ours: await plain(near, one), theirs: await plain(far, two) };
      wired.theirs.pauseReading();
      // Windows takes the whole of one piece, however large, and nothing of the next.
      const pieces: Buffer[] = [];
      while (wired.ours.getWriteBufferSize() === 0) {
        pieces.push(Buffer.alloc(300_000, 'plain '));
        wired.ours.write(pieces[pieces.length - 1]);
      }
      const sent = Buffer.concat(pieces);
      expect(near.names()).toEqual(['connectionMade', 'pauseWriting']);
      const { loop } = use.current;
      const client = loop.createTask(
        loop.startTls(wired.ours, near, certificates.clientSsl, { serverHostname: 'localhost' }),
      );
      for (let turn = 0; turn < 3; turn++) await use.current.runOnce();
      wired.theirs.resumeReading();
      // The plain bytes end where they end: then, and not before, the peer begins.
      await until(() => far.received.reduce((sum, { length }) => sum + length, 0) >= sent.length);
      const all = Buffer.concat(far.received);
      expect(all.subarray(0, sent.length).equals(sent)).toBe(true);
      far.received.length = 0;
      const server = loop.createTask(
        loop.startTls(wired.theirs, far, certificates.serverSsl, {
          serverSide: true,
          received: all.subarray(sent.length),
        }),
      );
      const ours = await use.current.run(client);
      const theirs = await use.current.run(server);
      use.current.atEnd(() => {
        ours.abort();
        theirs.abort();
      });
      expect(near.names()).toEqual(['connectionMade', 'pauseWriting', 'resumeWriting']);
      ours.write(Buffer.from('secret'));
      await until(() => text(far) === 'secret');
    });

    test('TLS-064: an exception in TLS in TLS is told with the same error on every level', async () => {
      const boom = new Error('boom');
      const wired = await pair();
      const [outer, outerServer] = await upgradeBoth(wired);
      const [inner, innerServer] = await upgradeBoth({ ...wired, ours: outer, theirs: outerServer });
      wired.near.reactions.dataReceived = () => {
        throw boom;
      };
      innerServer.write(Buffer.from('x'));
      await until(() => wired.near.names().includes('connectionLost'));
      expect(wired.near.events.at(-1)).toEqual(['connectionLost', boom]);
      expect([inner.isClosing(), outer.isClosing()]).toEqual([true, true]);
      expect(use.current.takeContexts()).toMatchObject([
        { message: 'Fatal error on SSL protocol', exception: boom, transport: outer },
      ]);
    });
  });
}
