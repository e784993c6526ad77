// options.test.ts: what the verbs that can do TLS say to arguments that do not fit, and what they make of names.

import { join } from 'node:path';

import type { Coroutine } from '../../lib/futures/coroutine';
import { Socket, socketpair } from '../../lib/sockets/socket';
import { useLoop } from '../support/loops';
import { addressOf } from '../support/peers';
import { NotingProtocol } from '../support/protocols';
import { useTlsCertificates } from '../support/tls';

describe('the options of TLS', () => {
  const use = useLoop();
  const certificates = useTlsCertificates();
  const factory = (): NotingProtocol => new NotingProtocol();
  const valueError = { name: 'ValueError' };
  const typeError = { name: 'TypeError' };
  // What means something only with `ssl`.
  const timeouts = [{ sslHandshakeTimeout: 1 }, { sslShutdownTimeout: 1 }];

  test('CONN-001: createConnection refuses a name or timeouts without ssl, and ssl without a name', async () => {
    const { loop } = use.current;
    const { clientSsl } = certificates;
    const [sock, peer] = socketpair();
    for (const options of [{ serverHostname: 'localhost' }, { serverHostname: '' }, ...timeouts]) {
      await expect(use.current.run(loop.createConnection(factory, '127.0.0.1', 1, options))).rejects.toMatchObject(
        valueError,
      );
      await expect(
        use.current.run(loop.createConnection(factory, '127.0.0.1', 1, { ...options, ssl: false })),
      ).rejects.toMatchObject(valueError);
    }
    for (const host of [null, '']) {
      await expect(
        use.current.run(loop.createConnection(factory, host, null, { sock, ssl: clientSsl })),
      ).rejects.toMatchObject(valueError);
    }
    for (const ssl of ['yes', 1]) {
      await expect(
        use.current.run(loop.createConnection(factory, '127.0.0.1', 1, { ssl: ssl as never })),
      ).rejects.toMatchObject(typeError);
    }
    // Nothing of this has touched the socket.
    expect(sock.fileno()).toBeGreaterThan(0);
    sock.close();
    peer.close();
  });

  test('a context that cannot be made is told of before anything is opened', async () => {
    const { loop } = use.current;
    const bad = { key: 'no key', cert: 'no certificate' };
    const path = join(certificates.folder, 'never.sock');
    const [sock, peer] = socketpair();
    const attempts: Coroutine<unknown>[] = [
      loop.createConnection(factory, '127.0.0.1', 1, { ssl: bad }),
      loop.createUnixConnection(factory, path, { ssl: bad, serverHostname: '' }),
      loop.createServer(factory, '127.0.0.1', 0, { ssl: bad }),
      loop.createUnixServer(factory, path, { ssl: bad }),
      loop.connectAcceptedSocket(factory, sock, { ssl: bad }),
    ];
    for (const attempt of attempts) {
      await expect(use.current.run(attempt)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_OSSL_/) });
    }
    sock.close();
    peer.close();
  });

  test('SRV-022: createServer refuses ssl that is no set of options, and timeouts without ssl', async () => {
    const { loop } = use.current;
    for (const ssl of [true, false, 'yes']) {
      await expect(
        use.current.run(loop.createServer(factory, '127.0.0.1', 0, { ssl: ssl as never })),
      ).rejects.toMatchObject(typeError);
    }
    for (const options of timeouts) {
      await expect(use.current.run(loop.createServer(factory, '127.0.0.1', 0, options))).rejects.toMatchObject(
        valueError,
      );
    }
  });

  test('UNIX-015: createUnixConnection wants a name with ssl, and no name or timeouts without', async () => {
    const { loop } = use.current;
    const path = join(certificates.folder, 'nobody.sock');
    for (const options of [{ ssl: certificates.clientSsl }, { serverHostname: 'localhost' }, ...timeouts]) {
      await expect(use.current.run(loop.createUnixConnection(factory, path, options))).rejects.toMatchObject(
        valueError,
      );
    }
  });

  test('TLS-005, CONN-017: connectAcceptedSocket is the server, and wants options: true is a ValueError', async () => {
    const { loop } = use.current;
    const [sock, peer] = socketpair();
    await expect(
      use.current.run(loop.connectAcceptedSocket(factory, sock, { ssl: true as never })),
    ).rejects.toMatchObject(valueError);
    for (const options of timeouts) {
      await expect(use.current.run(loop.connectAcceptedSocket(factory, sock, options))).rejects.toMatchObject(
        valueError,
      );
    }
    expect(sock.fileno()).toBeGreaterThan(0);
    sock.close();
    peer.close();
  });

  describe('names', () => {
    /** A server on a port of its own; the certificate is for localhost and 127.0.0.1. */
    async function serve(app: () => NotingProtocol = factory): Promise<[string, number]> {
      const { loop } = use.current;
      const options = { ssl: certificates.serverSsl };
      const server = await use.current.run(loop.createServer(app, '127.0.0.1', 0, options));
      use.current.atEnd(() => {
        server.abortClients();
        server.close();
      });
      return addressOf(server);
    }

    const connect = async (address: [string, number], options: object): Promise<void> => {
      const [transport] = await use.current.run(use.current.loop.createConnection(factory, ...address, options));
      use.current.atEnd(() => transport.abort());
    };
    const wrongName = { name: 'SSLCertVerificationError', code: 'ERR_TLS_CERT_ALTNAME_INVALID' };

    test("CONN-002: the host is the name if none is given, and '' takes any", async () => {
      const [, port] = await serve();
      const ssl = certificates.clientSsl;
      await expect(connect(['127.0.0.1', port], { ssl })).resolves.toBeUndefined();
      await expect(connect(['127.0.0.1', port], { ssl, serverHostname: 'localhost' })).resolves.toBeUndefined();
      await expect(connect(['127.0.0.2', port], { ssl })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await expect(connect(['127.0.0.1', port], { ssl, serverHostname: 'example.org' })).rejects.toMatchObject(
        wrongName,
      );
      await expect(connect(['127.0.0.1', port], { ssl, serverHostname: '127.0.0.2' })).rejects.toMatchObject(wrongName);
      await expect(connect(['127.0.0.1', port], { ssl, serverHostname: '' })).resolves.toBeUndefined();
    });

    test('TLS-006: the server is told the name as name servers have it, and no address', async () => {
      const peer = new NotingProtocol();
      const [, port] = await serve(() => peer);
      const ssl = { ...certificates.clientSsl, checkServerIdentity: () => undefined };
      const told = async (serverHostname: string): Promise<unknown> => {
        await connect(['127.0.0.1', port], { ssl, serverHostname });
        return peer.transport?.getExtraInfo<{ servername: unknown }>('ssl_object')?.servername;
      };
      expect(await told('b\u00fccher.example')).toBe('xn--bcher-kva.example');
      expect(await told('localhost.')).toBe('localhost.');
      expect(await told('127.0.0.1')).toBe(false);
    });

    test('a name that none can have is told of before anything is opened', async () => {
      const ssl = certificates.clientSsl;
      const badNames = ['.example', 'a..b', 'a\0b', 'x'.repeat(64), 'long.'.repeat(60)];
      for (const serverHostname of badNames) {
        await expect(connect(['127.0.0.1', 1], { ssl, serverHostname })).rejects.toMatchObject({
          name: 'ValueError',
          code: 'ERR_INVALID_HOST',
        });
      }
      for (const serverHostname of [5, true, Buffer.from('localhost')]) {
        await expect(connect(['127.0.0.1', 1], { ssl, serverHostname })).rejects.toMatchObject(typeError);
      }
    });

    test('CONN-013, TLS-005: ssl: true is the standard context, with all of its authorities, and checks the name', async () => {
      const [, port] = await serve();
      const unknown = { name: 'SSLCertVerificationError', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' };
      await expect(connect(['127.0.0.1', port], { ssl: true })).rejects.toMatchObject(unknown);
      await expect(connect(['127.0.0.1', port], { ssl: true, serverHostname: '' })).rejects.toMatchObject(unknown);
    });

    test('CONN-002: a socket that is connected already wants a name, which may be empty', async () => {
      const address = await serve();
      const sock = new Socket();
      sock.setblocking(true);
      sock.connect(address);
      const [transport] = await use.current.run(
        use.current.loop.createConnection(factory, null, null, {
          sock,
          ssl: certificates.clientSsl,
          serverHostname: '',
        }),
      );
      use.current.atEnd(() => transport.abort());
      expect(transport.getExtraInfo('cipher')).toMatchObject({ version: 'TLSv1.3' });
    });
  });
});
