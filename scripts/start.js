'use strict';
// start.js: `npm start`, from a fresh clone to a running demo: installs what is missing, builds, runs examples/demo.js.
// Arguments go to the demo. Only Node's built-ins, because nothing else may be there yet.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '..');

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(path.join(root, file), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whether node_modules holds what the lock file asks for. npm writes its own list there when an install is complete. */
function isInstalled() {
  const wanted = readJson('package-lock.json')?.packages;
  const found = readJson('node_modules/.package-lock.json')?.packages;
  if (!wanted || !found) return false;
  return Object.entries(wanted).every(([location, { version, optional, devOptional }]) => {
    // '' is the project itself; optional packages are mostly the binaries of other systems.
    if (location === '' || optional || devOptional) return true;
    return found[location]?.version === version && fs.existsSync(path.join(root, location, 'package.json'));
  });
}

/** Runs a command on our terminal and resolves to its exit code. */
function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    // Whoever is asked to stop, the child stops first and its exit code is ours. A terminal's Ctrl-C reaches the child by itself,
    // and a second one could mean "at once" to it; a signal sent to this process alone has to be passed on.
    const passOn = (signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, passOn);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      for (const name of signals) process.off(name, passOn);
      resolve(code ?? 128 + os.constants.signals[signal]);
    });
  });
}

/** npm without a shell where it told us where it is, as under `npm start`. The environment (npm_config_*) is inherited. */
function npm(...args) {
  const cli = process.env.npm_execpath;
  if (cli && path.basename(cli) === 'npm-cli.js') return run(process.execPath, [cli, ...args]);
  return run('npm', args, { shell: process.platform === 'win32' });
}

/** Exactly what the lock file says, or, where it and the registry do not agree, what package.json says. */
async function install() {
  // No package here needs its install script: what is native in them comes as ready binaries.
  const options = ['--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'];
  const code = await npm('ci', ...options);
  if (code === 0 || code > 128) return code; // above 128: stopped by a signal
  console.log('npm start: `npm ci` did not work out, trying `npm install`');
  return npm('install', '--no-save', ...options);
}

async function main() {
  const steps = [
    ...(isInstalled() ? [] : [install]),
    () => npm('run', 'build'),
    () => run(process.execPath, [path.join('examples', 'demo.js'), ...process.argv.slice(2)]),
  ];
  for (const step of steps) {
    const code = await step();
    if (code !== 0) return code;
  }
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(`npm start: ${error.message}`);
    process.exitCode = 1;
  },
);
