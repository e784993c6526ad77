// bytes.ts: what counts as bytes.

import { types } from 'node:util';

/** Whether it is a Uint8Array, which every Buffer is: of this realm, or of another one (a vm context, jest with jsdom). */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || types.isUint8Array(value);
}
