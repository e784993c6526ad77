// host-watch.test.ts: how a host loop learns that a selector has something, in both ways, and every misuse of it. Each
// script is a process: some are about how the process ends.

import { useCompiledLibrary, type ChildEnd } from '../support/compiled-library';
import { binding } from '../../lib/native/binding';
import { childKit, expectOk, watched } from './child-kit';

const best = binding.selectorNames[0];

const library = useCompiledLibrary();

/** A watch on a selector with one readable socket: `selector`, `watch`, `left`, and `ready()` makes something ready. */
function subject(mode: string, name: string, onReady = '() => { calls += 1; act(); }'): string {
  return `${childKit}
    const mode = ${JSON.stringify(mode)};
    const selector = addon.createSelector('${name}');
    const [left, right] = pair();
    assert.strictEqual(addon.addTo(selector.number, left, 1), 0);
    const byte = Buffer.from('x');
    const ready = () => assert.strictEqual(addon.send(right, byte, 0, 1, 0), 1);
    let calls = 0;
    let act = () => {};
    const order = [];
    const watch = addon.createHostWatch(selector, mode, ${onReady});
    assert.strictEqual(typeof watch, 'object');
    const until = async (condition) => { while (!condition()) await turn(); };
    const close = () => { watch.close(); selector.close(); end(); };
  `;
}

describe.each(watched)('a watch of the mode %s on %s', (mode, name) => {
  const run = (script: string, onReady?: string): Promise<ChildEnd> =>
    library.run(`${subject(mode, name, onReady)}(async () => {${script}})();`);

  test('calls once for each time that it is armed', async () => {
    expectOk(
      await run(`
        ready();
        await turn(); await turn();
        assert.strictEqual(calls, 0);
        for (let times = 1; times <= 5; times++) {
          assert.strictEqual(watch.arm(), 0);
          assert.strictEqual(watch.arm(), 0);
          await until(() => calls === times);
          await turn(); await turn();
          assert.strictEqual(calls, times);
        }
        close();`),
    );
  });

  const testOverEpoll = name === 'epoll' ? test : test.skip;
  testOverEpoll(
    'has its place in a chain of selectors: the link that is too much for the host is refused',
    async () => {
      expectOk(
        await run(`
        const chain = [selector, ...Array.from({ length: 4 }, () => addon.createSelector('epoll'))];
        const links = chain.slice(1).map((inner, index) => addon.addTo(chain[index].number, inner.fd, 1));
        assert.deepStrictEqual(links, [0, 0, 0, -addon.errnoByName.ELOOP]);
        watch.arm();
        ready();
        await until(() => calls === 1);
        for (const inner of chain.slice(1)) inner.close();
        close();`),
      );
    },
  );

  test('calls when something becomes ready, and sees what is added while it is armed', async () => {
    expectOk(
      await run(`
        watch.arm();
        await turn(); await turn();
        assert.strictEqual(calls, 0);
        ready();
        await until(() => calls === 1);
        addon.removeFrom(selector.number, left);
        watch.arm();
        await turn(); await turn();
        assert.strictEqual(calls, 1);
        assert.strictEqual(addon.addTo(selector.number, right, 2), 0);
        await until(() => calls === 2);
        assert.strictEqual(addon.modifyIn(selector.number, right, 1), 0);
        watch.arm();
        await turn(); await turn();
        assert.strictEqual(calls, 2);
        assert.strictEqual(addon.modifyIn(selector.number, right, 3), 0);
        await until(() => calls === 3);
        close();`),
    );
  });

  test('a disarmed watch is silent, even if readiness was on its way', async () => {
    expectOk(
      await run(`
        const other = addon.createHostWatch(selector, mode, () => { others += 1; });
        let others = 0;
        ready();
        for (let times = 1; times <= 20; times++) {
          watch.arm();
          other.arm();
          watch.disarm();
          watch.disarm();
          await until(() => others === times);
        }
        assert.strictEqual(calls, 0);
        watch.arm();
        await until(() => calls === 1);
        other.close();
        close();`),
    );
  });

  test('may be armed, disarmed and closed inside its own call', async () => {
    expectOk(
      await run(`
        ready();
        act = () => { if (calls < 10) assert.strictEqual(watch.arm(), 0); };
        watch.arm();
        await until(() => calls === 10);
        act = () => { watch.arm(); watch.disarm(); };
        watch.arm();
        await until(() => calls === 11);
        await turn(); await turn();
        assert.strictEqual(calls, 11);
        act = () => { watch.close(); assert.strictEqual(watch.arm(), -EBADF); watch.close(); };
        watch.arm();
        await until(() => calls === 12);
        await turn(); await turn();
        assert.strictEqual(calls, 12);
        close();`),
    );
  });

  test('a call that gives true arms it again, unless it was disarmed or closed since the call began', async () => {
    expectOk(
      await run(
        `
        ready();
        watch.arm();
        await until(() => calls === 10);
        await turn(); await turn();
        assert.strictEqual(calls, 10);
        const answer = async (answered, during) => {
          const before = calls;
          act = () => { during(); return answered; };
          assert.strictEqual(watch.arm(), 0);
          await until(() => calls > before);
          await turn(); await turn();
          return calls - before;
        };
        for (const other of [1, 'true', {}, null, undefined]) assert.strictEqual(await answer(other, () => {}), 1);
        assert.strictEqual(await answer(true, () => watch.disarm()), 1);
        assert.strictEqual(await answer(true, () => process.nextTick(() => watch.disarm())), 1);
        assert.strictEqual(await answer(true, () => Promise.resolve().then(() => watch.disarm())), 1);
        const before = calls;
        act = () => { watch.disarm(); watch.arm(); return true; };
        watch.arm();
        // A thread takes its time to call again.
        await until(() => calls > before + 1);
        watch.disarm();
        assert.strictEqual(await answer(true, () => watch.close()), 1);
        assert.strictEqual(watch.arm(), -EBADF);
        close();`,
        `() => { calls += 1; return calls < 10 || act(); }`,
      ),
    );
  });

  test('ends with its selector, also inside its own call', async () => {
    expectOk(
      await run(`
        ready();
        act = () => { watch.arm(); selector.close(); assert.strictEqual(watch.arm(), -EBADF); };
        watch.arm();
        await until(() => calls === 1);
        await turn(); await turn();
        assert.strictEqual(calls, 1);
        close();`),
    );
  });

  test('every verb of a closed watch is allowed, and arm answers EBADF', async () => {
    expectOk(
      await run(`
        watch.arm();
        watch.close();
        for (let times = 0; times < 3; times++) {
          assert.strictEqual(watch.arm(), -EBADF);
          for (const verb of ['disarm', 'ref', 'unref', 'close']) assert.strictEqual(watch[verb](), undefined);
        }
        ready();
        await turn(); await turn();
        assert.strictEqual(calls, 0);
        assert.strictEqual(addon.waitFor(selector.number, 0, new ArrayBuffer(8), 1), 1);
        close();`),
    );
  });

  test('a call that throws is an uncaughtException, and the watch goes on', async () => {
    expectOk(
      await run(
        `
        const caught = [];
        process.on('uncaughtException', (error) => caught.push(error.message));
        ready();
        watch.arm();
        await until(() => caught.length === 1);
        watch.arm();
        await until(() => caught.length === 2);
        assert.deepStrictEqual(caught, ['call 1', 'call 2']);
        close();`,
        `() => { calls += 1; throw new Error('call ' + calls); }`,
      ),
    );
  });

  test('a call that throws ends a process that does not care, as any exception does', async () => {
    const end = await run(`ready(); watch.arm();`, `() => { throw new Error('nobody catches me'); }`);
    expect(end).toMatchObject({ status: 1, signal: null, stdout: '' });
    expect(end.stderr).toContain('Error: nobody catches me');
  });

  test('a call that closes and throws is an uncaughtException too', async () => {
    expectOk(
      await run(
        `
        let caught;
        process.on('uncaughtException', (error) => { caught = error; });
        ready();
        watch.arm();
        await until(() => caught !== undefined);
        assert.strictEqual(caught.message, 'closed');
        end();`,
        `() => { watch.close(); selector.close(); throw new Error('closed'); }`,
      ),
    );
  });

  test('promise jobs and ticks of a call run right after it', async () => {
    expectOk(
      await run(
        `
        ready();
        watch.arm();
        await until(() => calls === 1);
        await turn();
        assert.deepStrictEqual(order, ['call', 'tick', 'job', 'immediate']);
        close();`,
        `() => {
          calls += 1;
          setImmediate(() => order.push('immediate'));
          Promise.resolve().then(() => order.push('job'));
          process.nextTick(() => order.push('tick'));
          order.push('call');
        }`,
      ),
    );
  });

  test('only an armed watch keeps the process alive, and only if it may', async () => {
    expectOk(await run(`console.log('ok'); void watch;`));
    expectOk(await run(`watch.unref(); watch.arm(); console.log('ok');`));
    expectOk(await run(`watch.arm(); watch.disarm(); console.log('ok');`));
    expectOk(await run(`watch.arm(); watch.close(); console.log('ok');`));
    expectOk(await run(`watch.unref(); watch.ref(); watch.arm(); setTimeout(ready, 1).unref(); act = close;`));
  });

  test('a process may exit with watches in every state', async () => {
    expectOk(
      await run(`
        const more = Array.from({ length: 10 }, () => addon.createHostWatch(selector, mode, () => {}));
        more.forEach((one, index) => { if (index % 2) one.arm(); if (index % 3) one.unref(); if (index % 5 === 0) one.close(); });
        watch.arm();
        console.log('ok');
        process.exit(0);`),
    );
    expectOk(await run(`ready(); act = () => { console.log('ok'); process.exit(0); }; watch.arm();`));
  });

  test('what nobody holds any more is collected, save an armed watch', async () => {
    expectOk(
      await run(`
        const before = openCount();
        let late = 0;
        (() => {
          const other = addon.createSelector('${name}');
          addon.addTo(other.number, left, 1);
          addon.createHostWatch(other, mode, () => { late += 1; }).arm();
          for (let times = 0; times < 200; times++) addon.createHostWatch(selector, mode, () => {});
        })();
        for (let times = 0; times < 5; times++) { await turn(); collect(); }
        ready();
        await until(() => late === 1);
        // All but the selector that the late call has, and its watch.
        await until(() => { collect(); return openCount() <= before + 4; });
        close();`),
    );
  });

  test('a thousand watches come and go without a trace', async () => {
    expectOk(
      await run(`
        const before = openCount();
        for (let times = 0; times < 1000; times++) {
          const one = addon.createHostWatch(selector, mode, () => {});
          if (times % 2) one.arm();
          one.close();
          if (times % 100 === 0) await turn();
        }
        await turn(); await turn();
        assert.strictEqual(openCount(), before);
        close();`),
    );
  });
});

describe('making a watch', () => {
  test('what cannot be had is told', async () => {
    expectOk(
      await library.run(`${childKit}
        const selector = addon.createSelector('${best}');
        const select = addon.createSelector('select');
        assert.strictEqual(addon.createHostWatch(select, 'nested', () => {}), -ENOTSUP);
        for (const mode of ['', 'Nested', 'thread\\0', 'x'.repeat(1e5)]) {
          assert.strictEqual(addon.createHostWatch(selector, mode, () => {}), -ENOTSUP);
        }
        const regular = require('node:fs').openSync(process.execPath);
        assert(addon.createHostWatchForFd(regular, () => {}) < 0);
        selector.close(); select.close();
        end();`),
    );
  });

  test('a foreign descriptor is watched, stays its owner’s, and keeps its blocking mode', async () => {
    expectOk(
      await library.run(`${childKit}
        (async () => {
          const [left, right] = pair();
          addon.setNonBlocking(left, false);
          let calls = 0;
          const watch = addon.createHostWatchForFd(left, () => { calls += 1; });
          assert.strictEqual(addon.getNonBlocking(left), 0);
          const second = addon.createHostWatchForFd(left, () => { calls += 10; });
          watch.arm(); second.arm();
          addon.send(right, Buffer.from('x'), 0, 1, 0);
          while (calls < 11) await turn();
          second.close();
          assert.strictEqual(addon.close(left), 0);
          opened.splice(opened.indexOf(left), 1);
          watch.arm();
          while (calls < 12) await turn();
          watch.close();
          end();
        })();`),
    );
  });

  test('its callback cannot be exchanged', async () => {
    expectOk(
      await library.run(`${childKit} (function () { 'use strict';
        const selector = addon.createSelector('${best}');
        const onReady = () => {};
        const watch = addon.createHostWatch(selector, 'thread', onReady);
        assert(attempt(() => { watch.onReady = () => {}; }).error instanceof TypeError);
        assert(attempt(() => { delete watch.onReady; }).error instanceof TypeError);
        assert(attempt(() => Object.defineProperty(watch, 'onReady', { value: 5 })).error instanceof TypeError);
        assert.strictEqual(watch.onReady, onReady);
        watch.close(); selector.close();
        end(); })();`),
    );
  });
});
