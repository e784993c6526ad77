'use strict';
// as-macos.js: what tests can be told of macOS on Linux, for `npm run test:kqueue`: the name of the system, its numbers of
// errors, no /proc, none of Linux' own constants, and the habits of its sockets that tests have stumbled over. Run by jest
// before each test file. The addon has kqueue on a kernel that is played; everything else is Linux all the same.

const fs = require('node:fs');

// It looks for a compiler of its own by the name of the system.
require('@swc/core');
const { binding } = require('../../lib/native/binding');

/** Errors whose numbers are others there. */
const ERRORS = {
  ...{
    EDEADLK: 11,
    EAGAIN: 35,
    EWOULDBLOCK: 35,
    EINPROGRESS: 36,
    EALREADY: 37,
    ENOTSOCK: 38,
    EDESTADDRREQ: 39,
    EMSGSIZE: 40,
  },
  ...{ EPROTOTYPE: 41, ENOPROTOOPT: 42, EPROTONOSUPPORT: 43, ESOCKTNOSUPPORT: 44, ENOTSUP: 45, EAFNOSUPPORT: 47 },
  ...{ EADDRINUSE: 48, EADDRNOTAVAIL: 49, ENETDOWN: 50, ENETUNREACH: 51, ECONNABORTED: 53, ECONNRESET: 54 },
  ...{ ENOBUFS: 55, EISCONN: 56, ENOTCONN: 57, ESHUTDOWN: 58, ETIMEDOUT: 60, ECONNREFUSED: 61, ELOOP: 62 },
  ...{ ENAMETOOLONG: 63, EHOSTUNREACH: 65, ENOTEMPTY: 66, ENOSYS: 78, ECANCELED: 89, EOPNOTSUPP: 102 },
};
/** Constants that its headers do not have. */
const MISSING = new RegExp(
  '^(' +
    [
      'AF_(ALG|BLUETOOTH|CAN|NETLINK|PACKET|QIPCRTR|TIPC|XDP)|CAN_.*|CANFD_MTU|ETH_P_.*|NETLINK_.*|PACKET_.*|RTMGRP_.*',
      'SOCK_(CLOEXEC|NONBLOCK)|SOL_(ALG|CAN.*|IP|IPV6|NETLINK|PACKET|TCP|UDP)|UDP_.*|VM.*|IPPROTO_(DCCP|MPTCP|UDPLITE)',
      'IP_(BIND_ADDRESS_NO_PORT|FREEBIND|MINTTL|MTU.*|MULTICAST_ALL|NODEFRAG|.*ORIGDSTADDR|PMTUDISC_.*|RECVERR|TRANSPARENT)',
      'IPV6_(ADD|DROP)_MEMBERSHIP|IPV6_(ADDR_.*|AUTOFLOWLABEL|FREEBIND|MINHOPCOUNT|MTU.*|MULTICAST_ALL|RECVERR|TRANSPARENT)',
      'IPV6_.*ORIGDSTADDR|I[PV6]+_UNICAST_IF|MSG_(BATCH|CMSG_.*|CONFIRM|ERRQUEUE|FASTOPEN|FIN|MORE|RST|SYN|WAIT.*ONE|ZERO.*)',
      'SCM_(CREDENTIALS|TIMESTAMP.+|WIFI.*)|SO_(.*FILTER|ATTACH_.*|BINDTO.*|BUSY_POLL|COOKIE|DOMAIN|INCOMING_.*|MARK|MAX_.*)',
      'SO_(NOFCS|ORIGINAL_DST|PASS.*|PEEK_OFF|PEER.*|PRIORITY|PROTOCOL|.*FORCE|RXQ.*|SELECT_.*|TIMESTAMP.+|TXTIME|VM.*|ZERO.*)',
      'TCP_(CC_INFO|CM_INQ|CONGESTION|CORK|DEFER_ACCEPT|FASTOPEN_.*|INFO|INQ|KEEPIDLE|LINGER2|MD5SIG|QUICKACK|REPAIR|.*SYN)',
      'TCP_(SYNCNT|THIN_.*|TIMESTAMP|TX_DELAY|ULP|USER_TIMEOUT|WINDOW_CLAMP|ZEROCOPY.*)',
    ].join('|') +
    ')$',
);
/** Bytes. What a Unix socket has room for, and what a datagram may have. */
const UNIX_ROOM = 8192;
const MOST_BYTES = 9216;

const room = new Uint8Array(Int32Array.of(UNIX_ROOM / 2).buffer);

// All test files of a process have the same addon: each begins with what it was.
const PLAIN = Symbol.for('fdloop: the addon as it was');
binding[PLAIN] ??= Object.fromEntries(Object.entries(binding).filter(([, value]) => typeof value !== 'number'));
Object.assign(binding, binding[PLAIN]);
const linux = { ...binding.constants };
const linuxErrors = { ...binding.errnoByName };
const { AF_INET, AF_UNIX, SOCK_DGRAM, SOCK_SEQPACKET, SOL_SOCKET, IPPROTO_TCP, TCP_NODELAY, SO_TYPE } = linux;
const there = new Map(Object.entries(ERRORS).map(([name, number]) => [linuxErrors[name], number]));
const here = new Map([...there].map(([number, other]) => [other, number]));
const asThere = (result) => (result < 0 ? -(there.get(-result) ?? -result) : result);

Object.defineProperty(process, 'platform', { value: 'darwin' });
binding.constants = {
  ...Object.fromEntries(Object.entries(linux).filter(([name]) => !MISSING.test(name))),
  TCP_KEEPALIVE: linux.TCP_KEEPIDLE,
};
const kept = Object.entries(linuxErrors).filter(([, number]) => !here.has(number));
binding.errnoByName = { ...Object.fromEntries(kept), ...ERRORS };

/** Puts a function in front of one of the addon's. */
function around(name, wrapper) {
  const real = binding[name];
  binding[name] = (...args) => wrapper((...now) => real(...now), ...args);
}

for (const [name, value] of Object.entries(binding)) {
  if (typeof value === 'function') around(name, (real, ...args) => asThere(real(...args)));
}
around('errorMessage', (real, number) => real(here.get(number) ?? number));

/** What a socket has room for, where that was set, and which are on their way to a peer. */
const rooms = new Map();
const connecting = new Set();
around('connect', (real, fd, ...rest) => {
  const result = real(fd, ...rest);
  if (result === 0 && connecting.delete(fd)) return -ERRORS.EISCONN;
  if (result === -ERRORS.EINPROGRESS) connecting.add(fd);
  return result;
});
around('close', (real, fd) => {
  rooms.delete(fd);
  connecting.delete(fd);
  return real(fd);
});

/** Processes have no descriptors. */
around('childDescriptor', () => -ERRORS.ENOSYS);

/** There are no calls for many messages. */
for (const name of ['recvMessages', 'sendMessages']) around(name, () => -ERRORS.ENOSYS);

const hasNone = (family, type) => family === AF_UNIX && (type & 15) === SOCK_SEQPACKET;
around('socket', (real, family, type, ...rest) =>
  hasNone(family, type) ? -ERRORS.EPROTONOSUPPORT : real(family, type, ...rest),
);
around('socketpair', (real, family, type, protocol, fds) => {
  if (hasNone(family, type)) return -ERRORS.EPROTONOSUPPORT;
  const result = real(family, type, protocol, fds);
  if (result === 0) for (const fd of fds) binding.setsockopt(fd, SOL_SOCKET, linux.SO_SNDBUF, room);
  return result;
});

/** The address of the loopback interface is one, not a network; and there are no abstract names. */
around('bind', (real, fd, address, length) => {
  const { family, host, path } = binding.decodeAddress(address, length);
  if (family === AF_INET && /^127\./.test(host) && host !== '127.0.0.1') return -ERRORS.EADDRNOTAVAIL;
  if (family === AF_UNIX && path[0] === 0) return -linuxErrors.ENOENT;
  return real(fd, address, length);
});

/** An option that is on is some bit or other; and one is the number of an error. */
const flags = [linux.SO_REUSEADDR, linux.SO_REUSEPORT, linux.SO_KEEPALIVE, linux.SO_BROADCAST];
around('getsockopt', (real, fd, level, option, value, lengths) => {
  const result = real(fd, level, option, value, lengths);
  if (level === SOL_SOCKET && option === linux.SO_ACCEPTCONN) return -ERRORS.ENOPROTOOPT;
  if (result !== 0 || value.length !== 4) return result;
  const isFlag = level === SOL_SOCKET ? flags.includes(option) : level === IPPROTO_TCP && option === TCP_NODELAY;
  if (isFlag && value[0] === 1) value[0] = 4;
  if (level === SOL_SOCKET && option === linux.SO_ERROR) value[0] = there.get(value[0]) ?? value[0];
  return result;
});

around('setNumber', (real, fd, level, option, value) => {
  if (level === SOL_SOCKET && option === linux.SO_SNDBUF) rooms.set(fd, value);
  return real(fd, level, option, value);
});

/** Requests for a group are packed; see options.ts. */
const groups = Object.entries(linux).filter(([name]) => name.startsWith('MCAST_'));
around('setsockopt', (real, fd, level, option, value) => {
  if (!groups.some(([, number]) => number === option)) return real(fd, level, option, value);
  const request = new Uint8Array(value.length + 4);
  request.set(value.subarray(0, 4), 0);
  request.set(value.subarray(4), 8);
  return real(fd, level, option, request);
});

/** A datagram of UDP is short. */
const typeOf = (fd) => {
  const value = new Uint8Array(4);
  return binding.getsockopt(fd, SOL_SOCKET, SO_TYPE, value, new Int32Array(1)) === 0 ? value[0] : -1;
};
const familyOf = (fd) => {
  // The length, and behind it the address: lib/sockets/recent-addresses.ts.
  const room = new ArrayBuffer(8 + binding.SOCKADDR_STORAGE_SIZE);
  if (binding.getsocknameAt(fd, room) < 0) return -1;
  return binding.decodeAddress(new Uint8Array(room, 8), new Int32Array(room)[0]).family;
};
const isTooLong = (fd, length) =>
  length > (rooms.get(fd) ?? MOST_BYTES) && typeOf(fd) === SOCK_DGRAM && familyOf(fd) !== AF_UNIX;
const lengthOf = {
  ...{ send: (_buffer, _offset, length) => length, sendto: (_buffer, _offset, length) => length },
  ...{ sendFrom: ({ length }) => length, sendtoFrom: ({ length }) => length },
  sendMessage: (chunks) => chunks.filter(ArrayBuffer.isView).reduce((sum, { length }) => sum + length, 0),
};
for (const [name, length] of Object.entries(lengthOf)) {
  around(name, (real, fd, ...rest) => (isTooLong(fd, length(...rest)) ? -ERRORS.EMSGSIZE : real(fd, ...rest)));
}

/** There is no /proc. */
if (!(PLAIN in fs)) {
  fs[PLAIN] = true;
  for (const name of ['openSync', 'readFileSync', 'readdirSync', 'readlinkSync', 'statSync']) {
    const real = fs[name];
    fs[name] = (file, ...rest) => {
      if (!/^\/proc\//.test(file)) return real(file, ...rest);
      throw Object.assign(new Error(`ENOENT: ${name} '${file}'`), { code: 'ENOENT', errno: -2, path: file });
    };
  }
}
