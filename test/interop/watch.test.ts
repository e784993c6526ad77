// watch.test.ts: what a watcher promises: who is told, when, and what becomes of errors. Kinds of descriptors have their own
// file.

import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';

import { EVENT_PRI, EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import { KeyError, OSError, PermissionError, RuntimeError, ValueError } from '../../lib/base/errors';
import { getRunningLoop } from '../../lib/futures/current';
import { watch, type Watcher, type WatchEvents } from '../../lib/interop/watch';
import { binding } from '../../lib/native/binding';
import { run } from '../../lib/runner';
import { socketConstants } from '../../lib/sockets/constants';
import { Socket } from '../../lib/sockets/socket';
import { thrownBy, useSelectorKit } from '../contracts/selector-kit';
import { expectOk } from '../native/child-kit';
import { useCompiledLibrary } from '../support/compiled-library';
import { closedDescriptor, openDescriptors } from '../support/descriptors';
import { isWindows } from '../support/systems';

const byte = Buffer.from('x');
const turn = () => new Promise((resolve) => setImmediate(resolve));
const turns = async (count: number) => {
  for (let left = count; left > 0; left--) await turn();
};
const kit = useSelectorKit();

/** kqueue has no priority events. */
const hasPriority = !binding.selectorNames.includes('kqueue');
const testWithPriority = hasPriority ? test : test.skip;
/** Windows has no pipes that can be watched, and tells a reset to who waits for reading or writing alone. */
const testWithPipes = hasPriority && !isWindows ? test : test.skip;
/** Everything that there is to watch for, that and reading, that alone. */
const [all, most, last] = hasPriority ? (['rwp', 'rp', 'p'] as const) : (['rw', 'r', 'w'] as const);

/** A watcher that counts its calls. */
function counting(fd: Socket | number, events: WatchEvents = 'r'): { readonly calls: number[]; watcher: Watcher } {
  const calls: number[] = [];
  return { calls, watcher: kit.current.own(watch(fd, events, (ready) => calls.push(ready))) };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

describe('what is told', () => {
  test('nothing before the descriptor is ready, then each turn until it was read', async () => {
    const [socket, other] = kit.current.pair();
    const { calls } = counting(socket);
    await turns(3);
    expect(calls).toEqual([]);
    other.send(byte);
    await until(() => calls.length >= 3);
    socket.recv(1);
    await turn();
    const before = calls.length;
    await turns(3);
    expect(calls).toHaveLength(before);
    expect(new Set(calls)).toEqual(new Set([EVENT_READ]));
  });

  test('the callback is given the ready bits and the watcher', async () => {
    const [socket, other] = kit.current.pair();
    other.send(byte);
    const told = await new Promise<[number, Watcher]>((resolve) => {
      watch(socket, 'wr' as 'rw', (ready, watcher) => {
        watcher.close();
        resolve([ready, watcher]);
      });
    });
    expect(told[0]).toBe(EVENT_READ | EVENT_WRITE);
    expect(told[1].fd).toBe(socket.fileno());
    expect(told[1].closed()).toBe(true);
  });

  test('two watchers of one descriptor, for reading and for writing, are told apart', async () => {
    const [socket, other] = kit.current.pair();
    const reads = counting(socket, 'r');
    const writes = counting(socket, 'w');
    await until(() => writes.calls.length > 0);
    expect(reads.calls).toEqual([]);
    writes.watcher.close();
    const before = writes.calls.length;
    other.send(byte);
    await until(() => reads.calls.length > 0);
    expect(writes.calls).toHaveLength(before);
    expect(new Set(writes.calls)).toEqual(new Set([EVENT_WRITE]));
    expect(reads.calls[0]).toBe(EVENT_READ);
  });

  testWithPriority('urgent data is told to who watches for it, and is no reading', async () => {
    const listener = kit.current.own(new Socket());
    listener.bind(['127.0.0.1', 0]);
    listener.listen();
    listener.setblocking(true);
    const client = kit.current.own(new Socket());
    client.setblocking(true);
    client.connect(listener.getsockname() as [string, number]);
    const socket = kit.current.own(listener.accept()[0]);
    const urgent = counting(socket, 'p');
    const reads = counting(socket, 'r');
    await turns(2);
    client.send(byte, socketConstants.MSG_OOB);
    await until(() => urgent.calls.length > 1);
    expect(new Set(urgent.calls)).toEqual(new Set([EVENT_PRI]));
    expect(reads.calls).toEqual([]);
    socket.recv(1, socketConstants.MSG_OOB);
    await turn();
    client.send(byte);
    await until(() => reads.calls.length > 0);
    reads.watcher.close();
    urgent.calls.length = 0;
    await turns(3);
    expect(urgent.calls).toEqual([]);
  });

  testWithPipes(
    'a hang-up is told as what is watched for, and as nothing to who waits for priority alone',
    async () => {
      const { reader, writer } = kit.current.pipe();
      const reads = counting(reader, 'r');
      const urgent = counting(reader, 'p');
      await turns(2);
      expect([reads.calls, urgent.calls]).toEqual([[], []]);
      kit.current.closeFd(writer);
      await until(() => reads.calls.length > 0 && urgent.calls.length > 0);
      expect(reads.calls[0]).toBe(EVENT_READ);
      expect(urgent.calls[0]).toBe(0);
    },
  );

  test('a paused watcher is told nothing until it is resumed, and may begin so', async () => {
    const [socket, other] = kit.current.pair();
    const { calls, watcher } = counting(socket);
    expect(watcher.pause()).toBe(watcher);
    expect(watcher.isPaused()).toBe(true);
    other.send(byte);
    await turns(3);
    expect(calls).toEqual([]);
    expect(watcher.resume().resume().isPaused()).toBe(false);
    await until(() => calls.length > 0);
    watcher.pause();
    const begun = kit.current.own(watch(other, 'w', { paused: true }));
    expect(begun.isPaused()).toBe(true);
  });

  test('a callback may pause, resume and close any watcher, also one that is ready in the same turn', async () => {
    const pairs = Array.from({ length: 4 }, () => kit.current.pair());
    const called: number[] = [];
    const watchers = pairs.map(([socket], index) =>
      kit.current.own(
        watch(socket, 'r', () => {
          called.push(index);
          for (const other of watchers) other.close();
        }),
      ),
    );
    for (const [, other] of pairs) other.send(byte);
    await until(() => called.length > 0);
    await turns(5);
    expect(called).toHaveLength(1);
    expect(watchers.map((watcher) => watcher.closed())).toEqual([true, true, true, true]);
  });

  test('a watcher that takes the place of another one in a callback is not told of what was ready for that', async () => {
    const pairs = [kit.current.pair(), kit.current.pair()];
    // While one is left, all share a selector.
    counting(kit.current.pair()[0]);
    const later: Watcher[] = [];
    const told = new Set<Watcher>();
    const watchers = pairs.map(([socket, other]) => {
      other.send(byte);
      return kit.current.own(
        watch(socket, 'r', () => {
          for (const watcher of watchers) watcher.close();
          for (const [own] of pairs) {
            own.recv(1);
            later.push(kit.current.own(watch(own, 'r', (_ready, watcher) => told.add(watcher))));
          }
        }),
      );
    });
    await until(() => later.length > 0);
    await turns(3);
    expect(later).toHaveLength(2);
    expect(told.size).toBe(0);
  });

  test('promise jobs and ticks of a callback run before the next callback', async () => {
    const order: string[] = [];
    const watchers = [0, 1].map((index) => {
      const [socket, other] = kit.current.pair();
      other.send(byte);
      return kit.current.own(
        watch(socket, 'r', (_ready, watcher) => {
          watcher.close();
          order.push(`call ${index}`);
          process.nextTick(() => order.push(`tick ${index}`));
          void Promise.resolve().then(() => order.push(`job ${index}`));
        }),
      );
    });
    await until(() => watchers.every((watcher) => watcher.closed()));
    await turn();
    expect(order).toEqual(['call 0', 'tick 0', 'job 0', 'call 1', 'tick 1', 'job 1']);
  });

  test('a callback runs in the asynchronous context of its watcher, and in no event loop', async () => {
    const storage = new AsyncLocalStorage<string>();
    const [socket] = kit.current.pair();
    const seen = await new Promise((resolve) => {
      storage.run('mine', () =>
        watch(socket, 'w', (_ready, watcher) => {
          watcher.close();
          resolve([storage.getStore(), thrownBy(getRunningLoop)]);
        }),
      );
    });
    expect(seen).toEqual(['mine', expect.any(RuntimeError)]);
  });

  test('a loop may be run in a callback, and watchers go on beside a hosted run', async () => {
    const [socket, other] = kit.current.pair();
    const { calls, watcher } = counting(other);
    const result = await new Promise((resolve, reject) => {
      watch(socket, 'w', (_ready, own) => {
        own.close();
        run(async () => {
          socket.send(byte);
          await until(() => calls.length > 0);
          return 'ran';
        }).then(resolve, reject);
      });
    });
    expect(result).toBe('ran');
    watcher.close();
    await run(async () => {
      const inside = counting(other);
      await until(() => inside.calls.length > 0);
    });
  });
});

describe('iteration', () => {
  test('nothing happens while nobody asks, however ready the descriptor is', async () => {
    const [socket, other] = kit.current.pair();
    other.send(byte);
    const watcher = kit.current.own(watch(socket, 'r'));
    const steps = watcher[Symbol.asyncIterator]();
    await turns(3);
    expect(watcher._isArmed()).toBe(false);
    expect(await steps.next()).toEqual({ done: false, value: EVENT_READ });
    await turns(2);
    expect(watcher._isArmed()).toBe(false);
    const [first, second] = [steps.next(), steps.next()];
    expect(watcher._isArmed()).toBe(true);
    expect(await first).toEqual({ done: false, value: EVENT_READ });
    expect(await second).toEqual({ done: false, value: EVENT_READ });
  });

  test('leaving the loop closes the watcher, and closing it ends the loop', async () => {
    const [socket, other] = kit.current.pair();
    other.send(byte);
    const left = watch(socket, 'r');
    let steps = 0;
    for await (const _ready of left) if (++steps === 2) break;
    expect(left.closed()).toBe(true);
    const closed = watch(other, 'r');
    setImmediate(() => closed.close());
    for await (const _ready of closed) steps += 1;
    expect(steps).toBe(2);
    expect(await closed[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });

  test('a paused watcher lets its consumer wait', async () => {
    const [socket, other] = kit.current.pair();
    other.send(byte);
    const watcher = kit.current.own(watch(socket, 'r', { paused: true }));
    let arrived = false;
    const step = watcher[Symbol.asyncIterator]()
      .next()
      .finally(() => (arrived = true));
    await turns(3);
    expect(arrived).toBe(false);
    watcher.resume();
    expect((await step).value).toBe(EVENT_READ);
  });

  test('a watcher with a callback has no iterator', () => {
    const [socket] = kit.current.pair();
    const { watcher } = counting(socket);
    expect(thrownBy(() => watcher[Symbol.asyncIterator]())).toMatchObject({ code: 'ERR_WATCHER_HAS_CALLBACK' });
  });
});

describe('signals that abort', () => {
  test('an abort closes a watcher; an iterator that waits throws the reason, and is at its end then', async () => {
    const [socket, other] = kit.current.pair();
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error('enough');
    const watcher = watch(socket, 'r', { signal });
    const called = watch(other, 'w', null, { signal, paused: true });
    const steps = watcher[Symbol.asyncIterator]();
    const step = steps.next();
    const next = steps.next();
    controller.abort(reason);
    await expect(step).rejects.toBe(reason);
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await steps.next()).toEqual({ done: true, value: undefined });
    expect([watcher.closed(), called.closed()]).toEqual([true, true]);
    await expect(called[Symbol.asyncIterator]().next()).rejects.toBe(reason);
  });

  test('a signal that was aborted before refuses the watch, and a closed watcher has forgotten its signal', async () => {
    const [socket] = kit.current.pair();
    expect(thrownBy(() => watch(socket, 'r', { signal: AbortSignal.abort(new Error('before')) })).message).toBe(
      'before',
    );
    const controller = new AbortController();
    const watcher = watch(socket, 'r', { signal: controller.signal });
    watcher.close();
    controller.abort();
    expect(await watcher[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });
});

describe('errors', () => {
  test('what cannot be watched is refused at once, and leaves nothing open', () => {
    const before = openDescriptors().size;
    for (const events of ['r', last, all] as const) {
      for (const options of [undefined, { paused: true }]) {
        expect(thrownBy(() => watch(closedDescriptor(), events, options))).toMatchObject({ code: 'EBADF' });
        const error = thrownBy(() => watch(kit.current.file(), events, options));
        expect(error).toBeInstanceOf(isWindows ? OSError : PermissionError);
        expect(error.message).toContain(
          isWindows ? 'only sockets can be watched' : 'is always ready, as regular files and directories are',
        );
      }
    }
    expect(thrownBy(() => watch(-1, 'r'))).toBeInstanceOf(ValueError);
    expect(thrownBy(() => watch({} as never, 'r'))).toBeInstanceOf(TypeError);
    expect(openDescriptors().size).toBe(before);
  });

  test.each(all.includes('p') ? [0, 1] : [0])(
    'a host that cannot watch any more refuses, and leaves nothing open (after %i watches)',
    (made) => {
      const [socket] = kit.current.pair();
      const before = openDescriptors();
      const real = binding.createHostWatch.bind(binding);
      let left = made;
      const create = jest
        .spyOn(binding, 'createHostWatch')
        .mockImplementation((...args) => (left-- > 0 ? real(...args) : -binding.errnoByName.EMFILE));
      expect(thrownBy(() => watch(socket, made === 0 ? 'r' : 'rp'))).toMatchObject({ code: 'EMFILE' });
      create.mockRestore();
      expect(openDescriptors()).toEqual(before);
      watch(socket, 'r').close();
    },
  );

  test.each(['', 'x', 'rr', 'r ', 'R', 'rwpp'])('the events %p are refused', (events) => {
    expect(thrownBy(() => watch(0, events as 'r'))).toBeInstanceOf(ValueError);
  });

  test('arguments of the wrong type are refused', () => {
    for (const attempt of [
      () => watch(0, 1 as never),
      () => watch(0, 'r', 'callback' as never),
      () => watch(0, 'r', null, { onError: 1 as never }),
    ]) {
      expect(thrownBy(attempt)).toBeInstanceOf(TypeError);
    }
  });

  test('a second watcher for the same is refused, whatever it is called; after close it is welcome', () => {
    const [socket] = kit.current.pair();
    for (const events of ['r', 'w', last, all] as const) {
      const watcher = watch(socket, events);
      const error = thrownBy(() => watch(socket.fileno(), all));
      expect(error).toBeInstanceOf(KeyError);
      expect(error.code).toBe('ERR_ALREADY_REGISTERED');
      expect(error.message).toContain(`is already watched for '${events === all ? 'rw' : events}'`);
      watcher.close();
      watcher.close();
    }
    watch(socket, all).close();
  });

  test('what a callback throws, and what an async one rejects with, goes to onError', async () => {
    const [socket] = kit.current.pair();
    const errors: unknown[] = [];
    const watcher: Watcher = kit.current.own(
      watch(
        socket,
        'w',
        () => {
          if (errors.length === 0) throw new Error('thrown');
          watcher.pause();
          return Promise.reject(new Error('rejected'));
        },
        { onError: (error, from) => errors.push(from === watcher && (error as Error).message) },
      ),
    );
    await until(() => errors.length === 2);
    expect(errors).toEqual(['thrown', 'rejected']);
    expect(watcher.closed()).toBe(false);
  });
});

describe('a descriptor that is closed under its watcher', () => {
  test('is silent from then on; the watcher can still be closed', async () => {
    const [socket, other] = kit.current.pair();
    const { calls, watcher } = counting(socket);
    socket.close();
    other.close();
    await turns(3);
    expect(calls).toEqual([]);
    expect(watcher.closed()).toBe(false);
    watcher.close();
  });

  test('is noticed when its number is watched again: the old watcher ends, the new one works', async () => {
    const [socket] = kit.current.pair();
    const fd = socket.fileno();
    const errors: unknown[] = [];
    const old = watch(socket, most, () => undefined, { onError: (error) => errors.push(error) });
    const steps = watch(socket, 'w')[Symbol.asyncIterator]();
    socket.close();
    const [again, peer] = kit.current.pairWithFd(fd);
    const { calls } = counting(again);
    expect(old.closed()).toBe(true);
    expect(errors).toEqual([expect.objectContaining({ code: 'EBADF', syscall: 'watch' })]);
    await expect(steps.next()).rejects.toMatchObject({
      code: 'EBADF',
      message: expect.stringContaining('was closed while it was watched'),
    });
    watch(again, last).close();
    peer.send(byte);
    await until(() => calls.length > 0);
  });

  test('is noticed by resume, and by the next step of an iterator', async () => {
    const [socket, other] = kit.current.pair();
    const watcher = watch(socket, 'r', () => undefined, { paused: true });
    const steps = watch(other, 'w')[Symbol.asyncIterator]();
    socket.close();
    other.close();
    expect(thrownBy(() => watcher.resume())).toMatchObject({ code: 'EBADF' });
    expect(watcher.closed()).toBe(true);
    expect(watcher.resume().pause().isPaused()).toBe(true);
    const error: unknown = await steps.next().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OSError);
    expect(await steps.next()).toEqual({ done: true, value: undefined });
  });
});

test('inspect shows the descriptor, what is watched for, and the state', () => {
  const [socket] = kit.current.pair();
  using watcher = watch(socket, 'wr' as 'rw');
  expect(inspect(watcher)).toBe(`<Watcher fd=${socket.fileno()} rw>`);
  expect(inspect(watcher.pause())).toBe(`<Watcher fd=${socket.fileno()} rw paused>`);
  watcher[Symbol.dispose]();
  expect(inspect(watcher)).toBe(`<Watcher fd=${socket.fileno()} rw closed>`);
});

test('watchers come and go without a trace', async () => {
  const [socket, other] = kit.current.pair();
  const before = openDescriptors().size;
  for (let times = 0; times < 200; times++) {
    const watchers = [watch(socket, all, () => undefined), watch(other, 'r'), watch(other, 'w', () => undefined)];
    if (times % 50 === 0) await turn();
    for (const watcher of watchers) watcher.close();
  }
  expect(openDescriptors().size).toBe(before);
});

describe('processes', () => {
  const library = useCompiledLibrary();
  const subject = `
    const { watch, socketpair } = fdloop;
    const assert = require('node:assert');
    const [socket, other] = socketpair();
    const byte = Buffer.from('x');
  `;

  test('only an armed watcher keeps the process alive, and only if it may', async () => {
    const script = (then: string) => library.run(`${subject} process.on('exit', () => console.log('ok')); ${then}`);
    const ends = await Promise.all([
      script(`watch(socket, 'r', () => {}).unref();`),
      script(`watch(socket, 'r', () => {}, { ref: false });`),
      script(`watch(socket, '${most}', () => {}).close();`),
      script(`watch(socket, '${most}', () => {}).pause();`),
      script(`watch(socket, '${last}', () => {}).unref();`),
      script(`watch(socket, 'r');`),
      script(`watch(socket, 'r', () => {}, { signal: AbortSignal.timeout(1) }); setTimeout(() => {}, 2);`),
      script(`(async () => { for await (const ready of watch(socket, 'w')) { await new Promise(() => {}); } })();`),
      script(`const w = watch(socket, '${most}', () => { w.close(); }).unref().ref();
              setTimeout(() => other.send(byte), 5).unref();`),
    ]);
    for (const end of ends) expectOk(end);
  });

  test('what a callback throws is an uncaughtException, and the others are called all the same', async () => {
    expectOk(
      await library.run(`${subject}
        const caught = [];
        process.on('uncaughtException', (error, origin) => caught.push(error.message + ' ' + origin));
        let calls = 0;
        watch(other, 'w', () => { throw new Error('first'); });
        watch(socket, 'w', (_, watcher) => { calls += 1; if (calls === 3) process.exit(); });
        process.on('exit', () => {
          assert(caught.length >= 3);
          assert.deepStrictEqual([...new Set(caught)], ['first uncaughtException']);
          console.log('ok');
        });`),
    );
  });

  test('those that a thrown exception kept from being told come first in the next turn', async () => {
    expectOk(
      await library.run(`${subject}
        const told = [];
        process.on('uncaughtException', () => {});
        const pairs = Array.from({ length: 3 }, () => socketpair());
        pairs.forEach(([one], index) => watch(one, 'w', () => {
          told.push(index);
          if (told.length < 12) throw new Error('each time');
          console.log('ok');
          process.exit();
        }));
        process.on('exit', () => {
          for (let from = 0; from < 12; from += 3) assert.strictEqual(new Set(told.slice(from, from + 3)).size, 3);
        });`),
    );
  });

  test('what nobody catches ends the process', async () => {
    const end = await library.run(`${subject} watch(other, 'w', () => { throw new Error('nobody catches me'); });`);
    expect(end).toMatchObject({ status: 1, signal: null, stdout: '' });
    expect(end.stderr).toContain('Error: nobody catches me');
    const later = await library.run(`${subject} watch(other, 'w', async () => { throw new Error('nor me'); });`);
    expect(later).toMatchObject({ status: 1, signal: null });
    expect(later.stderr).toContain('Error: nor me');
  });

  test('worker threads have watchers of their own, and leave nothing behind when they are terminated', async () => {
    expectOk(
      await library.run(`${subject}
        const { Worker } = require('node:worker_threads');
        const fs = require('node:fs');
        const openCount = () => fs.readdirSync('/dev/fd').length;
        const code = \`
          const { parentPort, workerData } = require('node:worker_threads');
          const { watch } = require(workerData.index);
          if (workerData.last === 'p') watch(workerData.fd, 'p', () => {});
          watch(workerData.fd, 'r', (ready, watcher) => {
            parentPort.postMessage(ready);
            watcher.pause();
            setImmediate(() => watcher.resume());
          });
          parentPort.postMessage('up');
        \`;
        const until = async (condition) => { while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1)); };
        const once = (worker, wanted) => new Promise((resolve, reject) => {
          worker.on('error', reject);
          worker.on('message', (message) => { if (message === wanted) resolve(); });
        });
        const cycle = async () => {
          const worker = new Worker(code, { eval: true, workerData: { index: libraryFolder + 'index', fd: socket.fileno(), last: '${last}' } });
          await once(worker, 'up');
          const told = once(worker, 1);
          other.send(byte);
          await told;
          await worker.terminate();
          socket.recv(10);
        };
        (async () => {
          await cycle();
          await until(() => true);
          const before = openCount();
          for (let times = 0; times < 3; times++) await cycle();
          await until(() => openCount() <= before);
          console.log('ok');
        })();`),
    );
  });
});
