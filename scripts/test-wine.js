'use strict';
// test-wine.js: fdloop on Windows, as far as wine can be one: the native tests, and jest inside Windows' node with the
// addon that mingw has built.
//
//   npm run test:wine               everything, in each of the Nodes of wine.js
//   npm run test:wine -- --quick    the native tests and a few files: what CI runs
//   npm run test:wine -- test/loop  only jest, in Node 20, with these
//
// Ends with a line "N passed, N failed, N skipped".

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const wine = require('./wine');

const root = path.join(__dirname, '..');
const build = path.join(root, 'build-windows');
/** What has a meaning on Windows, or skips what has none. */
const SUITES = [
  'base',
  'futures',
  'native',
  'selectors',
  'sockets',
  'loop',
  'transports',
  'network',
  'tls',
  'streams',
  'sync',
  'interop',
  'process',
  'processes',
  'runner.test.ts',
  'conformance',
].map((name) => `test/${name}`);
/** A file of each rung that is another one on Windows. */
const QUICK = ['selectors/iocp-selector', 'sockets/stream', 'loop/loop-contract', 'network/tcp'].map(
  (name) => `test/${name}.test.ts`,
);
/** Milliseconds for one file of tests. */
const FILE_TIMEOUT = 480_000;
const total = { passed: 0, failed: 0, skipped: 0 };

/** Adds up the last "N passed, N failed, N skipped" of what a step has printed. A step without one has failed. */
function count(name, { status, output }) {
  process.stdout.write(output);
  const found = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?/gm)].at(-1);
  const [, passed, failed, skipped = 0] = found ?? [null, 0, 1];
  total.passed += Number(passed);
  total.failed += Number(failed) || (status === 0 ? 0 : 1);
  total.skipped += Number(skipped);
  console.log(`== ${name}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
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
    testTimeout: 120_000,
  };
  fs.writeFileSync(file, `module.exports = { ...require(${usual}), ...${JSON.stringify(changes)} };\n`);
  return wine.windowsPath(file);
}

/** The test files below, or at, some paths of the project. */
function testFiles(places) {
  return places.flatMap((place) => {
    const full = path.join(root, place);
    if (!fs.statSync(full).isDirectory()) return [place];
    const below = fs.readdirSync(full, { withFileTypes: true }).map((entry) => path.join(place, entry.name));
    return testFiles(
      below.filter((name) => name.endsWith('.test.ts') || fs.statSync(path.join(root, name)).isDirectory()),
    );
  });
}

/** Each file in a process of its own, so that one that hangs does not take the others with it. */
async function testNode(major, places) {
  const jest = wine.windowsPath(path.join(root, 'node_modules', 'jest', 'bin', 'jest.js'));
  const addon = wine.windowsPath(path.join(build, 'addon.node'));
  const config = jestConfig();
  const files = testFiles(places);
  const work = async () => {
    for (let file = files.shift(); file !== undefined; file = files.shift()) {
      const { status, stdout, stderr } = await wine.runNode(major, [jest, '--config', config, '--runInBand', file], {
        cwd: root,
        env: { FDLOOP_ADDON: addon, npm_lifecycle_event: '' },
        timeout: FILE_TIMEOUT,
      });
      count(`node ${major}, ${file}`, { status, output: `${stderr}${stdout}` });
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, work));
}

/** The same addon in a program that is not called node.exe, as Electron's is not. */
async function testRenamed(major) {
  const program = `require('node:assert').ok(require(${JSON.stringify(wine.windowsPath(path.join(build, 'addon.node')))}).socket)`;
  const { status, stdout, stderr } = await wine.runNode(major, ['-e', program], {
    cwd: root,
    program: 'fdloop-host.exe',
  });
  count('renamed', {
    status,
    output: `${stdout}${stderr}${status === 0 ? '1 passed, 0 failed' : '0 passed, 1 failed'}\n`,
  });
}

async function main(chosen) {
  wine.setUp();
  const stop = wine.start();
  try {
    const isQuick = chosen[0] === '--quick';
    if (chosen.length > 0 && !isQuick) return void (await testNode(20, chosen));
    testNative();
    await testNode(20, isQuick ? QUICK : SUITES);
    // The same addon in another Node.
    await testNode(22, isQuick ? QUICK.slice(-1) : SUITES);
    await testRenamed(20);
  } finally {
    stop();
  }
}

main(process.argv.slice(2))
  .catch((error) => {
    if (!(error instanceof wine.SetUpError)) throw error;
    console.log(error.message);
    total.failed += 1;
  })
  .then(() => {
    console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
    process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
  });
