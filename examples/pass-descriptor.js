'use strict';
// pass-descriptor.js: an open file goes to another process over a Unix socket (SCM_RIGHTS), as D-Bus, Wayland and systemd do.

const { spawn } = require('node:child_process');
const { closeSync, openSync, readFileSync } = require('node:fs');
const { getRunningLoop, run, Socket, socketpair } = require('..');

const CHANNEL = 3;

async function parent() {
  const [ours, theirs] = socketpair();
  const child = spawn(process.execPath, [__filename, 'child'], {
    stdio: ['ignore', 'inherit', 'inherit', theirs.fileno()],
  });
  theirs.close();
  const fd = openSync(__filename, 'r');
  ours.sendFds([fd], Buffer.from('the source of this program'));
  closeSync(fd); // The child has a descriptor of its own.
  await new Promise((resolve) => child.on('exit', resolve));
  ours.close();
}

async function child() {
  const socket = Socket.fromFd(CHANNEL);
  const { data, fds } = await getRunningLoop().sockRecvFds(socket, 1, 100);
  const [fd] = fds;
  console.log(`${data}: ${readFileSync(fd, 'utf8').split('\n').length} lines through descriptor ${fd}`);
  closeSync(fd); // A received descriptor belongs to the receiver.
  socket.close();
}

run(process.argv[2] === 'child' ? child : parent);
