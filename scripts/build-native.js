'use strict';
// Builds build/Release/addon.node with node-gyp, and does nothing when no source is newer than the addon.
// Uses the headers that were installed with this Node where there are any, so that nothing is downloaded.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const addon = path.join(root, 'build', 'Release', 'addon.node');
const descriptions = ['binding.gyp', path.join('native', 'sources.gypi')].map((name) => path.join(root, name));

function modifiedAt(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
}

/** Everything below native/ that the addon is made of, which is all but the tests. */
function* sources(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== 'test') yield* sources(full);
    else if (/\.(cc|h)$/.test(entry.name)) yield full;
  }
}

function isUpToDate() {
  const built = modifiedAt(addon);
  return [...descriptions, ...sources(path.join(root, 'native'))].every((file) => modifiedAt(file) <= built);
}

function needsConfigure() {
  const configured = Math.min(...['Makefile', 'config.gypi'].map((name) => modifiedAt(path.join(root, 'build', name))));
  // A configuration for Windows or macOS has no Makefile of ours to compare; configuring again costs a second.
  return descriptions.some((file) => modifiedAt(file) > configured);
}

function headerArguments() {
  const prefix = path.resolve(path.dirname(fs.realpathSync(process.execPath)), '..');
  const hasHeaders = fs.existsSync(path.join(prefix, 'include', 'node', 'node_api.h'));
  return hasHeaders && !process.env.npm_config_nodedir ? [`--nodedir=${prefix}`] : [];
}

function nodeGyp() {
  try {
    return require.resolve('node-gyp/bin/node-gyp.js', { paths: [root] });
  } catch {
    fail('node-gyp is not installed. Run `npm ci` first.');
  }
}

function fail(advice) {
  process.stderr.write(`fdloop: the native addon could not be built. ${advice}\n`);
  process.exit(1);
}

function run(gyp, ...args) {
  const result = spawnSync(process.execPath, [gyp, ...args, '--loglevel=error', ...headerArguments()], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`;
  if (result.status === 0) {
    const warnings = output.split('\n').filter((line) => /warning:/.test(line));
    if (warnings.length > 0) process.stderr.write(`${warnings.join('\n')}\n`);
    return;
  }
  process.stderr.write(output);
  if (/python/i.test(output) && /not found|could not find|find python/i.test(output)) {
    fail('node-gyp needs Python 3: install it and run `npm run build:native` again.');
  }
  if (/: error:|error C\d+/.test(output)) fail('Mend the first error above and run `npm run build:native` again.');
  if (/node_api\.h|common\.gypi|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|getaddrinfo|network/i.test(output)) {
    fail("Node's headers are missing and could not be downloaded: set npm_config_nodedir to a folder with include/node.");
  }
  fail('Install a C++17 compiler and make (Debian: apt-get install build-essential), then run `npm run build:native` again.');
}

if (!isUpToDate()) {
  const gyp = nodeGyp();
  if (needsConfigure()) run(gyp, 'configure');
  run(gyp, 'build', '-j', 'max');
  // A build that found its output current leaves an old time on it, and the next call would come here again.
  const now = new Date();
  fs.utimesSync(addon, now, now);
  process.stdout.write(`fdloop: built ${path.relative(root, addon)}\n`);
}
