'use strict';
// Runs the tests of KqueueSelector, of the loop, of transports and of the network on kqueue. On Linux that takes an addon with
// kqueue's leaf on a kernel that is played (native/test/kqueue), which is built first. Left out are files about epoll by
// name, and those that wait for priority events, which kqueue does not have.

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const root = path.join(__dirname, '..');
const folder = path.join(root, 'build-native');
const TESTS = ['test/selectors/kqueue-selector', 'test/loop', 'test/transports', 'test/network'];
const ABOUT_EPOLL = 'test/loop/(base-event-loop|ref|states)\\.test\\.ts';

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error?.code === 'ENOENT') {
    console.log(`${command} is not installed (Debian: apt-get install cmake g++ make).`);
    console.log('0 passed, 1 failed');
  }
  if (status !== 0) process.exit(status ?? 1);
}

let addon = path.join(root, 'build', 'Release', 'addon.node');
if (process.platform === 'linux') {
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
  run('cmake', ['-S', root, '-B', folder, '-DFDLOOP_TESTS=ON'], quiet);
  run('cmake', ['--build', folder, '--target', 'scripted_addon'], quiet);
  addon = path.join(folder, 'scripted_addon.node');
}
const ignored = ['--testPathIgnorePatterns', ABOUT_EPOLL, 'test/real/'];
run(process.execPath, ['node_modules/jest/bin/jest.js', ...TESTS, ...ignored], {
  env: { ...process.env, FDLOOP_ADDON: addon },
});
