'use strict';
// prebuilds.js: `npm run prebuilds`: compiles the addons that the package brings along into prebuilds/, as far as this
// machine can. prebuildify strips them and puts them where the loader looks; compile-prebuild.js compiles.
//
//   npm run prebuilds                     whatever can be built with what is installed here
//   npm run prebuilds -- linux-x64-glibc  these, or fail
//   npm run prebuilds -- host              this system's
//   npm run prebuilds -- --all            every one has to be in prebuilds/ in the end

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');

const prebuildify = promisify(require('prebuildify'));

const { hasZig, zig } = require('./kit');
const { hostName, isBuilt, root, targets } = require('./targets');

const stage = path.join(root, 'build-prebuilds');
const headersForOtherSystems = 'node-api-headers';

function isThere(command) {
  return spawnSync(command, ['--version']).status === 0;
}

function isZig({ name, cross }) {
  return name !== hostName() && cross?.zig !== undefined;
}

/** What is missing to build it here, or nothing. What was asked for by name is worth an installation of Zig. */
function obstacle(target, isAskedFor) {
  if (target.name === hostName()) return '';
  if (target.cross === undefined) return 'is built on such a system only';
  const { compiler, package: name } = target.cross;
  if (!isThere('cmake')) return 'needs cmake';
  if (isZig(target)) {
    if (!isAskedFor && !hasZig()) return `needs Zig, which \`npm run prebuilds -- ${target.name}\` installs`;
  } else if (!isThere(compiler)) return `needs ${compiler} (Debian: apt-get install ${name})`;
  return fs.existsSync(path.join(root, 'node_modules', headersForOtherSystems)) ? '' : 'needs `npm ci`';
}

async function build(target) {
  const folder = path.join(stage, target.name);
  fs.mkdirSync(folder, { recursive: true });
  process.env.FDLOOP_PREBUILD = target.name;
  if (isZig(target)) process.env.FDLOOP_ZIG = zig();
  await prebuildify({
    name: 'addon',
    napi: true,
    platform: target.platform,
    arch: target.arch,
    tagLibc: target.libc,
    // Zig has none, and need not: it links without names.
    strip: !isZig(target),
    stripBin: target.name === hostName() ? 'strip' : target.cross.strip,
    cwd: folder,
    out: root,
    // A command line, hence the shell.
    nodeGyp: `"${process.execPath}" "${path.join(__dirname, 'compile-prebuild.js')}"`,
    shell: true,
  });
}

const args = process.argv.slice(2);
const all = args.includes('--all');
const names = args.filter((arg) => arg !== '--all').map((name) => (name === 'host' ? hostName() : name));
const unknown = names.filter((name) => !targets.some((target) => target.name === name));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are ${targets.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

async function main() {
  let failed = 0;
  for (const target of targets) {
    if (names.length > 0 && !names.includes(target.name)) continue;
    let state = obstacle(target, names.includes(target.name));
    let isFailure = state !== '' && names.length > 0;
    if (state === '') {
      try {
        await build(target);
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
}

void main();
