'use strict';
// fdloop-loop.js: the loop by itself, in a synchronous run. Prints nanoseconds of processor time, { cell: nanoseconds }. Every case
// runs half of it first, for the compiler.
//
//   node fdloop-loop.js callSoon | iteration | timers COUNT | futures | tasks | readers | ready WATCHED READY

const fdloop = require(process.env.FDLOOP_PACKAGE ?? '../..');
const { measured, report } = require('./clock');

const [name, ...args] = process.argv.slice(2);
const loop = fdloop.newEventLoop();
const nothing = () => {};

const cases = {
  callSoon(scale) {
    const batch = 1000;
    let left = 1000 * scale;
    const total = left * batch;
    const round = () => {
      for (let index = 0; index < batch; index++) loop.callSoon(nothing);
      left -= 1;
      if (left > 0) loop.callSoon(round);
      else loop.stop();
    };
    loop.callSoon(round);
    return { 'callSoon, batches of 1,000': measured(total, () => loop.runForeverSync()) };
  },

  iteration(scale) {
    const total = 100_000 * scale;
    let left = total;
    const step = () => {
      left -= 1;
      if (left > 0) loop.callSoon(step);
      else loop.stop();
    };
    loop.callSoon(step);
    return { 'one handle in each iteration': measured(total, () => loop.runForeverSync()) };
  },

  timers(scale, count) {
    const total = Number(count) * scale;
    const handles = new Array(total);
    const title = `${Number(count).toLocaleString('en')} timers`;
    const figures = {};
    figures[`${title}: schedule`] = measured(total, () => {
      for (let index = 0; index < total; index++) handles[index] = loop.callLater(1000 + Math.random() * 1000, nothing);
    });
    figures[`${title}: cancel`] = measured(total, () => {
      for (const handle of handles) handle.cancel();
      loop.callSoon(() => loop.stop());
      loop.runForeverSync();
    });
    const start = loop.time();
    for (let index = 0; index < total; index++) loop.callAt(start + Math.random() * 0.01, nothing);
    loop.callAt(start + 0.011, () => loop.stop());
    while (loop.time() < start + 0.02);
    figures[`${title}: fire`] = measured(total, () => loop.runForeverSync());
    return figures;
  },

  futures(scale) {
    const total = 100_000 * scale;
    return {
      'await a future, async function': measured(total, () =>
        loop.runUntilCompleteSync(async () => {
          for (let index = 0; index < total; index++) {
            const future = loop.createFuture();
            loop.callSoon(() => future.setResult());
            await future;
          }
        }),
      ),
      'await a future, generator': measured(total, () =>
        loop.runUntilCompleteSync(function* () {
          for (let index = 0; index < total; index++) {
            const future = loop.createFuture();
            loop.callSoon(() => future.setResult());
            yield* future;
          }
        }),
      ),
    };
  },

  tasks(scale) {
    const total = 50_000 * scale;
    async function work() {}
    function* generator() {}
    return {
      'create and await a task, async function': measured(total, () =>
        loop.runUntilCompleteSync(async () => {
          for (let index = 0; index < total; index++) await loop.createTask(work);
        }),
      ),
      'create and await a task, generator': measured(total, () =>
        loop.runUntilCompleteSync(function* () {
          for (let index = 0; index < total; index++) yield* loop.createTask(generator);
        }),
      ),
      'sleep(0), async function': measured(total, () =>
        loop.runUntilCompleteSync(async () => {
          for (let index = 0; index < total; index++) await fdloop.sleep(0);
        }),
      ),
    };
  },

  readers(scale) {
    const total = 50_000 * scale;
    const [one, other] = fdloop.socketpair();
    const fd = one.fileno();
    const figure = measured(total, () => {
      for (let index = 0; index < total; index++) {
        loop.addReader(fd, nothing);
        loop.removeReader(fd);
      }
    });
    one.close();
    other.close();
    return { 'addReader and removeReader': figure };
  },

  ready(scale, watched, ready) {
    const sockets = [];
    while (sockets.length < Number(watched)) sockets.push(...fdloop.socketpair());
    const total = 150_000 * scale;
    let left = total;
    const callback = () => {
      left -= 1;
      if (left === 0) loop.stop();
    };
    for (let index = 0; index < Number(watched); index++) loop.addReader(sockets[index].fileno(), callback);
    // Every even one hears of what its partner wrote.
    for (let index = 0; index < Number(ready); index++) sockets[2 * index + 1].send(Buffer.from('x'));
    const figure = measured(total, () => loop.runForeverSync());
    for (let index = 0; index < Number(watched); index++) loop.removeReader(sockets[index].fileno());
    for (const socket of sockets) socket.close();
    return { [`an event, ${ready} of ${Number(watched).toLocaleString('en')} descriptors ready`]: figure };
  },
};

report(cases[name], args);
loop.close();
