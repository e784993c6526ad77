// outcomes-sessions.test.ts: a second connection that goes on with the session of the first, with programs that are not
// ours in both roles.

import { once } from 'node:events';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';

import { useCertificates, type Identity } from '../support/certificates';
import { useLoop } from '../support/loops';
import { NotingProtocol } from '../support/protocols';
import { Asyncio, MESSAGE, nodePeer, opensslPeer, runUntil, sClient, serveOurs, sslOptions } from './peers';
import { describeOnPosix } from '../support/systems';

const certificates = useCertificates();
let identity: Identity;
beforeAll(() => {
  identity = certificates.current.selfSigned('server');
});

// With the programs of another system.
describeOnPosix('a session that is resumed', () => {
  const subject = useLoop('hosted');
  let asyncio: Asyncio;
  beforeAll(() => {
    asyncio = new Asyncio();
  });
  afterAll(() => asyncio.stop());
  const peers = { "Node's tls": () => nodePeer, OpenSSL: () => opensslPeer, asyncio: () => asyncio };

  /** One conversation of ours: whether it went on with `session`, and its own session. */
  async function talk(port: number, more: object): Promise<{ isResumed: boolean; session: Buffer | undefined }> {
    const { loop } = subject.current;
    const over = loop.createFuture<void>();
    let session: Buffer | undefined;
    const protocol = new NotingProtocol({
      dataReceived: (transport) => {
        session = transport.getExtraInfo<TLSSocket>('ssl_object')?.getSession();
        transport.close();
      },
      connectionLost: () => over.setResult(undefined),
    });
    const options = { ssl: { ...sslOptions({ trust: identity }, false), ...more }, serverHostname: 'localhost' };
    const [transport] = await subject.current.run(loop.createConnection(() => protocol, '127.0.0.1', port, options));
    const isResumed = transport.getExtraInfo<TLSSocket>('ssl_object')?.isSessionReused() ?? false;
    transport.write(Buffer.from(MESSAGE));
    await subject.current.run(over);
    return { isResumed, session };
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const versions = { minVersion: version, maxVersion: version };

    for (const [name, peerOf] of Object.entries(peers)) {
      test(`our client with ${name}, ${version}`, async () => {
        const server = await peerOf().serve({ identity, version });
        const first = await talk(server.port, versions);
        const second = await talk(server.port, { ...versions, session: first.session });
        server.stop();
        expect([first.isResumed, second.isResumed]).toEqual([false, true]);
      });
    }

    test(`our server with Node's tls, ${version}`, async () => {
      const { port, over } = await serveOurs(subject.current, { identity, version });
      const meet = async (session?: Buffer): Promise<{ isResumed: boolean; session: Buffer }> => {
        const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: identity.cert, session });
        socket.write(MESSAGE);
        const isOver = once(socket, 'close');
        await runUntil(subject.current, once(socket, 'data'));
        const seen = { isResumed: socket.isSessionReused(), session: socket.getSession() as Buffer };
        socket.end();
        await runUntil(subject.current, isOver);
        return seen;
      };
      const first = await meet();
      const second = await meet(first.session);
      expect([first.isResumed, second.isResumed, (await over()).length]).toEqual([false, true, 2]);
    });

    test(`our server with s_client, ${version}`, async () => {
      const { port } = await serveOurs(subject.current, { identity, version });
      const file = join(certificates.current.folder, `session-${version}`);
      const texts: string[] = [];
      for (const more of [
        ['-sess_out', file],
        ['-sess_in', file],
      ]) {
        const program = sClient(port, { trust: identity, version }, ...more);
        program.child.stdin.write(MESSAGE);
        await runUntil(subject.current, program.said(/THE QUICK BROWN FOX/));
        program.child.stdin.end();
        await runUntil(subject.current, program.ended);
        texts.push(/^(New|Reused), /m.exec(program.text)?.[1] ?? '');
      }
      expect(texts).toEqual(['New', 'Reused']);
    });
  }
});
