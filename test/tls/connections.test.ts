// connections.test.ts: TLS over TCP and Unix sockets: createConnection and createServer with ssl, by every driver.

import { join } from 'node:path';

import type { Server } from '../../lib/network/server';
import type { SSLOptions } from '../../lib/tls/options';
import { SSLTransport } from '../../lib/tls/ssl-transport';
import type { Protocol } from '../../lib/transports/protocol';
import type { BaseTransport } from '../../lib/transports/transport';
import { useCertificates, type Identity } from '../support/certificates';
import { driverNames, type TestLoop, useLoop } from '../support/loops';
import { addressOf } from '../support/peers';
import { NotingProtocol } from '../support/protocols';
import { testWithUnixSockets } from '../support/systems';

const certificates = useCertificates();
let identity: Identity;
let serverSsl: SSLOptions;
let clientSsl: SSLOptions;
beforeAll(() => {
  identity = certificates.current.selfSigned('server');
  serverSsl = { key: identity.key, cert: identity.cert };
  clientSsl = { ca: identity.cert };
});

/** Answers everything with itself, and closes at the end. */
class Echo extends NotingProtocol {
  override dataReceived(data: Buffer): void {
    super.dataReceived(data);
    this.transport.write(data);
  }
}

/** Has a future that is done when the connection is lost. */
class Client extends NotingProtocol {
  readonly lost;
  constructor(subject: TestLoop, reactions = {}) {
    super(reactions);
    this.lost = subject.loop.createFuture<unknown>();
  }

  override connectionLost(error: unknown): void {
    super.connectionLost(error);
    this.lost.setResult(error);
  }

  get text(): string {
    return Buffer.concat(this.received).toString('latin1');
  }
}

async function serve(subject: TestLoop, factory: () => Protocol, ssl = serverSsl): Promise<Server> {
  const server = await subject.run(subject.loop.createServer(factory, '127.0.0.1', 0, { ssl }));
  subject.atEnd(() => server.close());
  return server;
}

for (const driver of driverNames) {
  describe(`TLS, ${driver}`, () => {
    const use = useLoop(driver);

    test('TLS-001, TLS-014, TLS-017, CONN-014: both sides get a TLS transport once the handshake is done, and bytes go both ways', async () => {
      const { loop } = use.current;
      const served: Echo[] = [];
      const server = await serve(use.current, () => {
        const echo = new Echo();
        served.push(echo);
        return echo;
      });
      const client = new Client(use.current, {
        dataReceived: () => client.text.length === 5 && client.transport.close(),
      });
      const [transport, protocol] = await use.current.run(
        loop.createConnection(() => client, ...addressOf(server), { ssl: clientSsl }),
      );
      expect(transport).toBeInstanceOf(SSLTransport);
      expect(protocol).toBe(client);
      expect(client.names()).toEqual(['connectionMade']);
      transport.write(Buffer.from('hello'));
      await use.current.run(client.lost);
      expect(client.text).toBe('hello');
      await use.current.runOnce();
      await use.current.runOnce();
      expect(served[0].names()).toEqual(['connectionMade', 'dataReceived', 'eofReceived', 'connectionLost']);
    });

    test('TLS-025, TLS-055: whoever closes hears the end of the peer before the connection is lost', async () => {
      const { loop } = use.current;
      const served = new Client(use.current);
      const server = await serve(use.current, () => served);
      const client = new Client(use.current);
      const [transport] = await use.current.run(
        loop.createConnection(() => client, ...addressOf(server), { ssl: clientSsl }),
      );
      transport.write(Buffer.from('bye'));
      transport.close();
      expect(transport.isClosing()).toBe(true);
      expect(await use.current.run(client.lost)).toBeNull();
      expect(await use.current.run(served.lost)).toBeNull();
      expect(client.names()).toEqual(['connectionMade', 'eofReceived', 'connectionLost']);
      expect(served.names()).toEqual(['connectionMade', 'dataReceived', 'eofReceived', 'connectionLost']);
    });

    test('TLS-085: a certificate of somebody unknown fails the connection with the verification error, and the handler hears nothing', async () => {
      const { loop } = use.current;
      const server = await serve(use.current, () => new Echo());
      const client = new Client(use.current);
      await expect(
        use.current.run(loop.createConnection(() => client, ...addressOf(server), { ssl: true })),
      ).rejects.toMatchObject({ name: 'SSLCertVerificationError', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
      await use.current.runOnce();
      expect(client.names()).toEqual([]);
    });

    test('TLS-040: a megabyte comes back byte for byte, with pauses on the way', async () => {
      const { loop } = use.current;
      const server = await serve(use.current, () => new Echo());
      const sent = Buffer.alloc(1 << 20, 'abcdefghijklmnopq');
      let count = 0;
      const client = new Client(use.current, {
        dataReceived: (transport: BaseTransport, data: Buffer) => {
          count += data.length;
          if (count === sent.length) client.transport.close();
          client.transport.pauseReading();
          loop.callSoon(() => client.transport.resumeReading());
        },
      });
      const [transport] = await use.current.run(
        loop.createConnection(() => client, ...addressOf(server), { ssl: clientSsl }),
      );
      expect(transport.getWriteBufferLimits()).toEqual([131072, 524288]);
      expect(transport.getReadBufferLimits()).toEqual([65536, 262144]);
      transport.write(sent);
      await use.current.run(client.lost);
      expect(Buffer.concat(client.received).equals(sent)).toBe(true);
    });

    testWithUnixSockets('works over a Unix socket', async () => {
      const { loop } = use.current;
      const path = join(certificates.current.folder, `${driver}.sock`);
      const server = await use.current.run(loop.createUnixServer(() => new Echo(), path, { ssl: serverSsl }));
      use.current.atEnd(() => server.close());
      const client = new Client(use.current, { dataReceived: () => client.transport.close() });
      const [transport] = await use.current.run(
        loop.createUnixConnection(() => client, path, { ssl: clientSsl, serverHostname: 'localhost' }),
      );
      transport.write(Buffer.from('over a file'));
      await use.current.run(client.lost);
      expect(client.text).toBe('over a file');
    });

    test('TLS-081: TLS in TLS, by startTls on both sides', async () => {
      const { loop } = use.current;
      const upgraded: SSLTransport[] = [];
      const server = await serve(use.current, () => {
        const echo = new Echo({
          connectionMade: (transport) => {
            loop.createTask(function* () {
              const inner = yield* loop.startTls(transport, echo, serverSsl, { serverSide: true });
              echo.transport = inner as never;
              upgraded.push(inner);
            });
          },
        });
        return echo;
      });
      const client = new Client(use.current, { dataReceived: () => client.transport.close() });
      const [outer] = await use.current.run(
        loop.createConnection(() => client, ...addressOf(server), { ssl: clientSsl }),
      );
      const inner = await use.current.run(loop.startTls(outer, client, clientSsl, { serverHostname: 'localhost' }));
      client.transport = inner as never;
      inner.write(Buffer.from('twice'));
      await use.current.run(client.lost);
      expect(client.text).toBe('twice');
      expect(upgraded).toHaveLength(1);
    });
  });
}
