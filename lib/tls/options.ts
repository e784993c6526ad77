// options.ts: how a user says what TLS shall be, and what of it node:tls is told. asyncio: an ssl.SSLContext.

import { isIP } from 'node:net';
import type { ConnectionOptions, createSecureContext, SecureContext, TlsOptions } from 'node:tls';

import type { Seconds } from '../base/constants';
import { typeError, ValueError } from '../base/errors';
import type { OptionNames } from '../base/options';
import { asciiHostName } from '../sockets/host-name';
import { nodeTls } from './node-tls';

type Shared = Pick<ConnectionOptions, 'ALPNProtocols' | 'secureContext' | 'rejectUnauthorized' | 'enableTrace'>;
type OfClients = Pick<ConnectionOptions, 'checkServerIdentity' | 'session' | 'minDHSize'>;
type OfServers = Pick<TlsOptions, 'SNICallback' | 'requestCert'>;

/**
 * What Python keeps in an SSLContext: the options of `tls.createSecureContext` (key, cert, ca, minVersion, ...), or a
 * `secureContext` made of them, and what node:tls wants to know besides. One object stands for one context: it is made
 * when the object is used first, and kept, so change no object that was used.
 */
export type SSLOptions = NonNullable<Parameters<typeof createSecureContext>[0]> & Shared & OfClients & OfServers;

/** What every verb that can do TLS takes. */
export interface SSLTimeouts {
  /** Seconds that the handshake may take; 60 if left out. Only with `ssl`. */
  sslHandshakeTimeout?: Seconds | null;
  /** Seconds that the end of TLS may take after `close`; 30 if left out. Only with `ssl`. */
  sslShutdownTimeout?: Seconds | null;
}

/** What a connecting verb takes. */
export interface SSLClientOptions extends SSLTimeouts {
  /** Speak TLS: true for Node's own certificate authorities and versions. */
  ssl?: SSLOptions | boolean | null;
  /** The name that the certificate must have, the host if left out; '' to accept any name. Only with `ssl`. */
  serverHostname?: string | null;
}

/** What a serving verb takes. */
export interface SSLServerOptions extends SSLTimeouts {
  /** Speak TLS: needs at least a key and a certificate, or a secureContext. */
  ssl?: SSLOptions | null;
}

export const sslTimeoutNames: OptionNames<SSLTimeouts> = { sslHandshakeTimeout: true, sslShutdownTimeout: true };
export const sslServerNames: OptionNames<SSLServerOptions> = { ...sslTimeoutNames, ssl: true };
export const sslClientNames: OptionNames<SSLClientOptions> = { ...sslTimeoutNames, ssl: true, serverHostname: true };

/** One side of a TLS connection to be, checked. */
export interface SSLSettings extends SSLTimeouts {
  readonly options: SSLOptions;
  readonly serverSide: boolean;
  /** As `certificateName` gives it. */
  readonly serverHostname: string | null;
}

const standardOptions: SSLOptions = {};

const contexts = new WeakMap<SSLOptions, SecureContext>();

/** The context that `options` stand for. @throws what createSecureContext throws: a bad key, an unknown cipher, ... */
export function secureContextOf(options: SSLOptions): SecureContext {
  if (options.secureContext !== undefined) return options.secureContext;
  let context = contexts.get(options);
  if (context === undefined) {
    // Without a name for its sessions a server that asks for certificates could resume none.
    context = nodeTls().createSecureContext({ sessionIdContext: 'fdloop', ...options });
    contexts.set(options, context);
  }
  return context;
}

/** @throws ValueError for timeouts that are given without TLS */
function checkTimeouts(options: SSLTimeouts): void {
  if ((options.sslHandshakeTimeout ?? null) !== null) {
    throw new ValueError('sslHandshakeTimeout is only meaningful with ssl');
  }
  if ((options.sslShutdownTimeout ?? null) !== null) {
    throw new ValueError('sslShutdownTimeout is only meaningful with ssl');
  }
}

/** The means of a timeout that is given. @throws ValueError */
export function positive(name: string, seconds: Seconds | null | undefined, standard: Seconds): Seconds {
  if (seconds === null || seconds === undefined) return standard;
  if (!(seconds > 0)) throw new ValueError(`${name} should be a positive number, got ${String(seconds)}`);
  return seconds;
}

/**
 * The client's side, or null for no TLS. The context is made here, so that a bad one is told of before anything is opened.
 * @param host what was connected to, if that has a name
 * @throws ValueError, TypeError
 */
export function clientSettings(options: SSLClientOptions, host: string | null): SSLSettings | null {
  const { ssl = null, serverHostname = null, sslHandshakeTimeout, sslShutdownTimeout } = options;
  if (ssl === null || ssl === false) {
    if (serverHostname !== null) throw new ValueError('serverHostname is only meaningful with ssl');
    checkTimeouts(options);
    return null;
  }
  if (ssl !== true && typeof ssl !== 'object') throw typeError('ssl must be true or an object of options');
  if (serverHostname === null && (host === null || host === '')) {
    throw new ValueError('serverHostname must be given with ssl and without a host');
  }
  const name = certificateName(serverHostname ?? host);
  const chosen = ssl === true ? standardOptions : ssl;
  secureContextOf(chosen);
  return {
    options: chosen,
    serverSide: false,
    serverHostname: name,
    sslHandshakeTimeout,
    sslShutdownTimeout,
  };
}

/** A server's side, or null for no TLS. The context is made here, so that a bad one is told of before anybody connects. */
export function serverSettings(options: SSLServerOptions): SSLSettings | null {
  const { ssl = null, sslHandshakeTimeout, sslShutdownTimeout } = options;
  if (ssl === null) {
    checkTimeouts(options);
    return null;
  }
  if (typeof ssl !== 'object')
    throw typeError('a server needs ssl to be an object of options with a key and a certificate');
  secureContextOf(ssl);
  return { options: ssl, serverSide: true, serverHostname: null, sslHandshakeTimeout, sslShutdownTimeout };
}

/** What TLS can say of a name. */
const LONGEST_NAME = 255;

/**
 * What the certificate of the server must be for; null for anything.
 * @param name of a host, or an address; null or '' to accept any
 * @throws TypeError for what is no string, ValueError (ERR_INVALID_HOST) for what is no name
 */
export function certificateName(name: string | null): string | null {
  if (name === null || name === '') return null;
  const ascii = isIP(name) === 0 ? asciiHostName(name) : name;
  if (ascii.length > LONGEST_NAME) throw new ValueError(`${name} cannot be the name of a host`, 'ERR_INVALID_HOST');
  return ascii;
}

/** What `tls.connect` is told about the name of `certificateName`. An address cannot be asked for by name, but it can be verified. */
export function nameOptions(serverHostname: string | null): ConnectionOptions {
  if (serverHostname === null) return { checkServerIdentity: () => undefined };
  return isIP(serverHostname) === 0 ? { servername: serverHostname } : { host: serverHostname };
}
