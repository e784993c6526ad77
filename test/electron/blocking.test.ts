// blocking.test.ts: who may wait in the calling stack, by what Electron says of the process. test/electron/cases.js asks the
// same in an embedder that behaves as Electron does.

import { EVENT_READ } from '../../lib/base/constants';
import { RuntimeError } from '../../lib/base/errors';
import { SelectorEventLoop } from '../../lib/event-loop';
import { VirtualClock } from '../../lib/loop/driver';
import { sleep } from '../../lib/futures/sleep';
import { Runner, run, runSync } from '../../lib/runner';
import { DefaultSelector } from '../../lib/selectors/selectors';
import { socketpair } from '../../lib/sockets/socket';
import { thrownBy } from '../contracts/selector-kit';
import { useCompiledLibrary } from '../support/compiled-library';
import { outsideOfMicrotasks } from '../support/loops';

function pretend(type: string | null): void {
  const describe = (value: string | undefined): PropertyDescriptor => ({ value, configurable: true, enumerable: true });
  Object.defineProperty(process.versions, 'electron', describe(type === null ? undefined : '40.0.0'));
  Object.defineProperty(process, 'type', describe(type ?? undefined));
}

afterEach(() => pretend(null));

async function answer(): Promise<number> {
  await sleep(0);
  return 42;
}

describe.each(['browser', 'renderer'])('in the process that Electron calls %s', (type) => {
  beforeEach(() => pretend(type));

  test('a synchronous run is refused before anything runs, and leaves nothing open', () => {
    let calls = 0;
    const main = (): Promise<number> => {
      calls += 1;
      return answer();
    };
    const error = thrownBy(() => runSync(main));
    expect(error).toBeInstanceOf(RuntimeError);
    expect(error.code).toBe('ERR_BLOCKING_REFUSED');
    expect(error.message).toContain(type === 'browser' ? "Electron's main process" : "Electron's renderer");
    expect(calls).toBe(0);
  });

  test('the loop refuses its synchronous verbs, and can be hosted afterwards', async () => {
    const loop = new SelectorEventLoop();
    expect(thrownBy(() => loop.runForeverSync()).code).toBe('ERR_BLOCKING_REFUSED');
    expect(thrownBy(() => loop.runUntilCompleteSync(loop.createFuture())).code).toBe('ERR_BLOCKING_REFUSED');
    expect(loop.isRunning()).toBe(false);
    expect(await loop.runUntilComplete(answer)).toBe(42);
    loop.close();
  });

  test('allowBlocking forces a synchronous run', async () => {
    expect(await outsideOfMicrotasks(() => runSync(answer, { allowBlocking: true }))).toBe(42);
    const runner = new Runner({ allowBlocking: true });
    expect(await outsideOfMicrotasks(() => runner.runSync(answer))).toBe(42);
    await outsideOfMicrotasks(() => runner.closeSync());
  });

  test('a virtual clock waits for nothing, so its loop runs synchronously', async () => {
    const loop = new SelectorEventLoop({ clock: new VirtualClock() });
    expect(await outsideOfMicrotasks(() => loop.runUntilCompleteSync(sleep(3600, 'late', loop)))).toBe('late');
    loop.close();
  });

  test('a hosted run is welcome', async () => {
    expect(await run(answer)).toBe(42);
  });

  test('select may look, and waits only if allowBlocking is set', () => {
    const selector = new DefaultSelector();
    const [left, right] = socketpair();
    selector.register(left, EVENT_READ);
    right.send(Buffer.from('x'));
    for (const timeout of [null, undefined, 0.001, Infinity]) {
      expect(thrownBy(() => selector.select(timeout)).code).toBe('ERR_BLOCKING_REFUSED');
    }
    for (const timeout of [0, -1]) expect(selector.select(timeout)).toHaveLength(1);
    selector.allowBlocking = true;
    expect(selector.select(null)).toHaveLength(1);
    selector.close();
    left.close();
    right.close();
  });
});

test.each([null, 'utility', 'worker'])('in a process of type %p synchronous runs are welcome', async (type) => {
  pretend(type);
  expect(await outsideOfMicrotasks(() => runSync(answer))).toBe(42);
});

describe('threads', () => {
  const library = useCompiledLibrary();

  test('what Electron says of a process concerns its main thread only', async () => {
    const end = await library.run(`
      const { Worker, isMainThread } = require('node:worker_threads');
      const program = \`
        Object.defineProperty(process.versions, 'electron', { value: '40.0.0' });
        Object.defineProperty(process, 'type', { value: 'browser' });
        const { runSync } = require(\${JSON.stringify(libraryFolder + 'index')});
        try {
          console.log(runSync(async () => 'welcome'));
        } catch (error) {
          console.log(error.code);
        }\`;
      new Worker(program, { eval: true }).on('exit', () => eval(program));`);
    expect(end).toEqual({ status: 0, signal: null, stdout: 'welcome\nERR_BLOCKING_REFUSED\n', stderr: '' });
  });
});
