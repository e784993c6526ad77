// outcomes.test.ts: how a connection with a program that is not ours can go, well or badly, in both roles and versions.
// What our side sees is compared with what CPython's asyncio sees in our place, with the same program at the other end.

import type { SecureVersion } from 'node:tls';

import { type Identity, useCertificates } from '../support/certificates';
import { useLoop } from '../support/loops';
import { Asyncio, connectOurs, nodePeer, opensslPeer, runUntil, serveOurs, type Side } from './peers';
import { describeOnPosix } from '../support/systems';

const certificates = useCertificates();
const identities: Record<string, Identity> = {};
beforeAll(() => {
  const { current } = certificates;
  identities.server = current.selfSigned('server');
  identities.client = current.selfSigned('client', 'client');
  identities.expired = current.selfSigned('expired', 'localhost', { expired: true });
});

interface Outcome {
  name: string;
  /** Both versions if left out. */
  version?: SecureVersion;
  client(): Side;
  server(): Side;
  /** The peer drops the connection after the answer. */
  cut?: true;
  /** Why our client refuses the server: the `code` of its error. */
  refusal?: string;
}

const good = { client: () => ({ trust: identities.server }), server: () => ({ identity: identities.server }) };
const asking = () => ({ identity: identities.server, trust: identities.client });

const outcomes: Outcome[] = [
  { name: 'a conversation', ...good },
  {
    name: 'a certificate of the client, a protocol in common',
    client: () => ({ trust: identities.server, identity: identities.client, alpn: ['a', 'b'] }),
    server: () => ({ ...asking(), alpn: ['c', 'b'] }),
  },
  { name: 'a connection that is cut without a goodbye', ...good, cut: true },
  {
    name: 'a certificate that has expired',
    client: () => ({ trust: identities.expired }),
    server: () => ({ identity: identities.expired }),
    refusal: 'CERT_HAS_EXPIRED',
  },
  {
    name: 'a certificate that nobody vouches for',
    client: () => ({}),
    server: good.server,
    refusal: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  },
  {
    name: 'a certificate for another name',
    client: () => ({ trust: identities.server, name: 'elsewhere.test' }),
    server: good.server,
    refusal: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    name: 'a client without the certificate that the server asks for',
    client: good.client,
    server: asking,
  },
  {
    name: 'a client with a certificate that the server does not know',
    client: () => ({ trust: identities.server, identity: identities.server }),
    server: asking,
  },
  {
    name: 'no version in common',
    version: 'TLSv1.2',
    client: good.client,
    server: () => ({ identity: identities.server, version: 'TLSv1.3' }),
  },
  {
    name: 'no cipher in common',
    version: 'TLSv1.2',
    client: () => ({ trust: identities.server, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }),
    server: () => ({ identity: identities.server, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }),
  },
];

// With the programs of another system.
describeOnPosix('TLS with other programs, outcome by outcome', () => {
  const subject = useLoop('hosted');
  let asyncio: Asyncio;
  beforeAll(() => {
    asyncio = new Asyncio();
  });
  afterAll(() => asyncio.stop());
  const peers = { "Node's tls": () => nodePeer, OpenSSL: () => opensslPeer, asyncio: () => asyncio };

  for (const [peerName, peerOf] of Object.entries(peers)) {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      for (const outcome of outcomes.filter((one) => one.version === undefined || one.version === version)) {
        const client = (): Side => ({ version, ...outcome.client() });
        const server = (): Side => ({ version, ...outcome.server() });

        test(`our client with ${peerName}, ${version}: ${outcome.name}`, async () => {
          const { current } = subject;
          const peer = peerOf();
          const own = await peer.serve(server());
          const seen = await connectOurs(current, own.port, client(), outcome.cut && (() => void own.cut()));
          own.stop();
          const theirs = await peer.serve(server());
          const ending = outcome.cut ? 'wait' : 'goodbye';
          const expected = await asyncio.connect(theirs.port, client(), ending, () => void theirs.cut());
          theirs.stop();
          expect(seen.observation()).toEqual(expected);
          const { code } = (seen.error ?? seen.lost ?? {}) as { code?: string };
          if (outcome.refusal !== undefined) expect(code).toBe(outcome.refusal);
          else expect(code ?? 'no error').toMatch(/^(no error|ERR_SSL_[\w/]+|ECONNRESET)$/);
        });

        test(`our server with ${peerName}, ${version}: ${outcome.name}`, async () => {
          const { current } = subject;
          const peer = peerOf();
          const ending = outcome.cut ? 'cut' : 'goodbye';
          const ours = await serveOurs(current, server());
          await runUntil(current, peer.connect(ours.port, client(), ending));
          const [seen] = await ours.over();
          const theirs = await asyncio.serve(server());
          await peer.connect(theirs.port, client(), ending);
          const [expected] = await theirs.over();
          expect(seen.observation()).toEqual(expected);
        });
      }
    }
  }
});
