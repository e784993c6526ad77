// runner-interrupt.test.ts: Ctrl-C during a hosted run. In a process of its own: a signal is for a whole process.

import { useCompiledLibrary } from './support/compiled-library';

const library = useCompiledLibrary();
const testWithSignals = process.platform === 'win32' ? test.skip : test;

const interrupt = "process.kill(process.pid, 'SIGINT');";
// The watch of a hosted run does not keep the process alive for ever: it is at work until main ends.
const tell = '(error) => console.log(error.name, process.listenerCount("SIGINT"))';

async function output(script: string): Promise<string[]> {
  const end = await library.run(script);
  expect(end.stderr).toBe('');
  return end.stdout.trim().split('\n');
}

testWithSignals(
  'RUN-009, RUN-010, RUN-011: the first one cancels the main task, and KeyboardInterrupt results',
  async () => {
    const lines = await output(`
    fdloop.run(async () => {
      console.log('listening', process.listenerCount('SIGINT'));
      ${interrupt}
      try { await fdloop.sleep(60); } catch (error) { console.log(error.name); throw error; }
    }).then(undefined, ${tell});`);
    expect(lines).toEqual(['listening 1', 'CancelledError', 'KeyboardInterrupt 0']);
  },
);

testWithSignals('RUN-010: a main task that ends otherwise keeps its outcome', async () => {
  const lines = await output(`
    fdloop.run(async () => {
      ${interrupt}
      try { await fdloop.sleep(60); } catch { return 'cleaned up'; }
    }).then((value) => console.log(value, process.listenerCount('SIGINT')));`);
  expect(lines).toEqual(['cleaned up 0']);
});

testWithSignals('RUN-010: a main task that was cancelled by others as well stays cancelled', async () => {
  const lines = await output(`
    fdloop.run(async () => {
      const main = fdloop.currentTask();
      process.once('SIGINT', () => main.cancel());
      ${interrupt}
      await fdloop.sleep(60);
    }).then(undefined, ${tell});`);
  expect(lines).toEqual(['CancelledError 0']);
});

testWithSignals('RUN-009: a second one ends the run at once, with KeyboardInterrupt', async () => {
  const lines = await output(`
    const runner = new fdloop.Runner();
    runner.run(async () => {
      ${interrupt}
      try { await fdloop.sleep(60); } catch { console.log('will not stop'); }
      ${interrupt}
      try { await fdloop.sleep(60); } finally { console.log('in the end', fdloop.currentTask().cancelling()); }
    }).then(undefined, ${tell}).then(() => runner.close());`);
  expect(lines).toEqual(['will not stop', 'KeyboardInterrupt 0', 'in the end 2']);
});

testWithSignals('RUN-009: who listens for SIGINT already is left alone', async () => {
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

testWithSignals('RUN-009: a worker does not listen', async () => {
  const lines = await output(`
    const { Worker } = require('node:worker_threads');
    new Worker('require(' + JSON.stringify(libraryFolder + 'index') + ').run(async () => { console.log(process.listenerCount("SIGINT")); });', { eval: true });`);
  expect(lines).toEqual(['0']);
});

testWithSignals('a synchronous run hears nothing: the signal does what it does by default', async () => {
  const end = await library.run(`
    console.log('starts');
    setImmediate(() => fdloop.runSync(async () => { ${interrupt} await fdloop.sleep(60); }));`);
  expect([end.signal, end.stdout]).toEqual(['SIGINT', 'starts\n']);
});
