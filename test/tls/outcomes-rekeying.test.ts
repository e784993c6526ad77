// outcomes-rekeying.test.ts: new keys in the middle of a connection: renegotiation in TLS 1.2, key updates in TLS 1.3, with
// OpenSSL's programs at the other end. Bytes go both ways before and after.

import { useCertificates, type Identity } from '../support/certificates';
import { useLoop } from '../support/loops';
import { addressOf } from '../support/peers';
import { NotingProtocol } from '../support/protocols';
import { runUntil, sClient, sServer, sslOptions, type Program, type Side } from './peers';
import { describeOnPosix } from '../support/systems';

const certificates = useCertificates();
let identity: Identity;
beforeAll(() => {
  identity = certificates.current.selfSigned('server');
});

// With the programs of another system.
describeOnPosix('new keys in the middle of a connection', () => {
  const subject = useLoop('hosted');
  let program: Program | null = null;
  afterEach(() => program?.kill());

  const heard = (protocol: NotingProtocol): string => Buffer.concat(protocol.received).toString();
  const names = (protocol: NotingProtocol): string[] => protocol.names().filter((name) => name !== 'dataReceived');

  /** Runs our loop until our side has heard so much. */
  async function hears(protocol: NotingProtocol, text: string): Promise<void> {
    while (!heard(protocol).includes(text)) await subject.current.run(new Promise((done) => setImmediate(done)));
  }

  async function client(side: Side): Promise<{ protocol: NotingProtocol; peer: Program }> {
    const listening = await sServer({ identity, ...side });
    program = listening.program;
    const protocol = new NotingProtocol();
    const options = { ssl: sslOptions({ trust: identity, ...side }, false), serverHostname: 'localhost' };
    const { loop } = subject.current;
    await subject.current.run(loop.createConnection(() => protocol, '127.0.0.1', listening.port, options));
    subject.current.atEnd(() => protocol.transport.abort());
    return { protocol, peer: program };
  }

  async function server(side: Side): Promise<{ protocol: NotingProtocol; peer: Program }> {
    const { loop } = subject.current;
    const made = loop.createFuture<void>();
    const protocol = new NotingProtocol({ connectionMade: () => made.setResult(undefined) });
    const options = { ssl: sslOptions({ identity, ...side }, true) };
    const listening = await subject.current.run(loop.createServer(() => protocol, '127.0.0.1', 0, options));
    subject.current.atEnd(() => {
      listening.close();
      protocol.transport.abort();
    });
    program = sClient(addressOf(listening)[1], { trust: identity, ...side });
    await subject.current.run(made);
    return { protocol, peer: program };
  }

  const cases = [
    {
      name: 'a renegotiation that the server asks for',
      role: client,
      version: 'TLSv1.2',
      command: 'r',
      sign: /SSL_do_handshake -> 1/,
    },
    {
      name: 'a key update of the server',
      role: client,
      version: 'TLSv1.3',
      command: 'k',
      sign: /SSL_do_handshake -> 1/,
    },
    {
      name: 'a key update that the server wants from us, too',
      role: client,
      version: 'TLSv1.3',
      command: 'K',
      sign: /SSL_do_handshake -> 1/,
    },
    { name: 'a renegotiation of the client', role: server, version: 'TLSv1.2', command: 'R', sign: /RENEGOTIATING/ },
    { name: 'a key update of the client', role: server, version: 'TLSv1.3', command: 'k', sign: /KEYUPDATE/ },
    {
      name: 'a key update that the client wants from us, too',
      role: server,
      version: 'TLSv1.3',
      command: 'K',
      sign: /KEYUPDATE/,
    },
  ] as const;

  for (const { name, role, version, command, sign } of cases) {
    test(`TLS-026, TLS-029: ${name} goes unnoticed, ${version}`, async () => {
      const { protocol, peer } = await role({ version });
      peer.child.stdin.write('before\n');
      await hears(protocol, 'before\n');
      protocol.transport.write(Buffer.from('answer before\n'));
      await runUntil(subject.current, peer.said(/answer before/));
      peer.child.stdin.write(`${command}\n`);
      // A command must be alone in what OpenSSL reads. s_client tells that it has read it; s_server does not, but it looks
      // at its input before it looks at us.
      if (role === client) protocol.transport.write(Buffer.from('answer between\n'));
      await runUntil(subject.current, peer.said(role === client ? /answer between/ : sign));
      peer.child.stdin.write('after\n');
      await hears(protocol, 'after\n');
      protocol.transport.write(Buffer.from('answer after\n'));
      await runUntil(subject.current, peer.said(/answer after/));
      // OpenSSL tells what it did when it ends.
      peer.child.stdin.write('Q\n');
      await runUntil(subject.current, peer.ended);
      expect(peer.text).toMatch(sign);
      while (!names(protocol).includes('connectionLost')) await subject.current.runOnce();
      expect([heard(protocol), names(protocol)]).toEqual([
        'before\nafter\n',
        ['connectionMade', 'eofReceived', 'connectionLost'],
      ]);
    });
  }
});
