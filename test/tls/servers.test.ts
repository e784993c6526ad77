// servers.test.ts: what a server and its clients do to each other over TLS besides talking: stall, flood, leave, be sent
// away, by every driver.

import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CancelledError } from '../../lib/base/errors';
import type { Future } from '../../lib/futures/future';
import type { Server } from '../../lib/network/server';
import { Socket } from '../../lib/sockets/socket';
import type { SSLServerOptions } from '../../lib/tls/options';
import type { SSLTransport } from '../../lib/tls/ssl-transport';
import { driverNames, useLoop } from '../support/loops';
import { addressOf, connectTo } from '../support/peers';
import { NotingProtocol, type Reactions } from '../support/protocols';
import { useTlsCertificates } from '../support/tls';

for (const driver of driverNames) {
  describe(`servers of TLS, ${driver}`, () => {
    const use = useLoop(driver);
    const certificates = useTlsCertificates();
    let served: NotingProtocol[];
    let server: Server;

    const serve = async (reactions: Reactions = {}, options: SSLServerOptions = {}): Promise<void> => {
      served = [];
      const make = (): NotingProtocol => {
        const protocol = new NotingProtocol(reactions);
        served.push(protocol);
        return protocol;
      };
      const { loop } = use.current;
      const all = { ssl: certificates.serverSsl, ...options };
      server = await use.current.run(loop.createServer(make, '127.0.0.1', 0, all));
      use.current.atEnd(() => {
        server.abortClients();
        server.close();
      });
    };
    const connect = async (client: NotingProtocol, options: object = {}): Promise<SSLTransport> => {
      const { loop } = use.current;
      const all = { ssl: certificates.clientSsl, ...options };
      const [transport] = await use.current.run(loop.createConnection(() => client, ...addressOf(server), all));
      use.current.atEnd(() => transport.abort());
      return transport;
    };
    const until = async (condition: () => boolean): Promise<void> => {
      for (let turn = 0; turn < 5000; turn++) {
        if (condition()) return;
        await use.current.runOnce();
      }
      throw new Error('it did not come to pass in 5000 iterations');
    };
    const lost = (protocol: NotingProtocol): boolean => protocol.names().includes('connectionLost');

    test('SRV-036: it is the transport below that counts: the server waits for the end of its TLS connections', async () => {
      const { loop } = use.current;
      await serve();
      const transport = await connect(new NotingProtocol());
      expect(server._activeCount).toBe(1);
      server.close();
      const closed = loop.createTask(server.waitClosed());
      for (let turn = 0; turn < 5; turn++) await use.current.runOnce();
      expect(closed.done()).toBe(false);
      transport.close();
      await use.current.run(closed);
      expect(lost(served[0])).toBe(true);
    });

    test('SRV-021, SRV-036: closeClients closes below TLS, without a goodbye, and abortClients aborts', async () => {
      await serve();
      for (const end of ['closeClients', 'abortClients'] as const) {
        const client = new NotingProtocol();
        await connect(client);
        await until(() => served.length > 0 && served[0].names().length > 0);
        server[end]();
        const [protocol] = served.splice(0);
        await until(() => lost(protocol) && lost(client));
        expect(protocol.events).toEqual([['connectionMade'], ['connectionLost', null]]);
        // For the client that is an end like any other.
        expect(client.events).toEqual([['connectionMade'], ['eofReceived'], ['connectionLost', null]]);
      }
    });

    test('ACC-017: a client that speaks plain text, or leaves in the handshake, is dropped without a word', async () => {
      await serve();
      const plain = connectTo(use.current, addressOf(server));
      plain.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
      const leaving = connectTo(use.current, addressOf(server));
      await until(() => served.length === 2 && server._activeCount === 2);
      leaving.close();
      await until(() => server._activeCount === 0);
      expect(served.map((protocol) => protocol.names())).toEqual([[], []]);
      expect(use.current.takeContexts()).toEqual([]);
    });

    test('TLS-071: createConnection that is cancelled in the handshake leaves nothing behind', async () => {
      const { loop } = use.current;
      const listener = new Socket();
      listener.bind(['127.0.0.1', 0]);
      listener.listen();
      use.current.atEnd(() => listener.close());
      const client = new NotingProtocol();
      const address = listener.getsockname() as [string, number];
      for (const iterations of [3, 8]) {
        const task = loop.createTask(loop.createConnection(() => client, ...address, { ssl: certificates.clientSsl }));
        for (let turn = 0; turn < iterations; turn++) await use.current.runOnce();
        task.cancel();
        await expect(use.current.run(task)).rejects.toThrow(CancelledError);
        for (let turn = 0; turn < 3; turn++) await use.current.runOnce();
        expect([...loop._scheduled].filter((timer) => !timer.cancelled())).toEqual([]);
        expect([...loop._transports.values()]).toEqual([]);
      }
      expect(client.names()).toEqual([]);
    });

    test('SFILE-004, SFILE-021: sendfile over TLS sends the file block by block, byte for byte, between other writes', async () => {
      const { loop } = use.current;
      const path = join(certificates.folder, `${driver}.bin`);
      const content = Buffer.alloc(300_001, 'the quick brown fox ');
      writeFileSync(path, content);
      await serve();
      const transport = await connect(new NotingProtocol());
      const fd = openSync(path, 'r');
      transport.write(Buffer.from('<'));
      expect(await use.current.run(loop.sendfile(transport, fd))).toBe(content.length);
      transport.write(Buffer.from('|'));
      expect(await use.current.run(loop.sendfile(transport, fd, 4, 100))).toBe(100);
      transport.write(Buffer.from('>'));
      await expect(use.current.run(loop.sendfile(transport, fd, 0, null, { fallback: false }))).rejects.toMatchObject({
        name: 'RuntimeError',
        code: 'ERR_SENDFILE_NO_FALLBACK',
      });
      closeSync(fd);
      const expected = Buffer.concat([
        Buffer.from('<'),
        content,
        Buffer.from('|'),
        content.subarray(4, 104),
        Buffer.from('>'),
      ]);
      await until(() => served[0].received.reduce((sum, { length }) => sum + length, 0) >= expected.length);
      expect(Buffer.concat(served[0].received).equals(expected)).toBe(true);
      expect([transport.isReading(), transport.getProtocol() instanceof NotingProtocol]).toEqual([true, true]);
    });

    test('TLS-041, TLS-045: who does not read stops the one who writes, with bounded memory on both sides, and nothing is lost', async () => {
      const chunk = Buffer.alloc(65536, 'abcdefghijklmnopqrstuvwxyz');
      const total = 8 << 20;
      let written = 0;
      let mayWrite = true;
      const fill = (protocol: NotingProtocol): void => {
        while (mayWrite && written < total) {
          written += chunk.length;
          protocol.transport.write(chunk);
        }
      };
      await serve({
        connectionMade: () => fill(served[0]),
        pauseWriting: () => (mayWrite = false),
        resumeWriting: () => {
          mayWrite = true;
          fill(served[0]);
        },
      });
      let count = 0;
      const client = new NotingProtocol({
        connectionMade: (transport) => transport.pauseReading(),
        dataReceived: (_transport, data) => (count += (data as Buffer).length),
      });
      const transport = await connect(client);
      let before = -1;
      await until(() => {
        const stands = written === before && !mayWrite && transport.getReadBufferSize() >= 262144;
        before = written;
        return stands;
      });
      expect(written).toBeLessThan(total);
      expect(served[0].transport.getWriteBufferSize()).toBeLessThan(2 * 524288);
      expect(transport.getReadBufferSize()).toBeLessThan(262144 + 262144);
      expect(count).toBe(0);
      transport.resumeReading();
      await until(() => count === total);
      const all = Buffer.concat(client.received);
      for (let start = 0; start < total; start += chunk.length) {
        if (!all.subarray(start, start + chunk.length).equals(chunk)) throw new Error(`wrong bytes from ${start} on`);
      }
      expect(transport.getReadBufferSize()).toBe(0);
    });

    test('a chain that is cut in the middle of a record is an end, and what came in whole records is not lost', async () => {
      await serve({
        connectionMade: (given) => given.write(Buffer.alloc(40_000, 'x')),
      });
      // A proxy that lets only so much through.
      const { loop } = use.current;
      const client = new NotingProtocol();
      const listener = new Socket();
      listener.bind(['127.0.0.1', 0]);
      listener.listen();
      listener.setblocking(false);
      use.current.atEnd(() => listener.close());
      const relay = loop.createTask(function* () {
        const [front] = yield* loop.sockAccept(listener);
        const back = new Socket();
        back.setblocking(false);
        yield* loop.sockConnect(back, addressOf(server));
        const up = loop.createTask(function* () {
          for (;;) {
            const data = yield* loop.sockRecv(front, 65536);
            if (data.length === 0) return;
            yield* loop.sockSendall(back, data);
          }
        });
        for (let left = 30_000; left > 0;) {
          const data = yield* loop.sockRecv(back, left);
          left -= data.length;
          yield* loop.sockSendall(front, data);
        }
        up.cancel();
        front.close();
        back.close();
      });
      const options = { ssl: certificates.clientSsl, serverHostname: 'localhost' };
      const address = listener.getsockname() as [string, number];
      await use.current.run(loop.createConnection(() => client, ...address, options));
      await use.current.run(relay);
      await until(() => lost(client));
      const size = client.received.reduce((sum, { length }) => sum + length, 0);
      expect(size).toBeGreaterThan(0);
      expect(size % 16384).toBe(0);
      expect(client.names().slice(-2)).toEqual(['eofReceived', 'connectionLost']);
    });

    test('a function of the user that throws in the handshake is reported, and fails the connection', async () => {
      const boom = new Error('boom');
      const throwing = (): never => {
        throw boom;
      };
      await serve();
      const ssl = { ...certificates.clientSsl, checkServerIdentity: throwing };
      await expect(connect(new NotingProtocol(), { ssl })).rejects.toBe(boom);
      expect(use.current.takeContexts()).toMatchObject([
        { message: 'Fatal error: protocol.bufferUpdated() call failed.', exception: boom },
      ]);
    });

    // Node 26 asks for names in its own loop.
    const namesAreAsked = driver === 'hosted' || Number.parseInt(process.versions.node, 10) < 26;

    test('SNICallback may answer later, and its error ends the handshake; a run that could not ask refuses it', async () => {
      const { loop } = use.current;
      const answers: Future<void>[] = [];
      const error = new Error('no such name');
      const SNICallback = (name: string, answer: (error: Error | null) => void): void => {
        const later = loop.createFuture<void>();
        answers.push(later);
        later.addDoneCallback(() => answer(name === 'localhost' ? null : error));
        loop.callSoon(() => later.setResult());
      };
      await serve({}, { ssl: { ...certificates.serverSsl, SNICallback } });
      if (!namesAreAsked) {
        await expect(connect(new NotingProtocol())).rejects.toMatchObject({ name: 'ConnectionResetError' });
        expect(use.current.takeContexts()).toMatchObject([
          { message: 'TLS handshake failed', exception: { code: 'ERR_TLS_IN_SYNC_RUN' } },
        ]);
        expect(answers).toEqual([]);
        return;
      }
      const transport = await connect(new NotingProtocol(), { serverHostname: 'localhost' });
      expect(transport.getExtraInfo('cipher')).not.toBeNull();
      await expect(connect(new NotingProtocol(), { serverHostname: 'somebody.else' })).rejects.toMatchObject({
        name: 'ConnectionResetError',
      });
      expect(answers).toHaveLength(2);
      await until(() => server._activeCount === 1);
      expect(served[1].names()).toEqual([]);
    });
  });
}
