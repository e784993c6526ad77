// workers.test.ts: the library in threads that come and go. Each test is a process that has to end well.

import { useCompiledLibrary } from '../support/compiled-library';
import { childKit, expectOk, watched } from './child-kit';
import { testOnPosix } from '../support/systems';

const library = useCompiledLibrary();

/** Runs `workerScript` in threads, `count` in all and some at a time. Each has its number as `workerData`. */
function threads(count: number, workerScript: string, ending: string): string {
  return `${childKit}
    const { Worker } = require('node:worker_threads');
    const prelude = 'const { parentPort, workerData } = require("node:worker_threads");' +
      'const addon = require(process.env.FDLOOP_ADDON);' +
      'Object.defineProperty(globalThis, "fdloop", { get: () => require(' + JSON.stringify(libraryFolder + 'index') + ') });';
    const source = prelude + ${JSON.stringify(workerScript)};
    const one = (workerData) => new Promise((resolve, reject) => {
      const worker = new Worker(source, { eval: true, workerData });
      worker.on('error', (error) => { if (error.message !== 'expected') reject(error); });
      worker.on('message', () => { ${ending} });
      worker.on('exit', resolve);
    });
    (async () => {
      let next = 0;
      const some = async () => { while (next < ${count}) await one(next++); };
      await Promise.all([some(), some(), some()]);
      console.log('ok');
    })();`;
}

const hostedLoop = (selector: string, body: string): string => `
  const loop = fdloop.newEventLoop({ selector: new fdloop.${selector}() });
  ${body}
  loop.callSoon(() => parentPort.postMessage('running'));
  loop.runForever();`;

/** What a loop may be doing when its thread ends. */
const work = `
  const work = [
    () => undefined,
    function spin() { loop.callSoon(spin); },
    () => loop.callLater(3600, () => {}),
    () => {
      const [left, right] = fdloop.socketpair();
      loop._addReader(left.fileno(), () => { left.recv(100); right.send(Buffer.from('x')); });
      right.send(Buffer.from('x'));
    },
  ];
  loop.callSoon(work[workerData % work.length]);`;

const endings = `
  const endings = [
    () => loop.callLater(0.001, () => loop.stop()),
    () => loop.callLater(0.001, () => process.exit(0)),
    () => setTimeout(() => { throw new Error('expected'); }, 1),
  ];
  endings[workerData % endings.length]();`;

const classes = {
  epoll: 'EpollSelector',
  iocp: 'IocpSelector',
  kqueue: 'KqueueSelector',
  poll: 'PollSelector',
  select: 'SelectSelector',
};

describe.each(watched)('a hosted loop of the mode %s over %s in a worker', (_mode, name) => {
  const selector = classes[name];

  test('may be ended twenty times, whatever it is doing', async () => {
    expectOk(await library.run(threads(20, hostedLoop(selector, work), 'worker.terminate();')));
  });

  test('may end by stop(), by process.exit() and by an exception', async () => {
    expectOk(await library.run(threads(6, hostedLoop(selector, endings), '')));
  });
});

describe('the addon alone', () => {
  test.each(watched)('a watch of the mode %s over %s in any state may lose its thread', async (mode, name) => {
    const script = `
      const selector = addon.createSelector('${name}');
      const fds = new Int32Array(2);
      addon.socketpair(process.platform === 'win32' ? addon.constants.AF_INET : addon.constants.AF_UNIX, 1, 0, fds);
      addon.addTo(selector.number, fds[0], 3);
      const watch = addon.createHostWatch(selector, ${JSON.stringify(mode)}, () => { if (workerData % 2) watch.arm(); });
      if (workerData % 3) watch.arm();
      if (workerData % 5 === 0) watch.close();
      if (workerData % 7 === 0) selector.close();
      setInterval(() => {}, 1000);
      parentPort.postMessage('running');`;
    expectOk(await library.run(threads(20, script, 'worker.terminate();')));
  });

  test('what a thread has selected with is given back at its end', async () => {
    const script = `
      const [name] = addon.selectorNames;
      const mode = ['epoll', 'kqueue'].includes(name) ? 'nested' : 'thread';
      const selectors = Array.from({ length: 10 }, () => addon.createSelector(name));
      selectors.forEach((selector) => addon.createHostWatch(selector, mode, () => {}).arm());
      parentPort.postMessage('running');`;
    const scriptWithCheck = threads(6, script, 'worker.terminate();')
      .replace('(async () => {', '(async () => { const before = openCount(); await 0;')
      .replace("console.log('ok')", 'assert.strictEqual(openCount(), before); end()');
    expectOk(await library.run(scriptWithCheck));
  });

  test('threads have selectors and tables of their own', async () => {
    expectOk(
      await library.run(`${childKit}
        const { Worker } = require('node:worker_threads');
        const selector = addon.createSelector(best);
        const worker = new Worker(
          'const addon = require(process.env.FDLOOP_ADDON); const { parentPort } = require("node:worker_threads");' +
          'const one = addon.createSelector(addon.selectorNames[0]);' +
          'parentPort.postMessage([one.fd, one.number, addon.constants.AF_UNIX, one.name]); one.close();',
          { eval: true });
        worker.once('message', ([fd, number, family, name]) => {
          if (fd !== -1) assert.notStrictEqual(fd, selector.fd);
          assert.deepStrictEqual([number, family, name], [1, AF_UNIX, best]);
        });
        worker.once('exit', (code) => { assert.strictEqual(code, 0); selector.close(); end(); });`),
    );
  });
});

describe('sockets that a thread leaves open', () => {
  /** Ends a worker in the middle and looks at what is open then. */
  const ending = (workerScript: string, check: string): string => `${childKit}
    const { Worker } = require('node:worker_threads');
    const fs = require('node:fs');
    const fdloop = require(libraryFolder + 'index');
    const source = 'const { parentPort } = require("node:worker_threads"); const fs = require("node:fs");' +
      'const fdloop = require(' + JSON.stringify(libraryFolder + 'index') + ');' + ${JSON.stringify(workerScript)};
    const isOpen = (fd) => addon.getNonBlocking(fd) >= 0;
    const worker = new Worker(source, { eval: true });
    worker.once('message', async (message) => {
      ${check}
      end();
    });`;

  test('are closed at its end, however they came about', async () => {
    const script = `
      const keep = [];
      const server = fdloop.createServerSocket(['127.0.0.1', 0]);
      const client = new fdloop.Socket();
      client.connectEx(server.getsockname());
      const selector = new fdloop.DefaultSelector();
      selector.register(server, 1);
      selector.select(10);
      const [left, right] = fdloop.socketpair();
      keep.push(server, client, server.accept()[0], left, right, left.dup(), fdloop.Socket.fromFd(right.dup().detach()));
      const closed = new fdloop.Socket();
      closed.close();
      parentPort.postMessage(keep.map((socket) => socket.fileno()));
      setInterval(() => keep, 1000);`;
    const check = `
      assert.deepStrictEqual(message.map(isOpen), message.map(() => true));
      await worker.terminate();
      assert.deepStrictEqual(message.map(isOpen), message.map(() => false));`;
    expectOk(await library.run(ending(script, check)));
  });

  test('are closed at its end, those that other threads wake it by too, who are told', async () => {
    const script = `
      const loop = fdloop.newEventLoop();
      const [waker, closed] = [loop.createWaker(() => {}), loop.createWaker(() => {})];
      closed.close();
      loop.runUntilComplete(async () => {
        await loop.runInExecutor(null, () => 1);
        parentPort.postMessage(waker.handle);
        await fdloop.sleep(1000);
      });`;
    const check = `
      assert(isOpen(message.fd) && fdloop.wake(message));
      await worker.terminate();
      assert.deepStrictEqual([isOpen(message.fd), fdloop.wake(message)], [false, false]);
      const sockets = () => fs.readdirSync('/proc/self/fd').filter((fd) => {
        try { return fs.readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); } catch { return false; }
      });
      if (process.platform === 'linux') assert.deepStrictEqual(sockets().filter((fd) => fd > 2), []);`;
    expectOk(await library.run(ending(script, check)));
  });

  testOnPosix('are closed at its end with the pipes that it made, but not those that it gave away', async () => {
    const script = `
      const keep = fdloop.pipe();
      const [reader, writer] = fdloop.pipe();
      parentPort.postMessage([...keep.map((end) => end.fileno()), reader.detach(), writer.detach()]);
      setInterval(() => keep, 1000);`;
    const check = `
      await worker.terminate();
      assert.deepStrictEqual(message.map(isOpen), [false, false, true, true]);
      for (const fd of message.slice(2)) fs.closeSync(fd);`;
    expectOk(await library.run(ending(script, check)));
  });

  test('stay open if they were given away', async () => {
    const script = `
      const [left, right] = fdloop.socketpair();
      left.send(Buffer.from('x'));
      parentPort.postMessage([left.detach(), right.detach()]);
      setInterval(() => {}, 1000);`;
    const check = `
      await worker.terminate();
      assert.deepStrictEqual(message.map(isOpen), [true, true]);
      const [left, right] = message.map((fd) => fdloop.Socket.fromFd(fd));
      assert.strictEqual(right.recv(1).toString(), 'x');
      left.close();
      right.close();`;
    expectOk(await library.run(ending(script, check)));
  });

  // Node closes no sockets of Windows.
  testOnPosix('are not mistaken for those that have their number now', async () => {
    // Closed behind the back of the library, which is wrong: whoever has the number next must not pay for it.
    const script = `
      const sockets = [new fdloop.Socket(), new fdloop.Socket()];
      const fds = sockets.map((socket) => socket.fileno());
      process.on('warning', () => {});
      for (const fd of fds) fs.closeSync(fd);
      parentPort.postMessage(fds);
      setInterval(() => sockets, 1000);`;
    const check = `
      const others = [];
      while (message.some((fd) => !others.some((socket) => socket.fileno() === fd))) {
        others.push(new fdloop.Socket());
        assert(others.length < 1000);
      }
      await worker.terminate();
      assert(others.every((socket) => isOpen(socket.fileno())));
      for (const socket of others) socket.close();`;
    const { status, stdout } = await library.run(ending(script, check));
    expect([status, stdout]).toEqual([0, 'ok\n']);
  });
});
