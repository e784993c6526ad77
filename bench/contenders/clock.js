'use strict';
// clock.js: how the programs that measure themselves do it: processor time of all threads of the process.

/** Nanoseconds for each of `count`. */
function perOperation(count, before) {
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / count;
}

/** Nanoseconds for each of `count`; as a promise if the action gives one. */
function measured(count, action) {
  const before = process.cpuUsage();
  const done = action();
  return done instanceof Promise ? done.then(() => perOperation(count, before)) : perOperation(count, before);
}

/**
 * Runs a case to its end, a generator that yields what it waits for. As long as that is no promise, all of it happens on the spot:
 * a synchronous run must not begin inside a promise job.
 */
function drive(steps, then, value) {
  const step = steps.next(value);
  if (step.done) then(step.value);
  else if (step.value instanceof Promise) step.value.then((result) => drive(steps, then, result));
  else drive(steps, then, step.value);
}

/** Runs a case twice, a part of it first for the compiler, and prints the figures of the second. */
function report(measure, args) {
  // A million of anything needs no warming.
  const warm = args[0] === '1000000' ? 0.1 : 0.5;
  drive(measure(warm, ...args), () => drive(measure(1, ...args), (figures) => console.log(JSON.stringify(figures))));
}

module.exports = { measured, perOperation, report };
