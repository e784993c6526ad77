// descriptors.ts: which descriptors of ours are open, so that a test can show that none is left over.

import { readdirSync, readlinkSync } from 'node:fs';

/** What is open of the kinds that the library makes: sockets, epoll instances, pipes, processes. Linux only; elsewhere empty. */
export function openDescriptors(): Map<number, string> {
  const found = new Map<number, string>();
  if (process.platform !== 'linux') return found;
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      const target = readlinkSync(`/proc/self/fd/${name}`);
      if (/^(socket|pipe):|eventpoll|pidfd/.test(target)) found.set(Number(name), target);
    } catch {
      // The descriptor that read the directory is gone by now.
    }
  }
  return found;
}

/** A free descriptor number: nothing is open there. */
export function closedDescriptor(): number {
  const used = openDescriptors();
  // A number that Windows' handles do not come to, and could be one.
  let fd = process.platform === 'win32' ? 0x3fffff00 : 900;
  while (used.has(fd)) fd += 1;
  return fd;
}
