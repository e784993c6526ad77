// tls.test.ts: TLS with programs that people run: our client asks nginx, and curl asks our server. nginx is started in a
// folder of ours, with a configuration of ours; it wants a certificate of the client on one of its ports.

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';

import { Socket } from '../../lib/sockets/socket';
import type { SSLOptions } from '../../lib/tls/options';
import { type Identity, useCertificates } from '../support/certificates';
import { useLoop } from '../support/loops';
import { addressOf } from '../support/peers';
import { NotingProtocol } from '../support/protocols';
import { runUntil } from '../tls/peers';
import { needProgram, useFolder } from './kit';

/** Two megabytes, which nginx sends as a file. */
const BODY = Buffer.alloc(2 << 20, 'nobody expects this. ');

function freePort(): number {
  const socket = new Socket();
  socket.bind(['127.0.0.1', 0]);
  const [, port] = socket.getsockname() as [string, number];
  socket.close();
  return port;
}

describe('TLS with programs of the system', () => {
  const subject = useLoop('hosted');
  const certificates = useCertificates();
  const folder = useFolder();
  let server: Identity;
  let client: Identity;
  let stranger: Identity;
  let expired: Identity;
  let nginx: ChildProcess;
  const ports = { plain: 0, open: 0, asking: 0, expired: 0, old: 0 };

  /** One server of nginx. */
  const site = (port: number, identity: Identity, versions: string, more = ''): string => `
    server {
      listen 127.0.0.1:${port} ssl;
      ssl_certificate ${identity.certFile}; ssl_certificate_key ${identity.keyFile};
      ssl_protocols ${versions}; ssl_session_cache shared:s${port}:1m; ${more}
      root ${folder.file('www')};
      location = /who { return 200 "$ssl_client_verify $ssl_protocol $ssl_server_name"; }
    }`;

  beforeAll(async () => {
    needProgram('nginx', 'curl', 'openssl');
    const { current } = certificates;
    server = current.selfSigned('server');
    client = current.selfSigned('client', 'client');
    stranger = current.selfSigned('stranger', 'stranger');
    expired = current.selfSigned('expired', 'localhost', { expired: true });
    for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = freePort();
    mkdirSync(folder.file('www'));
    writeFileSync(folder.file('www/body'), BODY);
    const asks = `ssl_client_certificate ${client.certFile}; ssl_verify_client on;`;
    writeFileSync(
      folder.file('nginx.conf'),
      `daemon off; master_process off; pid ${folder.file('pid')}; error_log ${folder.file('error.log')};
       events {}
       http {
         access_log off;
         client_body_temp_path ${folder.file('t1')}; proxy_temp_path ${folder.file('t2')};
         fastcgi_temp_path ${folder.file('t3')}; uwsgi_temp_path ${folder.file('t4')}; scgi_temp_path ${folder.file('t5')};
         server { listen 127.0.0.1:${ports.plain}; return 200 "plain"; }
         ${site(ports.open, server, 'TLSv1.2 TLSv1.3')}
         ${site(ports.asking, server, 'TLSv1.2 TLSv1.3', asks)}
         ${site(ports.expired, expired, 'TLSv1.3')}
         ${site(ports.old, server, 'TLSv1.2')}
       }`,
    );
    nginx = spawn('nginx', ['-c', folder.file('nginx.conf')], { stdio: 'ignore' });
    // It is there when it takes connections.
    for (;;) {
      const probe = new Socket();
      probe.setblocking(true);
      const isThere = ((): boolean => {
        try {
          probe.connect(['127.0.0.1', ports.old]);
          return true;
        } catch {
          return false;
        } finally {
          probe.close();
        }
      })();
      if (isThere) break;
      if (nginx.exitCode !== null) throw new Error('nginx ended');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });

  afterAll(async () => {
    nginx.kill('SIGKILL');
    await once(nginx, 'exit');
  });

  interface Answer {
    body: Buffer;
    lost: unknown;
    names: string[];
    session: Buffer | undefined;
    isResumed: boolean;
  }

  /** One request of ours, until nginx ends the connection. */
  async function get(port: number, path: string, ssl: SSLOptions = {}): Promise<Answer> {
    const { loop } = subject.current;
    const over = loop.createFuture<unknown>();
    let session: Buffer | undefined;
    const protocol = new NotingProtocol({
      dataReceived: (transport) => {
        session = transport.getExtraInfo<TLSSocket>('ssl_object')?.getSession();
      },
      connectionLost: (_transport, error) => over.setResult(error),
    });
    const options = { ssl: { ca: server.cert, ...ssl }, serverHostname: 'localhost' };
    const [transport] = await subject.current.run(loop.createConnection(() => protocol, '127.0.0.1', port, options));
    const isResumed = (transport.getExtraInfo('ssl_object') as TLSSocket).isSessionReused();
    transport.write(Buffer.from(`GET ${path} HTTP/1.0\r\nHost: localhost\r\n\r\n`));
    const lost = await subject.current.run(over);
    const whole = Buffer.concat(protocol.received);
    const names = protocol.names().filter((name) => name !== 'dataReceived');
    const body = whole.subarray(whole.indexOf('\r\n\r\n') + 4);
    return { body, lost, names, session, isResumed };
  }

  const wholeLife = ['connectionMade', 'eofReceived', 'connectionLost'];

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const versions = { minVersion: version, maxVersion: version };

    test(`nginx sends us a file, ${version}`, async () => {
      const { body, lost, names } = await get(ports.open, '/body', versions);
      expect([body.equals(BODY), lost, names]).toEqual([true, null, wholeLife]);
    });

    test(`nginx sees our certificate and the name that we ask for, ${version}`, async () => {
      const mine = { key: client.key, cert: client.cert, ...versions };
      const { body } = await get(ports.asking, '/who', mine);
      expect(body.toString()).toBe(`SUCCESS ${version} localhost`);
    });

    test(`nginx tells us that it wants another certificate, or any, ${version}`, async () => {
      const others = { key: stranger.key, cert: stranger.cert, ...versions };
      expect(String((await get(ports.asking, '/who', others)).body)).toContain('The SSL certificate error');
      expect(String((await get(ports.asking, '/who', versions)).body)).toContain(
        'No required SSL certificate was sent',
      );
    });

    test(`a session with nginx is resumed, ${version}`, async () => {
      const first = await get(ports.open, '/who', versions);
      const second = await get(ports.open, '/who', { ...versions, session: first.session });
      expect([first.isResumed, second.isResumed]).toEqual([false, true]);
    });
  }

  test('a certificate of nginx that has expired, that nobody vouches for, or for another name', async () => {
    const { loop } = subject.current;
    const connect = (port: number, ssl: SSLOptions, serverHostname: string) =>
      subject.current.run(
        loop.createConnection(() => new NotingProtocol(), '127.0.0.1', port, { ssl, serverHostname }),
      );
    await expect(connect(ports.expired, { ca: expired.cert }, 'localhost')).rejects.toMatchObject({
      name: 'SSLCertVerificationError',
      code: 'CERT_HAS_EXPIRED',
    });
    await expect(connect(ports.open, { ca: client.cert }, 'localhost')).rejects.toMatchObject({
      name: 'SSLCertVerificationError',
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
    await expect(connect(ports.open, { ca: server.cert }, 'elsewhere.test')).rejects.toMatchObject({
      name: 'SSLCertVerificationError',
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  test('nginx without the version that we want, without our ciphers, and without TLS', async () => {
    await expect(get(ports.old, '/who', { minVersion: 'TLSv1.3' })).rejects.toMatchObject({
      name: 'SSLError',
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
    await expect(get(ports.old, '/who', { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' })).rejects.toMatchObject({
      name: 'SSLError',
      code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
    });
    await expect(get(ports.plain, '/who')).rejects.toMatchObject({
      name: 'SSLError',
      code: 'ERR_SSL_WRONG_VERSION_NUMBER',
    });
  });

  // Our server: enough of HTTP for one request, whose body comes back in capitals.

  async function serve(ssl: SSLOptions): Promise<{ port: number; made: NotingProtocol[] }> {
    const made: NotingProtocol[] = [];
    const factory = (): NotingProtocol => {
      const protocol: NotingProtocol = new NotingProtocol({
        dataReceived: (transport) => {
          const whole = Buffer.concat(protocol.received).toString('latin1');
          const end = whole.indexOf('\r\n\r\n');
          const length = Number(/content-length: (\d+)/i.exec(whole)?.[1] ?? 0);
          if (end < 0 || whole.length < end + 4 + length) return;
          const body = whole.slice(end + 4).toUpperCase();
          transport.write(Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`));
          transport.write(Buffer.from(body, 'latin1'));
          transport.close();
        },
      });
      made.push(protocol);
      return protocol;
    };
    const options = { ssl: { key: server.key, cert: server.cert, ...ssl } };
    const listening = await subject.current.run(subject.current.loop.createServer(factory, '127.0.0.1', 0, options));
    subject.current.atEnd(() => listening.close());
    return { port: addressOf(listening)[1], made };
  }

  /** What curl says, and the number with which it ends. */
  async function curl(port: number, ...args: string[]): Promise<{ code: number; output: string }> {
    const where = ['--resolve', `localhost:${port}:127.0.0.1`, `https://localhost:${port}/`];
    const done = new Promise<{ code: number; output: string }>((resolve) => {
      const child = execFile('curl', ['-sS', '--expect100-timeout', '0.01', ...args, ...where], { maxBuffer: 1 << 24 });
      let output = '';
      child.stdout?.on('data', (chunk: string) => (output += chunk));
      child.on('close', (code) => resolve({ code: code ?? -1, output }));
    });
    return runUntil(subject.current, done);
  }

  for (const version of ['1.2', '1.3']) {
    const versions = [`--tlsv${version}`, '--tls-max', version];

    test(`curl sends us a file and gets it back, TLSv${version}`, async () => {
      const { port, made } = await serve({});
      const { code, output } = await curl(
        port,
        '--cacert',
        server.certFile,
        ...versions,
        '--data-binary',
        `@${folder.file('www/body')}`,
      );
      expect([code, output === BODY.toString().toUpperCase()]).toEqual([0, true]);
      await subject.current.runOnce();
      await subject.current.runOnce();
      expect(made[0].events.at(-1)).toEqual(['connectionLost', null]);
    });

    test(`curl shows us its certificate, or has none to show, TLSv${version}`, async () => {
      const { port, made } = await serve({ requestCert: true, ca: client.cert });
      const own = ['--cert', client.certFile, '--key', client.keyFile];
      const good = await curl(port, '--cacert', server.certFile, ...versions, ...own, '--data', 'who am i');
      expect([good.code, good.output]).toEqual([0, 'WHO AM I']);
      expect(made[0].transport.getExtraInfo<{ subject: object }>('peercert')?.subject).toMatchObject({ CN: 'client' });
      const without = await curl(port, '--cacert', server.certFile, ...versions, '--data', 'who am i');
      expect([without.code === 0, made[1].names()]).toEqual([false, []]);
    });
  }

  test('curl does not like our certificate, nor our version: its errors 60 and 35', async () => {
    const { port, made } = await serve({ minVersion: 'TLSv1.3' });
    expect((await curl(port, '--cacert', client.certFile)).code).toBe(60);
    expect((await curl(port, '--cacert', server.certFile, '--tls-max', '1.2')).code).toBe(35);
    expect(made.map((protocol) => protocol.names())).toEqual([[], []]);
  });
});
