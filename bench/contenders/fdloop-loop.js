'use strict';
// fdloop-loop.js: the loop by itself, hosted or in a synchronous run. Prints nanoseconds of processor time, { cell: nanoseconds }.
//
//   node fdloop-loop.js run|runSync callSoon | iteration | timers COUNT | futures | tasks | readers | ready WATCHED READY

const fdloop = require(process.env.FDLOOP_PACKAGE ?? '../..');
const { measured, report } = require('./clock');

const [runner, name, ...args] = process.argv.slice(2);
const loop = fdloop.newEventLoop();
const nothing = () => {};

const forever = runner === 'run' ? () => loop.runForever() : () => loop.runForeverSync();
const untilComplete =
  runner === 'run' ? (main) => loop.runUntilComplete(main) : (main) => loop.runUntilCompleteSync(main);

const cases = {
  *callSoon(scale) {
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
    return { 'callSoon, batches of 1,000': yield measured(total, forever) };
  },

  *iteration(scale) {
    const total = 100_000 * scale;
    let left = total;
    const step = () => {
      left -= 1;
      if (left > 0) loop.callSoon(step);
      else loop.stop();
    };
    loop.callSoon(step);
    return { 'one handle in each iteration': yield measured(total, forever) };
  },

  *timers(scale, count) {
    const total = Number(count) * scale;
    const handles = new Array(total);
    const title = `${Number(count).toLocaleString('en')} timers`;
    const figures = {};
    figures[`${title}: schedule`] = yield measured(total, () => {
      for (let index = 0; index < total; index++) handles[index] = loop.callLater(1000 + Math.random() * 1000, nothing);
    });
    // With the iteration that clears them away.
    figures[`${title}: cancel`] = yield measured(total, () => {
      for (const handle of handles) handle.cancel();
      loop.callSoon(() => loop.stop());
      return forever();
    });
    const start = loop.time();
    for (let index = 0; index < total; index++) loop.callAt(start + Math.random() * 0.01, nothing);
    loop.callAt(start + 0.011, () => loop.stop());
    while (loop.time() < start + 0.02);
    figures[`${title}: fire`] = yield measured(total, forever);
    return figures;
  },

  *futures(scale) {
    const total = 100_000 * scale;
    const asynchronous = async () => {
      for (let index = 0; index < total; index++) {
        const future = loop.createFuture();
        loop.callSoon(() => future.setResult());
        await future;
      }
    };
    const generator = function* () {
      for (let index = 0; index < total; index++) {
        const future = loop.createFuture();
        loop.callSoon(() => future.setResult());
        yield* future;
      }
    };
    return {
      'await a future, async function': yield measured(total, () => untilComplete(asynchronous)),
      'await a future, generator': yield measured(total, () => untilComplete(generator)),
    };
  },

  *tasks(scale) {
    const total = 50_000 * scale;
    const work = async () => {};
    const generatorWork = function* () {};
    const asynchronous = async () => {
      for (let index = 0; index < total; index++) await loop.createTask(work);
    };
    const generator = function* () {
      for (let index = 0; index < total; index++) yield* loop.createTask(generatorWork);
    };
    const sleeper = async () => {
      for (let index = 0; index < total; index++) await fdloop.sleep(0);
    };
    return {
      'create and await a task, async function': yield measured(total, () => untilComplete(asynchronous)),
      'create and await a task, generator': yield measured(total, () => untilComplete(generator)),
      'sleep(0), async function': yield measured(total, () => untilComplete(sleeper)),
    };
  },

  *readers(scale) {
    const total = 50_000 * scale;
    const [one, other] = fdloop.socketpair();
    const fd = one.fileno();
    const figure = yield measured(total, () => {
      for (let index = 0; index < total; index++) {
        loop.addReader(fd, nothing);
        loop.removeReader(fd);
      }
    });
    one.close();
    other.close();
    return { 'addReader and removeReader': figure };
  },

  *ready(scale, watched, ready) {
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
    const figure = yield measured(total, forever);
    for (let index = 0; index < Number(watched); index++) loop.removeReader(sockets[index].fileno());
    for (const socket of sockets) socket.close();
    return { [`an event, ${ready} of ${Number(watched).toLocaleString('en')} descriptors ready`]: figure };
  },
};

report(cases[name], args);
