'use strict';
// prebuilds.js: `npm run prebuilds`: compiles the addons that the package brings along into prebuilds/, as far as this
// machine can: its own system by node-gyp, as `build-native.js` does it for users, others by CMake and a cross compiler.
//
//   npm run prebuilds                     whatever can be built here
//   npm run prebuilds -- linux-x64-glibc  these, or fail
//   npm run prebuilds -- host              this system's
//   npm run prebuilds -- --all            every one has to be in prebuilds/ in the end

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { hostName, isBuilt, root, targets } = require('./targets');

const stage = path.join(root, 'build-prebuilds');
const headersForOtherSystems = 'node-api-headers';
/** Small rather than fast: the time goes by in the kernel. */
const releaseFlags =
  '-Os -DNDEBUG -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables';

function run(command, args, cwd = root, env = process.env) {
  const options = { cwd, env, encoding: 'utf8', maxBuffer: 64 << 20 };
  const { status, error, stdout, stderr } = spawnSync(command, args, options);
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')}\n${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`);
}

function isThere(command) {
  return spawnSync(command, ['--version']).status === 0;
}

/** The sources in a folder of their own, so that the developer's build stays as it is. @returns the addon */
function buildForHost(folder) {
  for (const entry of ['binding.gyp', 'native', path.join('scripts', 'build-native.js')]) {
    fs.cpSync(path.join(root, entry), path.join(folder, entry), { recursive: true, preserveTimestamps: true });
  }
  const env = { ...process.env, CXXFLAGS: `${process.env.CXXFLAGS ?? ''} -Os` };
  run(process.execPath, [path.join(folder, 'scripts', 'build-native.js')], folder, env);
  return path.join(folder, 'build', 'Release', 'addon.node');
}

/** @returns the addon */
function buildForOther(folder, { toolchain }) {
  const ninja = isThere('ninja') ? ['-G', 'Ninja'] : [];
  const options = [
    `-DCMAKE_TOOLCHAIN_FILE=${path.join(root, toolchain)}`,
    '-DCMAKE_BUILD_TYPE=Release',
    // Of libraries that are linked statically only what is used.
    `-DCMAKE_CXX_FLAGS_RELEASE=${releaseFlags}`,
    '-DCMAKE_MODULE_LINKER_FLAGS=-Wl,--gc-sections',
  ];
  run('cmake', ['-S', root, '-B', folder, ...ninja, ...options]);
  run('cmake', ['--build', folder, '--target', 'addon']);
  return path.join(folder, 'addon.node');
}

function strip(file, { cross }) {
  if (cross !== undefined) run(cross.strip, [file]);
  else if (process.platform === 'darwin') run('strip', ['-x', file]);
  else if (process.platform !== 'win32') run('strip', [file]);
}

/** What is missing to build it here, or nothing. */
function obstacle(target) {
  if (target.name === hostName()) return '';
  if (target.cross === undefined) return 'is built on such a system only';
  const { compiler, package: name } = target.cross;
  if (!isThere('cmake')) return 'needs cmake';
  if (!isThere(compiler)) return `needs ${compiler} (Debian: apt-get install ${name})`;
  return fs.existsSync(path.join(root, 'node_modules', headersForOtherSystems)) ? '' : 'needs `npm ci`';
}

function build(target) {
  const folder = path.join(stage, target.name);
  const isHost = target.name === hostName();
  const built = isHost ? buildForHost(folder) : buildForOther(folder, target.cross);
  const file = path.join(root, target.file);
  // Whoever has the old one mapped keeps it.
  const fresh = `${file}.new`;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.copyFileSync(built, fresh);
  strip(fresh, isHost ? {} : target);
  fs.renameSync(fresh, file);
}

const args = process.argv.slice(2);
const all = args.includes('--all');
const names = args.filter((arg) => arg !== '--all').map((name) => (name === 'host' ? hostName() : name));
const unknown = names.filter((name) => !targets.some((target) => target.name === name));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are ${targets.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

let failed = 0;
for (const target of targets) {
  if (names.length > 0 && !names.includes(target.name)) continue;
  let state = obstacle(target);
  let isFailure = state !== '' && names.length > 0;
  if (state === '') {
    try {
      build(target);
      state = `built, ${Math.round(fs.statSync(path.join(root, target.file)).size / 1024)} kB`;
    } catch (error) {
      isFailure = true;
      state = `failed: ${error.message}`;
    }
  } else if (isBuilt(target)) state = 'is there, not built here';
  if (isFailure || (all && !isBuilt(target))) failed += 1;
  console.log(`${target.name.padEnd(18)} ${state}`);
}
process.exitCode = failed > 0 ? 1 : 0;
