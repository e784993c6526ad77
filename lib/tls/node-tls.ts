// node-tls.ts: Node's TLS, loaded when somebody asks for TLS first: it takes milliseconds, and a Node can be built without.

import type * as tls from 'node:tls';

import { RuntimeError } from '../base/errors';

/** @throws RuntimeError (ERR_TLS_NOT_AVAILABLE) */
export function nodeTls(): typeof tls {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- later than an import, and it may fail
    return require('node:tls') as typeof tls;
  } catch (cause) {
    const error = new RuntimeError('this Node was built without TLS', 'ERR_TLS_NOT_AVAILABLE');
    throw Object.assign(error, { cause });
  }
}
