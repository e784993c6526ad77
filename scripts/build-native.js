'use strict';
// Builds build/Release/addon.node with node-gyp, and does nothing when no source is newer than the addon. Works in a
// clone and in an installed package alike: where no prebuilt addon fits, this is the one command to run.
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

/** What a clone has in other places, an installed package has here. */
const packed = path.join(root, 'dist', 'source');

/** In the root of the package, packagers for Electron would take binding.gyp for a wish to be compiled. */
function provideDescription() {
  const description = path.join(packed, 'binding.gyp');
  if (!fs.existsSync(descriptions[0]) && fs.existsSync(description)) fs.copyFileSync(description, descriptions[0]);
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

/** The project's own, or else the one that comes with npm. */
function nodeGyp() {
  try {
    return require.resolve('node-gyp/bin/node-gyp.js', { paths: [root] });
  } catch {
    const bin = path.dirname(process.execPath);
    const npms = [
      ...(process.env.npm_execpath ? [path.resolve(process.env.npm_execpath, '..', '..')] : []),
      path.join(bin, '..', 'lib', 'node_modules', 'npm'),
      path.join(bin, 'node_modules', 'npm'),
    ];
    const found = npms
      .map((npm) => path.join(npm, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js'))
      .find((file) => fs.existsSync(file));
    return found ?? fail('node-gyp was not found: run `npm install --no-save node-gyp@12.4.0` and try again.');
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
    // binding.gyp asks for node-addon-api.
    env: { ...process.env, NODE_PATH: [process.env.NODE_PATH, packed].filter(Boolean).join(path.delimiter) },
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`;
  if (result.status === 0) {
    const warnings = output.split('\n').filter((line) => /warning:/.test(line));
    if (warnings.length > 0) process.stderr.write(`${warnings.join('\n')}\n`);
    return;
  }
  process.stderr.write(output);
  if (/python/i.test(output) && /not found|could not find|find python/i.test(output)) {
    fail('node-gyp needs Python 3: install it and try again.');
  }
  if (/: error:|error C\d+/.test(output)) fail('Mend the first error above and try again.');
  if (/node_api\.h|common\.gypi|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|getaddrinfo|network/i.test(output)) {
    fail("Node's headers are missing and could not be downloaded: set npm_config_nodedir to a folder with include/node.");
  }
  fail('Install a C++17 compiler and make (Debian: apt-get install build-essential), then try again.');
}

provideDescription();
if (!isUpToDate()) {
  const gyp = nodeGyp();
  if (needsConfigure()) run(gyp, 'configure');
  run(gyp, 'build', '-j', 'max');
  // A build that found its output current leaves an old time on it, and the next call would come here again.
  const now = new Date();
  fs.utimesSync(addon, now, now);
  process.stdout.write(`fdloop: built ${path.relative(root, addon)}\n`);
}
