'use strict';
// setup.js: `npm run bench:setup`: installs the contenders that npm has, as pinned in bench/package.json, and names the packages of the
// system for the others. Whatever is missing afterwards is left out of the benchmark, by name.

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const { build } = require('./harness/make');
const { contender, installed, names } = require('./harness/contenders');
const { root } = require('./harness/machine');

const npm = (...args) => spawnSync('npm', args, { cwd: __dirname, stdio: 'inherit' }).status === 0;

if (!npm('ci', '--ignore-scripts', '--no-audit', '--no-fund')) process.exitCode = 1;
// The only one that has to be compiled: the others bring binaries.
const gyp = path.join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
const compiled = spawnSync(process.execPath, [gyp, 'rebuild'], { cwd: installed('epoll'), stdio: 'ignore' });
if (compiled.status !== 0) console.log('epoll could not be compiled: it will be left out');

build();
console.log('\nContenders:');
for (const name of names) {
  const { version, why } = contender(name);
  console.log(`  ${name.padEnd(24)} ${version ?? `missing: ${why}`}`);
}
console.log('\nOn Debian: apt-get install gcc libssl-dev libuv1-dev golang-go python3-uvloop python3 openssl');
