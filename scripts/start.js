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

async function main() {
  const steps = [];
  if (!isInstalled()) {
    // No package here needs its install script: what is native in them comes as ready binaries.
    const verb = fs.existsSync(path.join(root, 'package-lock.json')) ? 'ci' : 'install';
    steps.push(() => npm(verb, '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'));
  }
  steps.push(() => npm('run', 'build'));
  steps.push(() => run(process.execPath, [path.join('examples', 'demo.js'), ...process.argv.slice(2)]));
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
