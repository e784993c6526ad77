// systems.ts: tests of what only some systems have. Elsewhere they are skipped, and the name of the helper is the reason.

import { AF_UNIX } from '../../lib/sockets/constants';
import { Socket } from '../../lib/sockets/socket';

export const isWindows = process.platform === 'win32';

/** Descriptors of every kind in one table, POSIX signals, fork and exec, Unix sockets for datagrams. */
export const testOnPosix: jest.It = isWindows ? test.skip : test;
export const describeOnPosix: jest.Describe = isWindows ? describe.skip : describe;
/** What is refused there, and only there. */
export const describeOnWindows: jest.Describe = isWindows ? describe : describe.skip;

export const isLinux = process.platform === 'linux';
/** Netlink, packet, vsock and CAN sockets, abstract names of Unix sockets. */
export const testOnLinux: jest.It = isLinux ? test : test.skip;
export const describeOnLinux: jest.Describe = isLinux ? describe : describe.skip;

export const isMac = process.platform === 'darwin';
/** What its kernel has no such thing for, or does in a way of its own that was not seen yet. */
export const testNotOnMac: jest.It = isMac ? test.skip : test;

/** An address of this machine beside 127.0.0.1: macOS has no other one of IPv4. */
export const otherLoopback = isMac ? '::1' : '127.0.0.2';

/** Whether sockets of AF_UNIX can be made: all but old Windows, and wine. */
function hasUnixSockets(): boolean {
  try {
    new Socket(AF_UNIX).close();
    return true;
  } catch {
    return false;
  }
}

const unixSockets = hasUnixSockets();
export const testWithUnixSockets: jest.It = unixSockets ? test : test.skip;
export const describeWithUnixSockets: jest.Describe = unixSockets ? describe : describe.skip;

/**
 * wine 8 reports a reset of a connection as its end, keeps refused datagrams to itself, binds to any address, drops control data
 * that is sent, and does not have all names of services, options of TCP and calls for groups.
 */
export const isWine = isWindows && process.env.WINEPREFIX !== undefined;
export const testNotOnWine: jest.It = isWine ? test.skip : test;
