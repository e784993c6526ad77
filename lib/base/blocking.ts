// blocking.ts: where nobody may wait in the calling stack. Electron's main process and its renderers have one thread for the
// user interface and for JavaScript: a wait there freezes the windows, and Node with them.

import { isMainThread } from 'node:worker_threads';

import { RuntimeError } from './errors';

const names: Readonly<Record<string, string>> = { browser: 'main process', renderer: 'renderer' };

/**
 * @param verb what is going to wait
 * @param allowed whether the user has said that it may all the same
 * @throws RuntimeError (ERR_BLOCKING_REFUSED) on a thread that has windows to keep alive
 */
export function checkMayBlock(verb: string, allowed: boolean): void {
  if (allowed || process.versions.electron === undefined || !isMainThread) return;
  const place = names[(process as { type?: string }).type ?? ''];
  if (place === undefined) return;
  throw new RuntimeError(
    `${verb} would freeze Electron's ${place}: use a hosted run (run, runForever, runUntilComplete), or a worker or utility ` +
      `process; allowBlocking forces it`,
    'ERR_BLOCKING_REFUSED',
  );
}
