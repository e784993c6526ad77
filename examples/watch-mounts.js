'use strict';
// watch-mounts.js: a priority event. Says what was mounted and unmounted, until Ctrl-C or for as many seconds as
// WATCH_SECONDS says. Linux only. Try:  mkdir -p /tmp/here && sudo mount -t tmpfs none /tmp/here && sudo umount /tmp/here

const { closeSync, openSync, readFileSync } = require('node:fs');
const { watch } = require('..');

const TABLE = '/proc/self/mountinfo';
const places = () =>
  new Set(
    readFileSync(TABLE, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[4]),
  );

async function main() {
  const seconds = process.env.WATCH_SECONDS;
  const signals = seconds === undefined ? {} : { signal: AbortSignal.timeout(seconds * 1000) };
  const fd = openSync(TABLE, 'r');
  let before = places();
  console.log(`${before.size} file systems are mounted`);
  try {
    for await (const _ready of watch(fd, 'p', signals)) {
      const now = places();
      for (const place of now) if (!before.has(place)) console.log(`mounted    ${place}`);
      for (const place of before) if (!now.has(place)) console.log(`unmounted  ${place}`);
      before = now;
    }
  } catch (error) {
    if (error.name !== 'TimeoutError') throw error;
    console.log('time is up');
  } finally {
    closeSync(fd);
  }
}

main();
