'use strict';
// machine.js: what a reader must know about the machine of a measurement, and no more.

const { execFileSync } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');

function commit() {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--exclude=*'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .toString()
      .trim();
  } catch {
    return null;
  }
}

function describeMachine() {
  return {
    processor: os.cpus()[0]?.model ?? os.arch(),
    processors: os.cpus().length,
    kernel: `${os.type()} ${os.release().replace(/-.*/, '')}`,
    fdloop: require('../../package.json').version,
    commit: commit(),
  };
}

/** One core for the server, another for the load: the second and the first, or the only one. */
function defaultCores() {
  return os.cpus().length > 1 ? [1, 0] : [0, 0];
}

module.exports = { defaultCores, describeMachine, root };
