'use strict';
// loop.js: what the loop's own verbs cost, without any socket. Nanoseconds for each, and the ratio to what Node has in its
// place, both in this run.
//
//   node bench/loop.js

const { newEventLoop, Future, sleep } = require('..');

const loop = newEventLoop();
const nothing = () => {};

function nanoseconds(count, action) {
  const start = process.hrtime.bigint();
  action();
  return Number(process.hrtime.bigint() - start) / count;
}

/** The best of three: the others met somebody else on the processor. */
async function best(measure) {
  let result = Infinity;
  for (let round = 0; round < 3; round++) result = Math.min(result, await measure());
  return result;
}

const BATCH = 1000;
const ROUNDS = 500;

function callSoon() {
  let left = ROUNDS;
  const round = () => {
    for (let index = 0; index < BATCH; index++) loop.callSoon(nothing);
    left -= 1;
    if (left > 0) loop.callSoon(round);
    else loop.stop();
  };
  loop.callSoon(round);
  return nanoseconds(ROUNDS * BATCH, () => loop.runForeverSync());
}

function immediates() {
  return new Promise((resolve) => {
    let left = ROUNDS;
    const start = process.hrtime.bigint();
    const round = () => {
      for (let index = 0; index < BATCH; index++) setImmediate(nothing);
      left -= 1;
      if (left > 0) setImmediate(round);
      else resolve(Number(process.hrtime.bigint() - start) / (ROUNDS * BATCH));
    };
    round();
  });
}

const TIMERS = 100_000;

function timers() {
  return nanoseconds(TIMERS, () => {
    const handles = Array.from({ length: TIMERS }, (_, index) => loop.callLater(1000 + index * 1e-3, nothing));
    for (const handle of handles) handle.cancel();
  });
}

function timeouts() {
  return nanoseconds(TIMERS, () => {
    const handles = Array.from({ length: TIMERS }, (_, index) => setTimeout(nothing, 1_000_000 + index));
    for (const handle of handles) clearTimeout(handle);
  });
}

const AWAITS = 100_000;

function generatorAwaits() {
  return nanoseconds(AWAITS, () =>
    loop.runUntilCompleteSync(function* () {
      for (let index = 0; index < AWAITS; index++) {
        const future = new Future(loop);
        loop.callSoon(() => future.setResult());
        yield* future;
      }
    }),
  );
}

function asyncAwaits() {
  return nanoseconds(AWAITS, () =>
    loop.runUntilCompleteSync(async () => {
      for (let index = 0; index < AWAITS; index++) {
        const future = new Future(loop);
        loop.callSoon(() => future.setResult());
        await future;
      }
    }),
  );
}

async function promises() {
  const start = process.hrtime.bigint();
  for (let index = 0; index < AWAITS; index++) await new Promise((resolve) => setImmediate(resolve));
  return Number(process.hrtime.bigint() - start) / AWAITS;
}

function gives() {
  return nanoseconds(AWAITS, () =>
    loop.runUntilCompleteSync(function* () {
      for (let index = 0; index < AWAITS; index++) yield* sleep(0);
    }),
  );
}

const rows = [
  ['callSoon, batches of 1,000', callSoon, 'setImmediate', immediates],
  ['timer, schedule and cancel', timers, 'setTimeout', timeouts],
  ['await a future, generator', generatorAwaits, 'promise of an immediate', promises],
  ['await a future, async function', asyncAwaits, 'promise of an immediate', promises],
  ['give way once, sleep(0)', gives, 'promise of an immediate', promises],
];

/** Each measurement starts from a plain callback, where a synchronous run can drain microtasks. */
const outside = (measure) =>
  new Promise((resolve, reject) =>
    setImmediate(() => {
      try {
        resolve(measure());
      } catch (error) {
        reject(error);
      }
    }),
  );

async function main() {
  for (const [name, ours, otherName, others] of rows) {
    const [mine, theirs] = [await best(() => outside(ours)), await best(() => outside(others))];
    console.log(
      `${name.padEnd(32)} ${mine.toFixed(0).padStart(6)} ns   ${otherName.padEnd(24)} ${theirs.toFixed(0).padStart(6)} ns` +
        `   ratio ${(mine / theirs).toFixed(2)}`,
    );
  }
  loop.close();
}

main();
