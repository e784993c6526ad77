'use strict';
// test-wine.js: fdloop on Windows, as far as wine can be one: the native tests, and jest inside Windows' node with the
// addon that mingw has built. `npm run test:wine`; with arguments, only jest with these: `npm run test:wine -- test/loop`.
// Ends with a line "N passed, N failed".

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const wine = require('./wine');

const root = path.join(__dirname, '..');
const build = path.join(root, 'build-windows');
/** What has a meaning on Windows, or skips what has none. */
const SUITES = ['base', 'futures', 'selectors', 'sockets', 'loop', 'transports', 'network', 'native', 'conformance'];
const total = { passed: 0, failed: 0 };

/** Adds up the last "N passed, N failed" of what a step has printed. A step without one has failed. */
function count(name, { status, output }) {
  process.stdout.write(output);
  const [, passed, failed] = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1) ?? [null, 0, 1];
  total.passed += Number(passed);
  total.failed += Number(failed) || (status === 0 ? 0 : 1);
  console.log(`== ${name}: ${passed} passed, ${failed} failed`);
}

function testNative() {
  const { status, stdout } = spawnSync(process.execPath, [path.join(__dirname, 'test-native.js'), '--windows'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  count('native', { status, output: stdout });
}

/** The usual configuration, without what wine lacks, and with a cache that Linux' jest does not share. */
function jestConfig() {
  const file = path.join(build, 'jest.config.js');
  const usual = JSON.stringify(wine.windowsPath(path.join(root, 'jest.config.js')));
  const changes = {
    rootDir: wine.windowsPath(root),
    watchman: false,
    haste: { forceNodeFilesystemAPI: true },
    cacheDirectory: wine.windowsPath(path.join(wine.cache, 'jest-cache')),
    // Windows' processes take their time under wine.
    testTimeout: 60_000,
  };
  fs.writeFileSync(file, `module.exports = { ...require(${usual}), ...${JSON.stringify(changes)} };\n`);
  return wine.windowsPath(file);
}

function testNode(major, suites) {
  const jest = wine.windowsPath(path.join(root, 'node_modules', 'jest', 'bin', 'jest.js'));
  const addon = wine.windowsPath(path.join(build, 'addon.node'));
  const { status, stdout, stderr } = wine.runNode(major, [jest, '--config', jestConfig(), '--runInBand', ...suites], {
    cwd: root,
    env: { FDLOOP_ADDON: addon, npm_lifecycle_event: '' },
    timeout: 900_000,
  });
  count(`node ${major}`, { status, output: `${stderr}${stdout}` });
}

/** The same addon in a program that is not called node.exe, as Electron's is not. */
function testRenamed(major) {
  const program = `require('node:assert').ok(require(${JSON.stringify(wine.windowsPath(path.join(build, 'addon.node')))}).socket)`;
  const { status, stdout, stderr } = wine.runNode(major, ['-e', program], { cwd: root, program: 'fdloop-host.exe' });
  count('renamed', {
    status,
    output: `${stdout}${stderr}${status === 0 ? '1 passed, 0 failed' : '0 passed, 1 failed'}\n`,
  });
}

try {
  wine.setUp();
  const stop = wine.keepRunning();
  try {
    const chosen = process.argv.slice(2);
    if (chosen.length === 0) testNative();
    const suites = chosen.length > 0 ? chosen : SUITES.map((name) => `test/${name}/`);
    testNode(20, suites);
    if (chosen.length === 0) {
      // The same addon in another Node: whether it loads, and whether a loop runs.
      testNode(22, ['test/loop/loop-contract', 'test/sockets/stream', 'test/transports/closing']);
      testRenamed(20);
    }
  } finally {
    stop();
  }
} catch (error) {
  if (!(error instanceof wine.SetUpError)) throw error;
  console.log(error.message);
  total.failed += 1;
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
