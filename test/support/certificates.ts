// certificates.ts: keys and certificates for tests of TLS, made by the openssl program.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Identity {
  key: Buffer;
  cert: Buffer;
  keyFile: string;
  certFile: string;
}

/** Files of one test suite, which are removed after it. */
export class Certificates {
  readonly folder = mkdtempSync(join(tmpdir(), 'fdloop-tls-'));

  #openssl(...args: string[]): void {
    try {
      execFileSync('openssl', args, { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
    } catch (error) {
      throw new Error(`the tests of TLS need the openssl program: ${String(error)}`, { cause: error });
    }
  }

  /** A certificate that signs itself. `notAfter`: YYYYMMDDHHMMSSZ. */
  selfSigned(name: string, hostname = 'localhost', options: { expired?: boolean } = {}): Identity {
    const keyFile = join(this.folder, `${name}.key`);
    const certFile = join(this.folder, `${name}.crt`);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
    const subject = ['-subj', `/CN=${hostname}`, '-addext', `subjectAltName=DNS:${hostname},IP:127.0.0.1`];
    if (options.expired === true) {
      const request = join(this.folder, `${name}.csr`);
      this.#openssl('req', ...key, '-subj', `/CN=${hostname}`, '-out', request);
      this.#openssl('x509', '-req', '-in', request, '-signkey', keyFile, '-days', '-1', '-out', certFile);
    } else this.#openssl('req', '-x509', ...key, ...subject, '-days', '2', '-out', certFile);
    return { key: readFileSync(keyFile), cert: readFileSync(certFile), keyFile, certFile };
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
