// detach.ts: takes the memory of an ArrayBuffer away, also where the language has no word for it yet.

import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';

/** Leaves `buffer`, and every view on it, with nothing. Memory that is marked as untransferable is no exception. */
export function detach(buffer: ArrayBuffer): void {
  setFlagsFromString('--allow-natives-syntax');
  try {
    (runInThisContext('(buffer) => %ArrayBufferDetach(buffer)') as (buffer: ArrayBuffer) => void)(buffer);
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}
