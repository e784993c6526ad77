'use strict';
// clock.js: how the programs that measure themselves do it: processor time of all threads of the process.

/** Nanoseconds for each of `count`. */
function measured(count, action) {
  const before = process.cpuUsage();
  action();
  return perOperation(count, before);
}

function perOperation(count, before) {
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / count;
}

/** Runs a case twice, half of it first for the compiler, and prints the figures of the second. */
async function report(measure, args) {
  const warm = measure(0.5, ...args);
  if (warm instanceof Promise) await warm;
  const figures = measure(1, ...args);
  console.log(JSON.stringify(figures instanceof Promise ? await figures : figures));
}

module.exports = { measured, perOperation, report };
