'use strict';
// make.js: makes what the benchmark runs, in bench/build/: fdloop from the sources of now (a copy, so that a build meanwhile does not
// change what is measured), the load generator, the contenders in C and Go, a certificate, a file to send. What a missing
// compiler or library keeps from being built is told by name, and its contender is left out.

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { root } = require('./machine');

const bench = path.join(root, 'bench');
const folder = path.join(bench, 'build');

const built = (name) => path.join(folder, name);
const source = (name) => path.join(bench, name);

function newest(file) {
  const status = fs.statSync(file);
  if (!status.isDirectory()) return status.mtimeMs;
  return Math.max(0, ...fs.readdirSync(file).map((entry) => newest(path.join(file, entry))));
}

function isFresh(target, sources) {
  return fs.existsSync(target) && sources.every((file) => newest(file) <= fs.statSync(target).mtimeMs);
}

/** Why the names that could not be built are missing. */
const missing = new Map();

function make(name, sources, commands) {
  const target = built(name);
  if (isFresh(target, sources)) return;
  fs.rmSync(target, { recursive: true, force: true });
  for (const [command, ...args] of commands) {
    const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', timeout: 120_000 });
    if (result.status !== 0) {
      const said = result.error?.message ?? result.stderr.split('\n').find((line) => /error|fatal/.test(line)) ?? '';
      fs.rmSync(target, { recursive: true, force: true });
      missing.set(name, said.replaceAll(`${root}/`, '').trim());
      return;
    }
  }
}

function compileC(name, file, libraries) {
  make(name, [source(file)], [['cc', '-O2', '-Wall', '-Wextra', '-o', built(name), source(file), ...libraries]]);
}

function hasHeader(name) {
  const result = spawnSync('cc', ['-E', '-xc', '-'], {
    input: `#include <${name}>\n`,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  return result.status === 0;
}

/** The library as JavaScript. Errors of types do not matter here: `npm run typecheck` has its own opinion. */
function compileLibrary() {
  const target = built('fdloop');
  const marker = path.join(target, 'index.js');
  const config = path.join(root, 'tsconfig.build.json');
  if (isFresh(marker, [path.join(root, 'lib'), config])) return;
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = ['--outDir', target, '--declaration', 'false', '--sourceMap', 'false'];
  const result = spawnSync(process.execPath, [tsc, '-p', config, ...options], { cwd: root, encoding: 'utf8' });
  if (!fs.existsSync(marker)) throw new Error(`lib/ could not be compiled: ${result.stdout}${result.stderr}`);
  fs.utimesSync(marker, new Date(), new Date());
}

function copyAddon() {
  const parts = ['base', 'selector', 'socket', 'bridge'].map((name) => path.join(root, 'native', name));
  const addon = process.env.FDLOOP_ADDON || path.join(root, 'build', 'Release', 'addon.node');
  if (!fs.existsSync(addon)) execFileSync('npm', ['run', 'build:native'], { cwd: root, stdio: 'inherit' });
  if (!process.env.FDLOOP_ADDON && Math.max(...parts.map(newest)) > fs.statSync(addon).mtimeMs) {
    console.log('native/ has files that are newer than the addon: npm run build:native?');
  }
  fs.copyFileSync(addon, `${built('addon.node')}.new`);
  fs.renameSync(`${built('addon.node')}.new`, built('addon.node'));
}

function build() {
  fs.mkdirSync(folder, { recursive: true });
  compileLibrary();
  copyAddon();
  const tls = hasHeader('openssl/ssl.h') ? ['-lssl', '-lcrypto'] : [];
  compileC('launch', 'native/launch.c', []);
  compileC('load', 'native/load.c', tls);
  compileC('epoll', 'contenders/epoll.c', tls);
  compileC('libuv', 'contenders/libuv.c', ['-luv']);
  make('go', [source('contenders/server.go')], [['go', 'build', '-o', built('go'), source('contenders/server.go')]]);
  const certificate = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '3650',
    '-subj',
    '/CN=bench',
  ];
  const files = ['-keyout', built('key.pem'), '-out', built('cert.pem')];
  make('cert.pem', [], [['openssl', 'req', '-x509', ...certificate, ...files]]);
  for (const name of ['launch', 'load']) if (missing.has(name)) throw new Error(`${name}: ${missing.get(name)}`);
  return missing;
}

module.exports = { build, built, missing, source };
