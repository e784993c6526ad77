'use strict';
// fdloop driven the way Electron drives Node, without Electron: builds test/electron/embedder.cc with the Node library of
// Debian (packages by name, unpacked into build-electron/, nothing is installed), then runs in it
//
//   test/electron/main.js    what is particular to Electron, and an end with everything open
//   examples/demo.js         the echo example
//   jest                     the tests of transports, networks, and of readers and writers
//
// Linux only. The last line is "N passed, N failed".

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const folder = path.join(root, 'build-electron');
const unpacked = path.join(folder, 'packages');
const embedder = path.join(folder, 'embedder');
const source = path.join(root, 'test', 'electron', 'embedder.cc');

const PACKAGES =
  'libnode-dev libnode108 libuv1-dev libuv1 libc-ares2 node-acorn node-cjs-module-lexer node-undici'.split(' ');
const JEST = 'test/loop/readers-writers test/loop/sock-io test/transports test/network'.split(' ');
/** Its child processes are to be Node, and process.execPath is the embedder. */
const ABOUT_PROCESSES = 'test/network/resolve\\.test';
/** Milliseconds for one program. */
const PATIENCE = 240_000;

let passed = 0;
let failed = 0;

function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
}

function fail(text) {
  console.log(`not ok - ${text}`);
  failed++;
  finish();
}

function runOrFail(command, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd: folder, ...options });
  if (status !== 0) fail(`${command} ${args[0]}: ${error?.message ?? `${stdout}${stderr}`}`);
  return stdout;
}

function unpack() {
  fs.mkdirSync(unpacked, { recursive: true });
  for (const name of PACKAGES) {
    if (fs.readdirSync(folder).some((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'))) continue;
    // The lists of packages may be missing or old.
    if (spawnSync('apt-get', ['download', name], { cwd: folder }).status !== 0) {
      spawnSync('apt-get', ['update']);
      runOrFail('apt-get', ['download', name]);
    }
    const file = fs.readdirSync(folder).find((entry) => entry.startsWith(`${name}_`) && entry.endsWith('.deb'));
    runOrFail('dpkg', ['-x', path.join(folder, file), unpacked]);
  }
}

/** The folders below lib/ with the multi-architecture name, whatever it is here. */
function libraryFolders() {
  return ['usr/lib', 'lib']
    .map((name) => path.join(unpacked, name))
    .filter((name) => fs.existsSync(name))
    .flatMap((name) => fs.readdirSync(name).map((entry) => path.join(name, entry)))
    .filter((name) => /-linux-gnu/.test(path.basename(name)));
}

function build() {
  const built = fs.statSync(embedder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (fs.statSync(source).mtimeMs <= built) return;
  const headers = ['usr/include/node', 'usr/include'].flatMap((name) => ['-isystem', path.join(unpacked, name)]);
  const libraries = libraryFolders();
  runOrFail('g++', [
    ...'-std=c++17 -O1 -Wall -Wextra'.split(' '),
    ...headers,
    source,
    '-o',
    embedder,
    ...libraries.map((name) => `-L${name}`),
    ...'-l:libnode.so.108 -l:libuv.so.1 -pthread -rdynamic'.split(' '),
    // The old kind of path, which is also that of the libraries' own libraries.
    `-Wl,--disable-new-dtags,-rpath,${libraries.join(':')}`,
  ]);
}

/** Runs a program in the embedder, shows what it prints, and counts its lines or its own count. */
function embed(title, args, env = {}) {
  console.log(`\n== ${title}`);
  const { status, signal, stdout, stderr } = spawnSync(embedder, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    timeout: PATIENCE,
    env: {
      ...process.env,
      FDLOOP_EMBEDDER_BOOT: path.join(root, 'test', 'electron', 'boot.js'),
      FDLOOP_EMBEDDER_ROOT: unpacked,
      ...env,
    },
  });
  process.stdout.write(`${stdout}${stderr}`);
  const count = /^(\d+) passed, (\d+) failed$/m.exec(`${stdout}${stderr}`);
  const good = count === null ? (stdout.match(/^ok - /gm)?.length ?? 0) : Number(count[1]);
  const bad = count === null ? (stdout.match(/^not ok - /gm)?.length ?? 0) : Number(count[2]);
  passed += good;
  failed += bad;
  if (status === 0 && bad === 0) {
    passed++;
    console.log(`ok - ${title} ends in good order`);
  } else {
    if (bad === 0) failed++;
    console.log(`not ok - ${title} ended with ${status ?? signal}`);
  }
}

if (process.platform !== 'linux' || spawnSync('apt-get', ['--version']).status !== 0) {
  fail('this needs a Linux with apt: it takes the Node library from the packages of Debian 12');
}
if (!fs.existsSync(path.join(root, 'dist', 'index.js'))) fail('dist/ is not built: npm run build');
unpack();
build();
embed('main process', ['test/electron/main.js']);
embed('echo example', ['test/electron/example.js'], { DEMO_SECONDS: '1' });
embed(
  'jest',
  [
    'node_modules/jest/bin/jest.js',
    '-i',
    '--forceExit',
    ...JEST,
    '--testPathIgnorePatterns',
    ABOUT_PROCESSES,
    'test/real/',
  ],
  { FDLOOP_EMBEDDER_TYPE: 'utility' },
);
finish();
