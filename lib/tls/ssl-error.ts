// ssl-error.ts: what TLS reports. Python: ssl.SSLError, ssl.SSLCertVerificationError. Both are OSErrors, which decides
// whether the exception handler hears of them.

import { OSError } from '../base/errors';

/** TLS failed. `code` is Node's (ERR_SSL_WRONG_VERSION_NUMBER, ...), `cause` is Node's error. Python: ssl.SSLError. */
export class SSLError extends OSError {
  override name = 'SSLError';
}

/** The peer's certificate was not accepted. `code` says why: CERT_HAS_EXPIRED, ... Python: ssl.SSLCertVerificationError. */
export class SSLCertVerificationError extends SSLError {
  override name = 'SSLCertVerificationError';
}

/** The codes of X.509 verification, as Node names them. */
const VERIFICATION_CODE =
  /^(CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_MISMATCH|ERR_TLS_CERT_ALTNAME|ERROR_IN_C)/;

/** Makes an error of ours of one of node:tls. */
export function sslErrorOf(error: unknown): OSError {
  if (error instanceof OSError) return error;
  const { message, code } = error as { message?: string; code?: string };
  const name = code ?? 'ERR_SSL';
  const Class = VERIFICATION_CODE.test(name) ? SSLCertVerificationError : SSLError;
  return new Class((message ?? String(error)).trim(), { code: name, errno: 0, cause: error });
}

/** The peer showed no certificate, and had to. Not a verification error in Python either. */
export function noCertificate(): SSLError {
  return new SSLError('peer did not return a certificate', { code: NO_CERTIFICATE, errno: 0 });
}

const NO_CERTIFICATE = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

/** Whether we refused the peer for his certificate, or for none: OpenSSL has no alert for him then. */
export function isRefusal(error: unknown): boolean {
  return error instanceof SSLCertVerificationError || (error instanceof SSLError && error.code === NO_CERTIFICATE);
}
