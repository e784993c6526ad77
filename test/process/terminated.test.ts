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
