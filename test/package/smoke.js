'use strict';
// smoke.js: the package as a user of any runtime has it, in plain JavaScript without a test runner.
//
//   node smoke.js           lists the cases
//   node smoke.js NAME      runs one; its last line is "ok", and the process has to end by itself
//
// FDLOOP names the package's folder if it is not installed; TLS_IDENTITY a file with a key and a certificate for localhost.

const assert = require('node:assert');
const fs = require('node:fs');
const { Worker } = require('node:worker_threads');

const location = process.env.FDLOOP ?? 'fdloop';
const fdloop = require(location);
const { DatagramProtocol, getRunningLoop, Protocol, run, runSync, SelectorEventLoop, sleep, Socket, socketpair } =
  fdloop;
const { AF_INET, SOCK_STREAM } = fdloop.socketConstants;
/** Beyond it the system's resolver or a loaded machine could be meant. */
const ROUND_TRIPS = 200;

class Echo extends Protocol {
  connectionMade(transport) {
    this.transport = transport;
  }

  dataReceived(chunk) {
    this.transport.write(chunk);
  }
}

class Client extends Protocol {
  constructor(loop, trips) {
    super();
    this.done = loop.createFuture();
    this.left = trips;
  }

  connectionMade(transport) {
    this.transport = transport;
    transport.write(Buffer.from('ping'));
  }

  dataReceived(chunk) {
    assert.strictEqual(chunk.toString(), 'ping');
    this.left -= 1;
    if (this.left === 0) this.done.setResult('done');
    else this.transport.write(chunk);
  }

  connectionLost(error) {
    if (!this.done.done()) this.done.setException(error ?? new Error('the connection ended too early'));
  }
}

async function echo({ serverOptions = {}, clientOptions = {} } = {}) {
  const loop = getRunningLoop();
  const server = await loop.createServer(() => new Echo(), '127.0.0.1', 0, serverOptions);
  const [, port] = server.sockets[0].getsockname();
  const make = () => new Client(loop, ROUND_TRIPS);
  const [transport, client] = await loop.createConnection(make, '127.0.0.1', port, clientOptions);
  assert.strictEqual(await client.done, 'done');
  transport.close();
  server.close();
  await server.waitClosed();
}

/** The same without async functions: nothing here needs promise jobs. */
function* echoInGenerators() {
  const loop = getRunningLoop();
  const server = yield* loop.createServer(() => new Echo(), '127.0.0.1', 0);
  const [, port] = server.sockets[0].getsockname();
  const [transport, client] = yield* loop.createConnection(() => new Client(loop, ROUND_TRIPS), '127.0.0.1', port);
  assert.strictEqual(yield* client.done, 'done');
  transport.close();
  server.close();
  yield* server.waitClosed();
}

/** A worker thread that runs `source`, which has `fdloop`; its first message, the worker still going. */
function startWorker(source) {
  const file = JSON.stringify(require.resolve(location));
  const worker = new Worker(`const fdloop = require(${file}); ${source}`, { eval: true });
  // Listened for at once: it may end in the turn in which its message comes.
  const exited = new Promise((resolve) => worker.on('exit', resolve));
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (message) => resolve({ worker, message, exited }));
  });
}

const cases = {
  selectors() {
    for (const Selector of [fdloop.EpollSelector, fdloop.PollSelector, fdloop.SelectSelector, fdloop.DefaultSelector]) {
      let selector;
      try {
        selector = new Selector();
      } catch (error) {
        if (error.code === 'ERR_NO_SELECTOR') continue;
        throw error;
      }
      const [left, right] = socketpair();
      selector.register(left, fdloop.EVENT_READ, 'left');
      assert.deepStrictEqual(selector.select(0), []);
      right.send(Buffer.from('x'));
      const [[key, events]] = selector.select(5);
      assert.strictEqual(key.data, 'left');
      assert.strictEqual(events, fdloop.EVENT_READ);
      selector.close();
      left.close();
      right.close();
    }
  },

  sockets() {
    const listener = new Socket(AF_INET, SOCK_STREAM);
    listener.bind(['127.0.0.1', 0]);
    listener.listen();
    const client = new Socket(AF_INET, SOCK_STREAM);
    client.setblocking(true);
    client.connect(listener.getsockname());
    listener.setblocking(true);
    const [server] = listener.accept();
    server.setblocking(true);
    client.send(Buffer.from('hello'));
    assert.strictEqual(server.recv(100).toString(), 'hello');
    const refused = new Socket(AF_INET, SOCK_STREAM);
    refused.setblocking(true);
    const port = listener.getsockname();
    for (const socket of [listener, client, server]) socket.close();
    assert.throws(() => refused.connect(port), { name: 'ConnectionRefusedError', code: 'ECONNREFUSED' });
    refused.close();
  },

  async 'echo, hosted'() {
    let ticks = 0;
    const ticker = setInterval(() => (ticks += 1), 1);
    await run(async () => {
      await echo();
      await sleep(0.02);
    });
    clearInterval(ticker);
    assert(ticks > 0, 'timers of the host stood still');
  },

  async 'echo, hosted, waiting thread'() {
    const loop = new SelectorEventLoop({ hostWatch: 'thread' });
    await loop.runUntilComplete(echo);
    loop.close();
  },

  'echo, sync, generators'() {
    runSync(echoInGenerators);
  },

  'echo, sync, async functions'() {
    runSync(() => echo());
  },

  async tls() {
    const pem = fs.readFileSync(process.env.TLS_IDENTITY, 'utf8');
    await run(() =>
      echo({
        serverOptions: { ssl: { key: pem, cert: pem } },
        clientOptions: { ssl: { ca: pem }, serverHostname: 'localhost' },
      }),
    );
  },

  async udp() {
    await run(async () => {
      const loop = getRunningLoop();
      const received = loop.createFuture();
      class Server extends DatagramProtocol {
        connectionMade(transport) {
          this.transport = transport;
        }
        datagramReceived(data, address) {
          this.transport.sendto(data, address);
        }
      }
      class Asker extends DatagramProtocol {
        datagramReceived(data) {
          received.setResult(data.toString());
        }
      }
      const [server] = await loop.createDatagramEndpoint(() => new Server(), { localAddr: ['127.0.0.1', 0] });
      const remoteAddr = server.getExtraInfo('sockname');
      const [client] = await loop.createDatagramEndpoint(() => new Asker(), { remoteAddr });
      client.sendto(Buffer.from('datagram'));
      assert.strictEqual(await received, 'datagram');
      client.close();
      server.close();
    });
  },

  async timers() {
    const seen = [];
    await run(async () => {
      const loop = getRunningLoop();
      const began = loop.time();
      loop.callAt(began + 0.02, () => seen.push('second'));
      loop.callAt(began + 0.01, () => seen.push('first'));
      loop.callSoon(() => seen.push('soon'));
      await sleep(0.03);
      assert(loop.time() - began >= 0.03 - 1e-6);
    });
    assert.deepStrictEqual(seen, ['soon', 'first', 'second']);
  },

  async 'order of callbacks'() {
    const seen = [];
    await run(async () => {
      const loop = getRunningLoop();
      loop.callSoon(() => {
        void Promise.resolve().then(() => seen.push('job of 1'));
        seen.push('1');
      });
      loop.callSoon(() => seen.push('2'));
      await sleep(0.01);
    });
    assert.deepStrictEqual(seen, ['1', 'job of 1', '2']);
  },

  async cancellation() {
    await run(async () => {
      const loop = getRunningLoop();
      const steps = [];
      const task = loop.createTask(async () => {
        try {
          await sleep(100);
        } catch (error) {
          steps.push(error.constructor.name);
          throw error;
        }
      });
      await sleep(0);
      task.cancel();
      await assert.rejects(async () => task, { name: 'CancelledError' });
      assert.deepStrictEqual(steps, ['CancelledError']);
    });
  },

  async watch() {
    const [left, right] = socketpair();
    await new Promise((resolve) => {
      const watcher = fdloop.watch(left.fileno(), 'r', () => {
        watcher.close();
        resolve();
      });
      right.send(Buffer.from('x'));
    });
    left.close();
    right.close();
  },

  async signals() {
    if (process.platform === 'win32') {
      const loop = new SelectorEventLoop();
      assert.throws(() => loop.addSignalHandler('SIGTERM', () => {}), { name: 'NotImplementedError' });
      loop.close();
      return;
    }
    let heardByRuntime = 0;
    const listener = () => (heardByRuntime += 1);
    await run(async () => {
      const loop = getRunningLoop();
      process.on('SIGTERM', listener);
      for (const count of [1, 2]) {
        const heard = loop.createFuture();
        loop.addSignalHandler('SIGTERM', () => heard.setResult());
        process.kill(process.pid, 'SIGTERM');
        await heard;
        while (heardByRuntime < count) await sleep(0.001);
      }
      process.removeListener('SIGTERM', listener);
      const heard = loop.createFuture();
      loop.addSignalHandler('SIGTERM', () => heard.setResult());
      process.kill(process.pid, 'SIGTERM');
      await heard;
    });
    assert.strictEqual(heardByRuntime, 2);
  },

  'Ctrl-C, sync'() {
    if (process.platform === 'win32') return;
    function* main() {
      process.kill(process.pid, 'SIGINT');
      yield* sleep(1000);
    }
    assert.throws(() => runSync(main), { name: 'KeyboardInterrupt' });
  },

  async getaddrinfo() {
    const addresses = await run(() => getRunningLoop().getaddrinfo('localhost', 80, { type: SOCK_STREAM }));
    assert(addresses.length > 0);
  },

  async executor() {
    const sum = await run(() => getRunningLoop().runInExecutor(null, (a, b) => a + b, 20, 22));
    assert.strictEqual(sum, 42);
  },

  async 'a worker with a loop'() {
    const { message, exited } = await startWorker(`
      const { run, sleep } = fdloop;
      const { parentPort } = require('node:worker_threads');
      run(async () => { await sleep(0.01); return 'slept'; }).then((result) => parentPort.postMessage(result));`);
    assert.strictEqual(message, 'slept');
    await exited;
  },

  async 'a worker terminated in its loop'() {
    for (let times = 0; times < 5; times++) {
      const { worker } = await startWorker(`
        const { run, sleep, getRunningLoop } = fdloop;
        const { parentPort } = require('node:worker_threads');
        const [left, right] = fdloop.socketpair();
        run(async () => {
          getRunningLoop().addReader(left, () => parentPort.postMessage('running'));
          right.send(Buffer.from('x'));
          await sleep(1000);
        });`);
      await worker.terminate();
    }
  },
};

const name = process.argv[2];
if (name === undefined) {
  for (const each of Object.keys(cases)) console.log(each);
} else {
  Promise.resolve()
    // A synchronous run must not begin inside a promise job.
    .then(() => new Promise((resolve, reject) => setImmediate(() => Promise.resolve(attempt()).then(resolve, reject))))
    .then(
      () => console.log('ok'),
      (error) => {
        console.log(error?.stack ?? error);
        process.exitCode = 1;
      },
    );
}

function attempt() {
  try {
    return cases[name]();
  } catch (error) {
    return Promise.reject(error);
  }
}
