'use strict';
// interfaces.js: lists the network interfaces by netlink, and says what changes, until Ctrl-C or for as many seconds as
// WATCH_SECONDS says. Linux only. Try:  sudo ip link add dummy0 type dummy && sudo ip link del dummy0

const { run, getRunningLoop, Socket, socketConstants, timeout, TimeoutError } = require('..');

const { AF_NETLINK, SOCK_RAW } = socketConstants;

// linux/netlink.h, linux/rtnetlink.h
const NETLINK_ROUTE = 0;
const RTMGRP_LINK = 1;
const NLM_F_REQUEST_DUMP = 0x301;
const [RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK] = [16, 17, 18];
const IFLA_IFNAME = 3;
const IFF_UP = 1;
const [HEADER, LINK] = [16, 16];

const aligned = (length) => (length + 3) & ~3;

function* parts(data, offset, typeAt) {
  while (offset + 4 <= data.length) {
    const length = typeAt === 4 ? data.readUInt32LE(offset) : data.readUInt16LE(offset);
    if (length < 4) return;
    yield [data.readUInt16LE(offset + typeAt), data.subarray(offset, offset + length)];
    offset += aligned(length);
  }
}

const messages = (data) => parts(data, 0, 4);
const attributes = (message) => parts(message, HEADER + LINK, 2);

function nameOf(message) {
  for (const [type, attribute] of attributes(message)) {
    if (type === IFLA_IFNAME) return attribute.toString('utf8', 4, attribute.length - 1);
  }
  return '?';
}

function describe(type, message) {
  const isUp = (message.readUInt32LE(HEADER + 8) & IFF_UP) !== 0;
  return `${nameOf(message)} ${type === RTM_DELLINK ? 'is gone' : isUp ? 'is up' : 'is down'}`;
}

async function main() {
  const loop = getRunningLoop();
  const socket = new Socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  socket.bind([0, RTMGRP_LINK]);
  const request = Buffer.alloc(HEADER + LINK);
  request.writeUInt32LE(request.length, 0);
  request.writeUInt16LE(RTM_GETLINK, 4);
  request.writeUInt16LE(NLM_F_REQUEST_DUMP, 6);
  await loop.sockSendto(socket, request, [0, 0]);
  try {
    for (;;) {
      for (const [type, message] of messages(await loop.sockRecv(socket, 65536))) {
        if (type === RTM_NEWLINK || type === RTM_DELLINK) console.log(describe(type, message));
      }
    }
  } finally {
    socket.close();
  }
}

const seconds = process.env.WATCH_SECONDS;
run(() => timeout(seconds === undefined ? null : Number(seconds), main)).catch((error) => {
  if (!(error instanceof TimeoutError)) throw error;
  console.log('time is up');
});
