'use strict';
// node-loop.js: the nearest that Node has to what fdloop-loop.js measures. An empty object where it has nothing.
//
//   node node-loop.js callSoon | iteration | timers COUNT | futures | tasks | ...

const { measured, perOperation, report } = require('./clock');

const [name, ...args] = process.argv.slice(2);
const nothing = () => {};

/** Calls `step` by setImmediate, time and again, until it has run `total` times. */
function immediates(total, batch) {
  return new Promise((resolve) => {
    const before = process.cpuUsage();
    let left = total / batch;
    const round = () => {
      for (let index = 1; index < batch; index++) setImmediate(nothing);
      left -= 1;
      if (left > 0) setImmediate(round);
      else resolve(perOperation(total, before));
    };
    round();
  });
}

const cases = {
  *callSoon(scale) {
    return { 'callSoon, batches of 1,000': yield immediates(1_000_000 * scale, 1000) };
  },

  *iteration(scale) {
    return { 'one handle in each iteration': yield immediates(100_000 * scale, 1) };
  },

  *timers(scale, count) {
    const total = Number(count) * scale;
    const title = `${Number(count).toLocaleString('en')} timers`;
    const handles = new Array(total);
    const figures = {};
    let before = process.cpuUsage();
    for (let index = 0; index < total; index++) handles[index] = setTimeout(nothing, 1e6 + Math.random() * 1e6);
    figures[`${title}: schedule`] = perOperation(total, before);
    before = process.cpuUsage();
    for (const handle of handles) clearTimeout(handle);
    yield new Promise(setImmediate);
    figures[`${title}: cancel`] = perOperation(total, before);
    for (let index = 0; index < total; index++) setTimeout(nothing, 1 + Math.random() * 10);
    const due = Date.now() + 20;
    while (Date.now() < due);
    before = process.cpuUsage();
    yield new Promise((resolve) => setTimeout(resolve, 12));
    figures[`${title}: fire`] = perOperation(total, before);
    return figures;
  },

  *futures(scale) {
    const total = 100_000 * scale;
    const wait = async () => {
      for (let index = 0; index < total; index++) await new Promise((resolve) => setImmediate(resolve));
    };
    return { 'await a future, async function': yield measured(total, wait) };
  },
};

function* none() {
  return {};
}

report(cases[name] ?? none, args);
