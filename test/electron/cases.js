'use strict';
// cases.js: fdloop in a process that is driven as Electron drives its main process. Run by embedder.cc after boot.js; on a real
// Electron by examples/electron/main.js. Everything here is called in tasks of the main thread, outside of libuv's loop, as
// an application's handlers of windows and messages are. Prints one line for each case.

const assert = require('node:assert');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

/** Milliseconds after which something that ought to happen at once counts as lost. */
const PATIENCE = 5000;

/**
 * @param fdloop the library, @param post has a function called in a task of the main thread
 * @returns {Promise<{ passed: number, failed: number }>}
 */
module.exports = async function runCases(fdloop, post) {
  const { Protocol, run, runSync, sleep, socketpair, watch } = fdloop;
  const byte = Buffer.from('x');

  /** What `action` gives, called in a task of the main thread. */
  const task = (action) =>
    new Promise((resolve, reject) => {
      post(() => {
        try {
          resolve(action());
        } catch (error) {
          reject(error);
        }
      });
    });

  const soon = (promise, what) => {
    let timer;
    const lost = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`${what}: nothing within ${PATIENCE} ms`)), PATIENCE);
    });
    return Promise.race([promise, lost]).finally(() => clearTimeout(timer));
  };

  class Echo extends Protocol {
    connectionMade(transport) {
      this.transport = transport;
    }
    dataReceived(chunk) {
      this.transport.write(chunk);
    }
  }

  async function echoOnce(loop) {
    const server = await loop.createServer(() => new Echo(), '127.0.0.1', 0);
    const [, port] = server.sockets[0].getsockname();
    let answer = '';
    const closed = loop.createFuture();
    class Client extends Protocol {
      connectionMade(transport) {
        this.transport = transport;
        transport.write(Buffer.from('hello'));
      }
      dataReceived(chunk) {
        answer += chunk;
        if (answer === 'hello') this.transport.close();
      }
      connectionLost() {
        closed.setResult(null);
      }
    }
    await loop.createConnection(() => new Client(), '127.0.0.1', port);
    await closed;
    server.close();
    await server.waitClosed();
    return answer;
  }

  const cases = {
    async 'a watch that is armed in a task of the main thread is seen at once, though all else is asleep'() {
      for (let times = 0; times < 5; times++) {
        const [left, right] = socketpair();
        await new Promise((resolve) => {
          // Long enough for the last wake-up to have passed.
          post(() => {
            const watcher = watch(left, 'r', () => {
              watcher.close();
              resolve();
            });
            // A system call of ours: nothing of Node's is told of it.
            right.send(byte);
          }, 0.05);
        });
        left.close();
        right.close();
      }
    },

    async 'an idle watch is told of what comes later'() {
      const [left, right] = socketpair();
      await task(
        () =>
          new Promise((resolve) => {
            const watcher = watch(left, 'r', () => {
              watcher.close();
              resolve();
            });
            post(() => right.send(byte), 0.05);
          }),
      );
      left.close();
      right.close();
    },

    async 'a hosted run that is started in a task of the main thread serves and connects'() {
      assert.strictEqual(await task(() => run(() => echoOnce(fdloop.getRunningLoop()))), 'hello');
    },

    async 'on every selector'() {
      for (const name of ['DefaultSelector', 'PollSelector', 'SelectSelector']) {
        const make = () => new fdloop.SelectorEventLoop({ selector: new fdloop[name]() });
        // Windows has no poll.
        if (name === 'PollSelector' && process.platform === 'win32') continue;
        const answer = await task(() => run(() => echoOnce(fdloop.getRunningLoop()), { loopFactory: make }));
        assert.strictEqual(answer, 'hello');
      }
    },

    async 'a callback that is queued in a task of the main thread wakes an idle loop'() {
      const loop = new fdloop.SelectorEventLoop();
      const running = task(() => loop.runForever());
      await new Promise((resolve) => setTimeout(resolve, 20));
      const called = new Promise((resolve) => {
        post(() => loop.callSoon(resolve));
      });
      await called;
      const timed = new Promise((resolve) => {
        post(() => loop.callLater(0.01, resolve));
      });
      await timed;
      post(() => loop.callSoon(() => loop.stop()));
      await running;
      loop.close();
    },

    async 'timers are kept, and Node goes on beside them'() {
      let ticks = 0;
      const ticking = setInterval(() => (ticks += 1), 5);
      const start = performance.now();
      await task(() => run(() => sleep(0.1)));
      clearInterval(ticking);
      assert(performance.now() - start >= 100);
      assert(ticks >= 3, `${ticks} ticks`);
    },

    async 'lookups and functions on other threads come back'() {
      const addresses = await task(() => run(async () => fdloop.getRunningLoop().getaddrinfo('127.0.0.1', 80)));
      assert(addresses.length > 0);
      const sum = await task(() => run(async () => fdloop.getRunningLoop().runInExecutor(null, (a, b) => a + b, 1, 2)));
      assert.strictEqual(sum, 3);
    },

    async 'a server of Node’s own and a client of ours meet in one process'() {
      const server = net.createServer((socket) => socket.end('from Node')).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.on('listening', resolve));
      const text = await task(() =>
        run(async () => {
          const loop = fdloop.getRunningLoop();
          const closed = loop.createFuture();
          let received = '';
          class Client extends Protocol {
            dataReceived(chunk) {
              received += chunk;
            }
            connectionLost() {
              closed.setResult(received);
            }
          }
          await loop.createConnection(() => new Client(), '127.0.0.1', server.address().port);
          return closed;
        }),
      );
      assert.strictEqual(text, 'from Node');
      server.close();
    },

    async 'what would freeze the windows is refused, with an error that says what to do'() {
      const refused = (action) =>
        assert.throws(action, { code: 'ERR_BLOCKING_REFUSED', message: /Electron's main process.*utility process/ });
      await task(() => refused(() => runSync(async () => 1)));
      const loop = new fdloop.SelectorEventLoop();
      await task(() => refused(() => loop.runForeverSync()));
      loop.close();
      const selector = new fdloop.DefaultSelector();
      await task(() => refused(() => selector.select(1)));
      assert.deepStrictEqual(selector.select(0), []);
      selector.close();
    },

    async 'and done if it is forced'() {
      const answer = await task(
        () => new Promise((resolve) => post(() => resolve(runSync(async () => 42, { allowBlocking: true })))),
      );
      assert.strictEqual(answer, 42);
    },

    async 'workers wait as they like, several at once, and may be terminated'() {
      const program = `
        const { parentPort, workerData } = require('node:worker_threads');
        const { runSync, runForever, SelectorEventLoop, sleep } = require(workerData);
        parentPort.postMessage(runSync(async () => { await sleep(0.001); return 'done'; }));
        new SelectorEventLoop().runForever();`;
      const entry = require.resolve(process.env.FDLOOP_ENTRY ?? '../..');
      const one = async () => {
        const worker = new Worker(program, { eval: true, workerData: entry });
        const message = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
        assert.strictEqual(message, 'done');
        await worker.terminate();
      };
      await Promise.all([one(), one(), one()]);
    },

    async 'the addon loads from app.asar.unpacked, beside the first one'() {
      const { addonFile } = require(
        path.join(path.dirname(require.resolve(process.env.FDLOOP_ENTRY ?? '../..')), 'native/binding.js'),
      );
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fdloop-electron-'));
      const unpacked = path.join(folder, 'app.asar.unpacked', 'node_modules', 'fdloop', 'prebuilds');
      fs.mkdirSync(unpacked, { recursive: true });
      fs.copyFileSync(addonFile, path.join(unpacked, 'addon.node'));
      const addon = require(path.join(unpacked, 'addon.node'));
      const selector = addon.createSelector(addon.selectorNames[0]);
      assert.strictEqual(selector.name, addon.selectorNames[0]);
      selector.close();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };

  let passed = 0;
  let failed = 0;
  for (const [title, action] of Object.entries(cases)) {
    const start = performance.now();
    try {
      await soon(action(), title);
      passed += 1;
      console.log(`ok - ${title} (${Math.round(performance.now() - start)} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`not ok - ${title}\n${error.stack}`);
    }
  }
  return { passed, failed };
};
