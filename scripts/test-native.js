'use strict';
// Builds the native core and its tests with CMake, runs them, and counts their cases. `--sanitize` does so
// under AddressSanitizer and UndefinedBehaviorSanitizer, `--windows` for Windows and under wine (which test-wine.js has
// set up); each in a folder of its own.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const sanitize = process.argv.includes('--sanitize');
const windows = process.argv.includes('--windows');
const folder = path.join(root, windows ? 'build-windows' : sanitize ? 'build-sanitize' : 'build-native');
const environment = windows ? require('./wine').environment : process.env;
/** Else the report holds the first 1024 bytes of what a program prints. */
const WHOLE_OUTPUT = ['--test-output-size-passed', '1000000', '--test-output-size-failed', '1000000'];

function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, env: environment, encoding: 'utf8', maxBuffer: 64 << 20, ...options });
}

function runOrFail(command, args) {
  const { status, error, stdout, stderr } = run(command, args);
  if (status === 0) return;
  process.stdout.write(`${stdout ?? ''}${stderr ?? ''}`);
  if (error?.code === 'ENOENT') console.log(`${command} is not installed (Debian: apt-get install cmake ninja-build).`);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

function configure() {
  const generator = run('ninja', ['--version']).status === 0 ? ['-G', 'Ninja'] : [];
  // A folder that was configured keeps its generator; asking for another one is an error.
  const again = fs.existsSync(path.join(folder, 'CMakeCache.txt'));
  const options = ['-DFDLOOP_TESTS=ON', `-DFDLOOP_SANITIZE=${sanitize ? 'ON' : 'OFF'}`];
  if (windows) {
    const toolchain = path.join(root, 'cmake', 'mingw64.cmake');
    options.push(`-DCMAKE_TOOLCHAIN_FILE=${toolchain}`, `-DCMAKE_CROSSCOMPILING_EMULATOR=${require('./wine').wine}`);
  }
  runOrFail('cmake', ['-S', root, '-B', folder, ...(again ? [] : generator), ...options]);
}

/** Counts the cases that each program printed; one that ended otherwise than by them counts as a failure. */
function count(junit) {
  let passed = 0;
  let failed = 0;
  for (const [, attributes, body] of junit.matchAll(/<testcase ([^>]*)>([\s\S]*?)<\/testcase>/g)) {
    const good = body.match(/^(.*<system-out>)?ok - /gm)?.length ?? 0;
    const bad = body.match(/^(.*<system-out>)?not ok - /gm)?.length ?? 0;
    passed += good;
    failed += bad;
    const isRun = /status="run"/.test(attributes);
    if ((!isRun && bad === 0) || good + bad === 0) failed++;
  }
  return { passed, failed };
}

configure();
runOrFail('cmake', ['--build', folder]);

const report = path.join(folder, 'results.xml');
fs.rmSync(report, { force: true });
run('ctest', ['--output-on-failure', '--timeout', '120', ...WHOLE_OUTPUT, '--output-junit', report], {
  cwd: folder,
  stdio: 'inherit',
});
const { passed, failed } = fs.existsSync(report) ? count(fs.readFileSync(report, 'utf8')) : { passed: 0, failed: 1 };
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
