// certificates.ts: keys and certificates for tests of TLS. Node makes keys and signs, but it makes no certificates, so their
// few parts are put together here, in DER: tag, length, content.

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Identity {
  key: Buffer;
  cert: Buffer;
  keyFile: string;
  certFile: string;
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const UTF8_STRING = 0x0c;
const SEQUENCE = 0x30;
const SET = 0x31;
const UTC_TIME = 0x17;
/** A tag that the place gives its meaning; the second holds others. */
const NAMED = 0x80;
const NAMED_GROUP = 0xa0;

const TRUE = Buffer.of(0x01, 1, 0xff);
const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const SUBJECT_ALTERNATIVE_NAME = Buffer.from('0603551d11', 'hex');
const BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex');

const DAY = 24 * 3600 * 1000;
const LOOPBACK = Buffer.of(127, 0, 0, 1);

function der(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  // Up to 127 the length is itself; longer ones are told by the number of their bytes first.
  const long = body.length < 0x80 ? [] : body.length < 0x100 ? [0x81] : [0x82, body.length >> 8];
  return Buffer.concat([Buffer.of(tag, ...long, body.length & 0xff), body]);
}

/** YYMMDDHHMMSSZ. */
const time = (milliseconds: number): Buffer =>
  der(UTC_TIME, Buffer.from(`${new Date(milliseconds).toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`));

/** A certificate, for an authority's use too, that names `hostname` and the loopback address and signs itself. */
function certificate(hostname: string, from: number, to: number): Pick<Identity, 'key' | 'cert'> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const algorithm = der(SEQUENCE, ECDSA_WITH_SHA256);
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, Buffer.from(hostname)))));
  const names = der(SEQUENCE, der(NAMED | 2, Buffer.from(hostname)), der(NAMED | 7, LOOPBACK));
  const content = der(
    SEQUENCE,
    // Version 3, and a number that no two have.
    der(NAMED_GROUP | 0, der(INTEGER, Buffer.of(2))),
    der(INTEGER, Buffer.of(1), randomBytes(15)),
    algorithm,
    name,
    der(SEQUENCE, time(from), time(to)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      NAMED_GROUP | 3,
      der(
        SEQUENCE,
        der(SEQUENCE, BASIC_CONSTRAINTS, TRUE, der(OCTET_STRING, der(SEQUENCE, TRUE))),
        der(SEQUENCE, SUBJECT_ALTERNATIVE_NAME, der(OCTET_STRING, names)),
      ),
    ),
  );
  const signature = der(BIT_STRING, Buffer.of(0), sign('sha256', content, privateKey));
  const lines = der(SEQUENCE, content, algorithm, signature).toString('base64').replace(/.{64}/g, '$&\n').trim();
  return {
    key: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    cert: Buffer.from(`-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`),
  };
}

/** Files of one test suite, which are removed after it. */
export class Certificates {
  readonly folder = mkdtempSync(join(tmpdir(), 'fdloop-tls-'));

  /** A certificate that signs itself, for two days from now on; `expired`: for yesterday. */
  selfSigned(name: string, hostname = 'localhost', options: { expired?: boolean } = {}): Identity {
    const keyFile = join(this.folder, `${name}.key`);
    const certFile = join(this.folder, `${name}.crt`);
    const [from, to] = options.expired === true ? [-2 * DAY, -DAY] : [-DAY, 2 * DAY];
    const made = certificate(hostname, Date.now() + from, Date.now() + to);
    writeFileSync(keyFile, made.key);
    writeFileSync(certFile, made.cert);
    return { ...made, keyFile, certFile };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Certificates for a suite; they are made when it begins. */
export function useCertificates(): { readonly current: Certificates } {
  let current: Certificates | null = null;
  beforeAll(() => {
    current = new Certificates();
  });
  afterAll(() => current?.remove());
  return {
    get current(): Certificates {
      if (current === null) throw new Error('there are certificates only while a suite runs');
      return current;
    },
  };
}
