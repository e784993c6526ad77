// systems.ts: tests of what only some systems have. Elsewhere they are skipped, and the name of the helper is the reason.

import { AF_UNIX } from '../../lib/sockets/constants';
import { Socket } from '../../lib/sockets/socket';

export const isWindows = process.platform === 'win32';

/** Descriptors of every kind in one table, POSIX signals, fork and exec, Unix sockets for datagrams. */
export const testOnPosix: jest.It = isWindows ? test.skip : test;
export const describeOnPosix: jest.Describe = isWindows ? describe.skip : describe;

/** Whether sockets of AF_UNIX can be made: all but old Windows, and wine. */
function hasUnixSockets(): boolean {
  try {
    new Socket(AF_UNIX).close();
    return true;
  } catch {
    return false;
  }
}

export const testWithUnixSockets: jest.It = hasUnixSockets() ? test : test.skip;
