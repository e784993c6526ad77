'use strict';
// parallel.js: runs the commands of its arguments, some at a time, each line of output behind the number of its command. Ctrl-C, and
// the time limit, end those that run.
//   node examples/parallel.js 'ping -c 3 localhost' 'ls /' 'sleep 1; date'

const os = require('node:os');

const { createSubprocessShell, DEVNULL, gather, PIPE, run, Semaphore, STDOUT, waitFor } = require('..');

const LIMIT = 60; // seconds
const places = new Semaphore(os.cpus().length);

async function execute(command, number) {
  const child = await createSubprocessShell(command, {
    stdin: DEVNULL,
    stdout: PIPE,
    stderr: STDOUT,
    // With all that it starts, so that all of it can be ended.
    processGroup: 0,
  });
  const show = async () => {
    for await (const line of child.stdout) process.stdout.write(`${number}: ${line}`);
    return child.wait();
  };
  try {
    return await waitFor(show, LIMIT);
  } finally {
    if (child.returncode === null) {
      process.kill(-child.pid, 'SIGTERM');
      await child.wait();
    }
  }
}

async function main() {
  const commands = process.argv.slice(2);
  const codes = await gather(
    commands.map((command, index) => () => places.run(async () => execute(command, index + 1))),
  );
  codes.forEach((code, index) => console.log(`${index + 1}: ended with ${code}`));
}

run(main);
