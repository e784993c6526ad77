'use strict';
// watch-stdin.js: the three lines. Counts what comes in on the standard input, whatever it is (a terminal, a pipe, a
// socket), while Node goes on:  (echo one; sleep 1; echo two) | node examples/watch-stdin.js

const { readSync } = require('node:fs');
const { watch } = require('..');

const buffer = Buffer.alloc(4096);
let bytes = 0;

try {
  watch(0, 'r', (_ready, watcher) => {
    const count = readSync(0, buffer);
    bytes += count;
    console.log(count === 0 ? `the end, after ${bytes} bytes` : `${count} bytes, ${bytes} in all`);
    if (count === 0) watcher.close();
  });
} catch (error) {
  // node examples/watch-stdin.js < README.md
  console.log(`${error.name}: ${error.message}`);
}

setInterval(() => console.log('a timer of Node'), 500).unref();
