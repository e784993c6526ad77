'use strict';
// Runs the tests on kqueue. On Linux that takes an addon with kqueue's leaf on a kernel that is played
// (native/test/kqueue), which is built first, and the tests are told that they are on macOS (test/support/as-macos.js):
// what passes here but not there is a habit of its kernel that nobody has told yet. Other arguments are jest's.
//
//   npm run test:kqueue                       all tests
//   npm run test:kqueue -- test/network       some

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const root = path.join(__dirname, '..');
const folder = path.join(root, 'build-native');

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error?.code === 'ENOENT') {
    console.log(`${command} is not installed (Debian: apt-get install cmake g++ make).`);
    console.log('0 passed, 1 failed');
  }
  if (status !== 0) process.exit(status ?? 1);
}

let addon = path.join(root, 'build', 'Release', 'addon.node');
const played = [];
if (process.platform === 'linux') {
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
  run('cmake', ['-S', root, '-B', folder, '-DFDLOOP_TESTS=ON'], quiet);
  run('cmake', ['--build', folder, '--target', 'scripted_addon'], quiet);
  addon = path.join(folder, 'scripted_addon.node');
  played.push('--setupFiles', './test/support/as-macos.js');
}
run(process.execPath, ['node_modules/jest/bin/jest.js', ...process.argv.slice(2), ...played], {
  env: { ...process.env, FDLOOP_ADDON: addon },
});
