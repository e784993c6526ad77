'use strict';
// processes.js: programs of the benchmark: started on a core of their own, waited for with a limit, and all gone at the end.

const { spawn } = require('node:child_process');
const path = require('node:path');

const { root } = require('./machine');
const { built } = require('./make');

const living = new Set();

process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

/** What fdloop the contenders load: the one that was built for the benchmark. */
const environment = {
  ...process.env,
  FDLOOP_PACKAGE: built('fdloop'),
  FDLOOP_ADDON: built('addon.node'),
  FDLOOP_DEBUG: '',
  PYTHONASYNCIODEBUG: '',
  NO_COLOR: '1',
};

class Program {
  constructor(command, { core, env = {} }) {
    this.name = path.basename(command[command.length > 1 ? 1 : 0]);
    // launch.c replaces itself with the command: the process id is the program's own.
    this.child = spawn(built('launch'), [String(core), ...command], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...environment, ...env },
    });
    this.output = '';
    this.errors = '';
    living.add(this.child);
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => {
        this.errors += error.message;
        resolve(127);
      });
      this.child.on('close', (code, signal) => {
        living.delete(this.child);
        this.exit = code ?? signal;
        resolve(this.exit);
      });
    });
    this.child.stdin.on('error', () => {});
    this.child.stdout.on('data', (chunk) => (this.output += chunk));
    this.child.stderr.on('data', (chunk) => (this.errors = (this.errors + chunk).slice(0, 4000)));
  }

  get pid() {
    return this.child.pid;
  }

  failure(what) {
    const lines = this.errors.trim().split('\n');
    const said = (lines.find((line) => /error/i.test(line)) ?? lines.pop()).replaceAll(`${root}/`, '');
    return new Error(`${this.name}: ${what}${said === '' ? '' : `: ${said}`}`);
  }

  /** Waits until the output matches. */
  async until(pattern, seconds) {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      if (this.exit !== undefined) throw this.failure(`ended with ${this.exit}`);
      if (Date.now() > deadline) {
        this.kill();
        throw this.failure(`nothing said within ${seconds} s`);
      }
      await Promise.race([this.ended, new Promise((resolve) => setTimeout(resolve, 10))]);
    }
  }

  kill() {
    this.child.kill('SIGKILL');
    return this.ended;
  }
}

/** Runs a program to its end. @returns what it wrote */
async function run(command, { seconds = 60, ...options }) {
  const program = new Program(command, options);
  const limit = setTimeout(() => program.kill(), seconds * 1000);
  const exit = await program.ended;
  clearTimeout(limit);
  if (exit !== 0) throw program.failure(exit === 'SIGKILL' ? `not done after ${seconds} s` : `ended with ${exit}`);
  return program.output;
}

module.exports = { Program, run };
