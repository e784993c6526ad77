// waker.test.ts: other threads wake a loop: none of their wakes is lost, none goes to a stranger.

import { readlinkSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { inspect } from 'node:util';

import { SelectorEventLoop } from '../../lib/event-loop';
import { wake, Waker, type WakerHandle } from '../../lib/loop/waker';
import { addonFile, binding } from '../../lib/native/binding';
import { socketpair } from '../../lib/sockets/socket';
import { useCompiledLibrary } from '../support/compiled-library';
import { openDescriptors } from '../support/descriptors';
import { driverNames, useLoop } from '../support/loops';
import { testOnLinux } from '../support/systems';

/** Calls wake in another thread, so many times; ends the thread. Resolves with how often it answered true. */
function wakeElsewhere(handle: WakerHandle, times: number): Promise<number> {
  const code = `
    const { parentPort, workerData: { addonFile, handle, times } } = require('node:worker_threads');
    const { wake } = require(addonFile);
    let count = 0;
    for (let i = 0; i < times; i++) count += wake(handle.fd, handle.state);
    parentPort.postMessage(count);`;
  const worker = new Worker(code, { eval: true, workerData: { addonFile, handle, times } });
  return new Promise((resolve, reject) => {
    let count = -1;
    worker.on('message', (given: number) => (count = given));
    worker.on('error', reject);
    worker.on('exit', () => resolve(count));
  });
}

describe.each(['hosted', 'sync'] as const)('a waker, %s', (driver) => {
  const subject = useLoop(driver);

  test('LOOP-021, FUT-063: another thread has a callback called in the loop, which waits meanwhile', async () => {
    const { loop } = subject.current;
    const future = loop.createFuture<number>();
    const waker = loop.createWaker((count) => future.setResult(count));
    const isOver = wakeElsewhere(waker.handle, 1);
    expect(await subject.current.run(future)).toBe(1);
    expect(await isOver).toBe(1);
    waker.close();
  });

  test('wakes are counted, and none of many threads is lost', async () => {
    const { loop } = subject.current;
    const threads = 3;
    const each = 5000;
    let total = 0;
    let calls = 0;
    const waker = loop.createWaker((count) => {
      total += count;
      calls += 1;
      if (total === threads * each) loop.stop();
    });
    const ends = Array.from({ length: threads }, () => wakeElsewhere(waker.handle, each));
    await subject.current.runForever();
    expect(await Promise.all(ends)).toEqual(Array.from({ length: threads }, () => each));
    expect(total).toBe(threads * each);
    expect(calls).toBeLessThanOrEqual(total);
    waker.close();
  });
});

describe.each(driverNames)('a waker in its own thread, %s', (driver) => {
  const subject = useLoop(driver);

  test('LOOP-022: wakes since the last call are one call, in a handle of its own', async () => {
    const { loop } = subject.current;
    const counts: number[] = [];
    const waker = loop.createWaker((count) => counts.push(count));
    for (let index = 0; index < 1000; index++) expect(wake(waker.handle)).toBe(true);
    expect(counts).toEqual([]);
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(counts).toEqual([1000]);
    wake(waker.handle);
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(counts).toEqual([1000, 1]);
    waker.close();
  });

  test('several wakers of a loop keep their counts apart', async () => {
    const { loop } = subject.current;
    const heard: string[] = [];
    const wakers = ['a', 'b', 'c'].map((name) => loop.createWaker((count) => heard.push(`${name}${count}`)));
    wake(wakers[2].handle);
    wake(wakers[0].handle);
    wake(wakers[2].handle);
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(heard).toEqual(['a1', 'c2']);
    for (const waker of wakers) waker.close();
  });

  test('what its callback throws goes to the exception handler, and the next wake arrives', async () => {
    const { loop } = subject.current;
    let calls = 0;
    const waker = loop.createWaker(() => {
      calls += 1;
      if (calls === 1) throw new Error('boom');
    });
    for (let round = 0; round < 2; round++) {
      wake(waker.handle);
      await subject.current.runOnce();
      await subject.current.runOnce();
    }
    expect(calls).toBe(2);
    expect(subject.current.takeContexts().map(({ exception }) => (exception as Error).message)).toEqual(['boom']);
    waker.close();
  });
});

describe('a waker that is closed', () => {
  const subject = useLoop('sync');

  test('is not woken any more: wake answers false, and what was on its way is dropped', async () => {
    const { loop } = subject.current;
    const counts: number[] = [];
    const waker = loop.createWaker((count) => counts.push(count));
    wake(waker.handle);
    await subject.current.runOnce();
    waker.close();
    waker.close();
    expect([waker.closed(), wake(waker.handle)]).toEqual([true, false]);
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(counts).toEqual([]);
    expect(await wakeElsewhere(waker.handle, 3)).toBe(0);
  });

  testOnLinux('gives its descriptor back, and never writes to whoever gets the number', () => {
    const { loop } = subject.current;
    const waker = loop.createWaker(() => undefined);
    const { fd } = waker.handle;
    expect(openDescriptors().get(fd)).toBe(readlinkSync(`/proc/self/fd/${loop._wakeFd()}`));
    waker.close();
    const pairs = [socketpair(), socketpair()];
    expect(pairs.flat().map((socket) => socket.fileno())).toContain(fd);
    expect(wake(waker.handle)).toBe(false);
    for (const socket of pairs.flat()) {
      expect(() => socket.recv(1)).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
    }
    for (const socket of pairs.flat()) socket.close();
  });

  test('LOOP-056: the end of the loop closes it', () => {
    const { loop } = subject.current;
    const waker = loop.createWaker(() => undefined);
    const selfPipe = openDescriptors().get(loop._wakeFd());
    loop.close();
    expect([waker.closed(), wake(waker.handle)]).toEqual([true, false]);
    expect([...openDescriptors().values()]).not.toContain(selfPipe);
  });

  test('using ends with it', () => {
    const { loop } = subject.current;
    const waker = loop.createWaker(() => undefined);
    waker[Symbol.dispose]();
    expect(waker.closed()).toBe(true);
  });
});

describe('what is no waker', () => {
  const subject = useLoop('sync');

  test('a closed loop makes none, and a waker needs a function', () => {
    const { loop } = subject.current;
    expect(() => loop.createWaker(5 as never)).toThrow(TypeError);
    loop.close();
    expect(() => loop.createWaker(() => undefined)).toThrow(expect.objectContaining({ code: 'ERR_LOOP_CLOSED' }));
  });

  test('wake takes nothing else', () => {
    const shared = new Int32Array(new SharedArrayBuffer(8));
    const wrong = [
      null,
      undefined,
      5,
      {},
      { fd: 1 },
      { fd: 1, state: new Int32Array(2) },
      { fd: '1', state: shared },
      { fd: 1, state: new Int32Array(new SharedArrayBuffer(4)) },
      { fd: 1, state: new Uint8Array(new SharedArrayBuffer(8)) },
    ];
    for (const handle of wrong) expect(() => wake(handle as never)).toThrow(TypeError);
  });

  test('its handle is plain, and shows in a log', () => {
    const waker = subject.current.loop.createWaker(() => undefined);
    expect(waker).toBeInstanceOf(Waker);
    expect(structuredClone(waker.handle)).toEqual(waker.handle);
    expect(inspect(waker)).toBe(`<Waker fd=${waker.handle.fd}>`);
    waker.close();
    expect(inspect(waker)).toBe('<Waker closed>');
  });

  test('LOOP-066: a full self-pipe does not lose a wake', () => {
    const { loop } = subject.current;
    const full = Buffer.alloc(1 << 16);
    while (binding.send(loop._wakeFd(), full, 0, full.length, 0) > 0);
    const counts: number[] = [];
    const waker = loop.createWaker((count) => {
      counts.push(count);
      loop.stop();
    });
    expect(wake(waker.handle)).toBe(true);
    loop.runForeverSync();
    expect(counts).toEqual([1]);
    waker.close();
  });
});

describe('with the library itself in the other thread', () => {
  const library = useCompiledLibrary();

  test('wake is exported, and a thread that is terminated in the middle of waking harms nobody', async () => {
    const end = await library.run(`
      const { Worker } = require('node:worker_threads');
      const loop = fdloop.newEventLoop();
      const index = JSON.stringify(libraryFolder + 'index');
      const code = 'const { wake } = require(' + index + ');' +
        'const { workerData } = require("node:worker_threads"); for (;;) if (!wake(workerData)) break;';
      (async () => {
        for (let round = 0; round < 3; round++) {
          let total = 0;
          const waker = loop.createWaker((count) => { total += count; if (total > 1000) loop.stop(); });
          const worker = new Worker(code, { eval: true, workerData: waker.handle });
          await loop.runForever();
          // Every other time the thread finds out by itself that nobody listens any more.
          if (round % 2 === 0) await worker.terminate();
          waker.close();
          if (round % 2 === 1) await new Promise((resolve) => worker.on('exit', resolve));
        }
        loop.close();
        console.log('done');
      })();`);
    expect(end).toEqual({ status: 0, signal: null, stdout: 'done\n', stderr: '' });
  });

  test('a loop that is closed while another thread wakes it', async () => {
    const end = await library.run(`
      const { Worker } = require('node:worker_threads');
      const index = JSON.stringify(libraryFolder + 'index');
      const code = 'const { wake } = require(' + index + ');' +
        'const { workerData } = require("node:worker_threads"); while (wake(workerData));';
      const loop = fdloop.newEventLoop();
      let total = 0;
      const waker = loop.createWaker((count) => { total += count; if (total > 1000) loop.stop(); });
      const worker = new Worker(code, { eval: true, workerData: waker.handle });
      loop.runForeverSync();
      loop.close();
      worker.on('exit', (status) => console.log('exit', status));`);
    expect(end).toEqual({ status: 0, signal: null, stdout: 'exit 0\n', stderr: '' });
  });
});

test('a waker is a thing of any loop with a self-pipe', () => {
  class Own extends SelectorEventLoop {}
  const loop = new Own();
  const waker = loop.createWaker(() => loop.stop());
  wake(waker.handle);
  loop.runForeverSync();
  loop.close();
  expect(waker.closed()).toBe(true);
});
