'use strict';
// boot.js: what Electron does before an application's own code, as far as it concerns an addon: says what kind of
// process this is, and has Node's timers, immediates and ticks wake the thread that waits for libuv, which would
// not notice them when they are made in a task of the main thread. Then comes the main script.

const { createRequire } = require('node:module');
const path = require('node:path');
const timers = require('node:timers');

const { embedder } = globalThis;

Object.defineProperty(process.versions, 'electron', { value: '0.0.0', enumerable: true });
Object.defineProperty(process, 'type', { value: process.env.FDLOOP_EMBEDDER_TYPE ?? 'browser', enumerable: true });

function activating(original) {
  const wrapped = function (...args) {
    embedder.activate();
    return Reflect.apply(original, this, args);
  };
  // util.promisify finds its symbols.
  for (const key of Reflect.ownKeys(original)) {
    if (typeof key === 'symbol') Object.defineProperty(wrapped, key, Object.getOwnPropertyDescriptor(original, key));
  }
  return wrapped;
}

for (const name of ['setImmediate', 'setTimeout', 'setInterval']) {
  timers[name] = activating(timers[name]);
  globalThis[name] = timers[name];
}
process.nextTick = activating(process.nextTick);

const script = path.resolve(process.argv[1]);
process.argv[1] = script;
createRequire(script)(script);
