'use strict';
// notify-systemd.js: tells systemd that a service is ready: one datagram to a Unix socket, whose name is in NOTIFY_SOCKET and
// may be abstract. Try:  systemd-run --user --wait -p Type=notify -p NotifyAccess=all node examples/notify-systemd.js

const { Socket, socketConstants } = require('..');

const { AF_UNIX, SOCK_DGRAM } = socketConstants;

function notify(state) {
  const path = process.env.NOTIFY_SOCKET;
  if (path === undefined) return false;
  const socket = new Socket(AF_UNIX, SOCK_DGRAM);
  try {
    socket.sendto(Buffer.from(state), path.replace(/^@/, '\0'));
  } finally {
    socket.close();
  }
  return true;
}

console.log(notify(`READY=1\nSTATUS=process ${process.pid} listens`) ? 'systemd knows' : 'not started by systemd');
