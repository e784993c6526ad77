// terminated.test.ts: a worker may be terminated at any moment, also while it loads the addon.

import { useCompiledLibrary } from '../support/compiled-library';

describe('a worker that is terminated while the addon loads', () => {
  const library = useCompiledLibrary();

  test('does not take the process with it', async () => {
    // The moments are spread over the time that loading takes here, which a first worker finds out.
    const end = await library.run(
      `const { Worker } = require('worker_threads');
      const start = () => {
        const worker = new Worker(
          "require('worker_threads').parentPort.postMessage('before');" +
            'require(' + JSON.stringify(lib('native/binding').addonFile) + ');' +
            "require('worker_threads').parentPort.postMessage('after')",
          { eval: true },
        );
        worker.on('error', () => {});
        return worker;
      };
      const told = (worker, wanted) =>
        new Promise((resolve) => worker.on('message', (text) => text === wanted && resolve(performance.now())));
      (async () => {
        const first = start();
        const loading = -(await told(first, 'before')) + (await told(first, 'after'));
        await first.terminate();
        const count = ${process.env.FDLOOP_SLOW ? 300 : 12};
        for (let i = 0; i < count; i++) {
          const worker = start();
          const began = await told(worker, 'before');
          while (performance.now() - began < (1.5 * loading * i) / count);
          await worker.terminate();
        }
        console.log('alive');
      })();`,
    );
    expect(end).toMatchObject({ status: 0, signal: null, stdout: 'alive\n' });
  });
});

describe('a worker that is terminated while it makes native objects', () => {
  const library = useCompiledLibrary();

  test.each([
    ['selectors', `for (;;) addon.createSelector(addon.selectorNames[0]).close();`],
    [
      'watches',
      `(function again() {
      for (let i = 0; i < 50; i++) addon.createHostWatchForFd(fds[0], () => {}).close?.();
      setImmediate(again);
    })();`,
    ],
    [
      'lookups',
      `for (;;) addon.abandonLookup(addon.startAddressLookup('127.0.0.1', null, AF_INET, SOCK_STREAM, 0, 0, fds[0]));`,
    ],
  ])('%s does not take the process with it', async (_what, work) => {
    const script = `
      const addon = require(workerData);
      const { AF_INET, AF_UNIX, SOCK_STREAM } = addon.constants;
      const fds = new Int32Array(2);
      addon.socketpair(process.platform === 'win32' ? AF_INET : AF_UNIX, SOCK_STREAM, 0, fds);
      parentPort.postMessage('ready');
      setImmediate(() => { ${work} });`;
    const end = await library.run(
      `const { Worker } = require('worker_threads');
      const { once } = require('events');
      (async () => {
        for (let i = 0; i < ${process.env.FDLOOP_SLOW ? 100 : 2}; i++) {
          const worker = new Worker('const { parentPort, workerData } = require("worker_threads");' + ${JSON.stringify(script)}, {
            eval: true,
            workerData: process.env.FDLOOP_ADDON,
          });
          worker.on('error', () => {});
          await once(worker, 'message');
          const began = performance.now();
          while (performance.now() - began < 2 + (i % 7) / 3);
          await worker.terminate();
        }
        console.log('alive');
      })();`,
    );
    expect(end).toMatchObject({ status: 0, signal: null, stdout: 'alive\n' });
  });
});
