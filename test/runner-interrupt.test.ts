// runner-interrupt.test.ts: Ctrl-C during a run. In a process of its own: a signal is for a whole process.

import { useCompiledLibrary, type ChildOptions } from './support/compiled-library';
import { isWindows } from './support/systems';

const library = useCompiledLibrary();
const testWithSignals = isWindows ? test.skip : test;

const interrupt = "process.kill(process.pid, 'SIGINT');";
const tell = '(error) => console.log(error.name, process.listenerCount("SIGINT"))';

/**
 * Scripts that run alike in both ways: `run(main)` gives a promise of the outcome, `runIn(runner, main)` too. A synchronous run
 * is not begun in a promise job.
 */
const ways = {
  hosted: `
    const run = fdloop.run;
    const runIn = (runner, main) => runner.run(main);`,
  synchronous: `
    const later = (action) => new Promise((resolve, reject) => setImmediate(() => {
      try { resolve(action()); } catch (error) { reject(error); }
    }));
    const run = (main) => later(() => fdloop.runSync(main));
    const runIn = (runner, main) => later(() => runner.runSync(main));`,
};

async function output(script: string, options?: ChildOptions): Promise<string[]> {
  const end = await library.run(script, options);
  expect(end.stderr).toBe('');
  return end.stdout.trim().split('\n');
}

describe.each(Object.entries(ways))('a %s run', (_name, way) => {
  testWithSignals(
    'RUN-009, RUN-010, RUN-011: the first one cancels the main task, and KeyboardInterrupt results',
    async () => {
      const lines = await output(`${way}
      run(async () => {
        console.log('listening', process.listenerCount('SIGINT'));
        ${interrupt}
        try { await fdloop.sleep(60); } catch (error) { console.log(error.name); throw error; }
      }).then(undefined, ${tell});`);
      expect(lines).toEqual(['listening 1', 'CancelledError', 'KeyboardInterrupt 0']);
    },
  );

  testWithSignals('RUN-009: one from outside wakes a loop that waits', async () => {
    const lines = await output(
      `${way} run(async () => { console.log('waits'); await fdloop.sleep(60); }).then(undefined, ${tell});`,
      {
        onOutput: (text, child) => void (text.includes('waits') && child.kill('SIGINT')),
      },
    );
    expect(lines).toEqual(['waits', 'KeyboardInterrupt 0']);
  });

  testWithSignals('RUN-010: a main task that ends otherwise keeps its outcome', async () => {
    const lines = await output(`${way}
      run(async () => {
        ${interrupt}
        try { await fdloop.sleep(60); } catch { return 'cleaned up'; }
      }).then((value) => console.log(value, process.listenerCount('SIGINT')));`);
    expect(lines).toEqual(['cleaned up 0']);
  });

  testWithSignals('RUN-010: a main task that was cancelled by others as well stays cancelled', async () => {
    const lines = await output(`${way}
      run(async () => {
        fdloop.currentTask().cancel();
        try { await fdloop.sleep(60); } catch (error) { console.log(error.name); }
        ${interrupt}
        await fdloop.sleep(60);
      }).then(undefined, ${tell});`);
    expect(lines).toEqual(['CancelledError', 'CancelledError 0']);
  });

  testWithSignals('RUN-009: a second one ends the run at once, with KeyboardInterrupt', async () => {
    const lines = await output(`${way}
      const runner = new fdloop.Runner();
      runIn(runner, async () => {
        ${interrupt}
        try { await fdloop.sleep(60); } catch { console.log('will not stop'); }
        ${interrupt}
        try { await fdloop.sleep(60); } finally { console.log('in the end', fdloop.currentTask().cancelling()); }
      }).then(undefined, ${tell}).then(() => runner.close());`);
    expect(lines).toEqual(['will not stop', 'KeyboardInterrupt 0', 'in the end 2']);
  });

  testWithSignals('RUN-011: one run after the other hears its own', async () => {
    const lines = await output(`${way}
      const runner = new fdloop.Runner();
      const main = async () => { ${interrupt} await fdloop.sleep(60); };
      const again = () => runIn(runner, main).then(undefined, ${tell});
      again().then(again).then(() => runner.close());`);
    expect(lines).toEqual(['KeyboardInterrupt 0', 'KeyboardInterrupt 0']);
  });

  testWithSignals("RUN-009: a handler of the loop's own takes the place of this, while it is there", async () => {
    const lines = await output(`${way}
      run(async () => {
        const loop = fdloop.getRunningLoop();
        const heard = loop.createFuture();
        loop.addSignalHandler('SIGINT', () => heard.setResult('its own'));
        ${interrupt}
        console.log(await heard, fdloop.currentTask().cancelling());
        loop.removeSignalHandler('SIGINT');
        ${interrupt}
        await fdloop.sleep(60);
      }).then(undefined, ${tell});`);
    expect(lines).toEqual(['its own 0', 'KeyboardInterrupt 0']);
  });

  testWithSignals("RUN-009: a handler of the loop's own from before is left alone", async () => {
    const lines = await output(`${way}
      const runner = new fdloop.Runner();
      const loop = runner.getLoop();
      const heard = loop.createFuture();
      loop.addSignalHandler('SIGINT', () => heard.setResult('its own'));
      runIn(runner, async () => { ${interrupt} return heard; })
        .then((value) => console.log(value, process.listenerCount('SIGINT')))
        .then(() => runner.close());`);
    expect(lines).toEqual(['its own 1']);
  });

  testWithSignals('RUN-009: a worker does not listen', async () => {
    const lines = await output(`
      const { Worker } = require('node:worker_threads');
      const code = ${JSON.stringify(way)} + 'run(async () => { console.log(process.listenerCount("SIGINT")); });';
      new Worker('const fdloop = require(' + JSON.stringify(libraryFolder + 'index') + ');' + code, { eval: true });`);
    expect(lines).toEqual(['0']);
  });

  testWithSignals('RUN-011: after the run, a Ctrl-C does again what it does by default', async () => {
    const end = await library.run(`${way}
      run(async () => console.log('over')).then(() => { ${interrupt} for (;;); });`);
    expect([end.signal, end.stdout]).toEqual(['SIGINT', 'over\n']);
  });
});

testWithSignals('RUN-009: who listens for SIGINT already is left alone by a hosted run', async () => {
  const lines = await output(`
    process.on('SIGINT', () => console.log('mine'));
    fdloop.run(async () => {
      console.log('listening', process.listenerCount('SIGINT'));
      ${interrupt}
      await fdloop.sleep(0.02);
      return 'went on';
    }).then((value) => { console.log(value, process.listenerCount('SIGINT')); process.removeAllListeners('SIGINT'); });`);
  expect(lines).toEqual(['listening 1', 'mine', 'went on 1']);
});

testWithSignals(
  'RUN-009: who listens for SIGINT already is left alone by a synchronous run, and hears after it',
  async () => {
    const lines = await output(`
    process.on('SIGINT', () => { console.log('mine'); process.removeAllListeners('SIGINT'); });
    setImmediate(() => console.log(fdloop.runSync(async () => { ${interrupt} await fdloop.sleep(0); return 'went on'; })));`);
    expect(lines).toEqual(['went on', 'mine']);
  },
);

testWithSignals('RUN-009: a generator is cancelled in a synchronous run as well', async () => {
  const lines = await output(`
    function* main() { ${interrupt} yield* fdloop.sleep(60); }
    try { fdloop.runSync(main); } catch (error) { (${tell})(error); }`);
  expect(lines).toEqual(['KeyboardInterrupt 0']);
});

testWithSignals('a loop that runs without a runner leaves Ctrl-C alone', async () => {
  const end = await library.run(`
    console.log('starts');
    const loop = fdloop.newEventLoop();
    loop.callSoon(() => { ${interrupt} });
    loop.runForeverSync();`);
  expect([end.signal, end.stdout]).toEqual(['SIGINT', 'starts\n']);
});
