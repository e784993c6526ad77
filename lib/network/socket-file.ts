// socket-file.ts: the files that Unix sockets leave behind.

import { lstatSync, statSync, unlinkSync } from 'node:fs';
import { inspect } from 'node:util';

import { logger } from '../base/log';
import type { UnixAddress } from '../sockets/address';

/**
 * A socket file that is in the way is removed, even that of a living server (UNIX-019), and so is a link to one; any other
 * file is left.
 */
export function removeStaleSocket(path: UnixAddress): void {
  const bytes = Buffer.from(path as string);
  // An abstract name is no file, and a path has no NUL.
  if (bytes.length === 0 || bytes.includes(0)) return;
  try {
    let found = lstatSync(bytes);
    if (found.isSymbolicLink()) found = statSync(bytes);
    if (found.isSocket()) unlinkSync(bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    // Binding will say what is wrong.
    logger.error(`cannot check or remove the socket file ${inspect(path)}`, error);
  }
}
