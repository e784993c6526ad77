// options.ts: the options of sockets by name, with their units. Each is a row of one table, with `get` and `set` over any
// object that has getsockopt and setsockopt. What is not here can be had with the numbers of `socketConstants`.

import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { inspect } from 'node:util';

import { typeError, ValueError } from '../base/errors';
import { binding } from '../native/binding';
import { errorFor } from '../native/check';
import { decodeAddress, encodeAddress, type Address } from './address';
import { int32 } from './arguments';
import {
  AF_INET6,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SO_BROADCAST,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOL_SOCKET,
  TCP_NODELAY,
  socketConstants,
} from './constants';
import { decodeCredentials, type Credentials } from './descriptors';
import { interfaceNumber } from './link-address';
import type { Socket } from './socket';
import { decodeTcpInfo, TCP_INFO_ROOM, type TcpInfo } from './tcp-info';

/** What options are asked of and told to: a Socket, a TransportSocket, or another object with these members. */
export type OptionSocket = Pick<Socket, 'family' | 'getsockopt' | 'setsockopt'>;

/** An option that can only be asked for. Every call throws an OSError if the system refuses (ENOPROTOOPT: no such option). */
export interface ReadableOption<T> {
  get: (socket: OptionSocket) => T;
}

/** An option that can only be set. */
export interface WritableOption<T> {
  set: (socket: OptionSocket, value: T) => void;
}

/** An option of a socket. */
export interface SocketOption<T, S = T> extends ReadableOption<T>, WritableOption<S> {}

/** The probes of an idle TCP connection. */
export interface KeepAlive {
  enabled: boolean;
  /** Seconds without traffic before the first probe. */
  idle: number;
  /** Seconds between probes. */
  interval: number;
  /** Unanswered probes before the connection is given up. */
  count: number;
}

/** A multicast group. */
export interface MulticastGroup {
  /** The group's numeric address, of the socket's family. */
  group: string;
  /** Name, number or one of the addresses of an interface; left out: the one that the routes name. */
  interface?: string | number;
  /** Only what this address sends. */
  source?: string;
}

const c = socketConstants;

/** Level and number; undefined where the platform does not have it. */
type Name = readonly [level: number, option: number | undefined];
/** One name, or one for IPv4 (and whatever else) and one for IPv6. */
type Names = Name | { inet: Name; inet6: Name };

function nameFor(names: Names, socket: OptionSocket, syscall: string): readonly [level: number, option: number] {
  const [level, option] = 'inet' in names ? (socket.family === AF_INET6 ? names.inet6 : names.inet) : names;
  if (level === undefined || option === undefined) throw errorFor(-binding.errnoByName.ENOPROTOOPT, syscall);
  return [level, option];
}

function getInt(names: Names, socket: OptionSocket): number {
  return socket.getsockopt(...nameFor(names, socket, 'getsockopt'));
}

function getBytes(names: Names, socket: OptionSocket, length: number): Buffer {
  return socket.getsockopt(...nameFor(names, socket, 'getsockopt'), length);
}

function setOption(names: Names, socket: OptionSocket, value: number | boolean | Uint8Array): void {
  socket.setsockopt(...nameFor(names, socket, 'setsockopt'), value);
}

function ints(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values, (value) => int32(value, 'value')).buffer);
}

// The kinds of rows.

function flag(names: Names): SocketOption<boolean> {
  return {
    get: (socket) => getInt(names, socket) !== 0,
    set: (socket, value) => {
      if (typeof value !== 'boolean') throw typeError(`value must be a boolean, not ${inspect(value)}`);
      setOption(names, socket, value);
    },
  };
}

/** A number; `unit` of them are one of the caller's. */
function number(names: Names, unit = 1): SocketOption<number> {
  return {
    get: (socket) => getInt(names, socket) / unit,
    set: (socket, value) => {
      if (typeof value !== 'number') throw typeError(`value must be a number, not ${inspect(value)}`);
      // Rounded up: a time that is not 0 must not become one that means "none".
      setOption(names, socket, unit === 1 ? value : Math.ceil(value * unit));
    },
  };
}

function text(names: Names, room: number): SocketOption<string> {
  return {
    get: (socket) => getBytes(names, socket, room).toString('utf8').replace(/\0.*$/s, ''),
    set: (socket, value) => {
      if (typeof value !== 'string') throw typeError(`value must be a string, not ${inspect(value)}`);
      // The kernel cuts what is too long, which would name something else.
      if (value.includes('\0') || Buffer.byteLength(value) >= room)
        throw new ValueError(`${inspect(value)} is too long`);
      setOption(names, socket, Buffer.from(`${value}\0`));
    },
  };
}

/** Whether, and for how many seconds: two ints, but on Windows two of 16 bits. */
const LingerParts = process.platform === 'win32' ? Uint16Array : Int32Array;

// macOS counts ticks, but for an option of its own.
const LINGER: Name = [SOL_SOCKET, c.SO_LINGER_SEC ?? c.SO_LINGER];

const linger: SocketOption<number | null> = {
  get: (socket) => {
    const bytes = getBytes(LINGER, socket, 2 * LingerParts.BYTES_PER_ELEMENT);
    const [isOn, seconds] = new LingerParts(Uint8Array.from(bytes).buffer);
    return isOn === 0 ? null : seconds;
  },
  set: (socket, seconds) => {
    if (seconds !== null && typeof seconds !== 'number') throw typeError(`value must be seconds or null`);
    const wanted = seconds === null ? 0 : int32(Math.ceil(seconds), 'value');
    const parts = LingerParts.from([seconds === null ? 0 : 1, wanted]);
    if (parts[1] !== wanted) throw new ValueError(`${wanted} seconds are more than the system takes`);
    setOption(LINGER, socket, new Uint8Array(parts.buffer));
  },
};

// macOS calls the first one by another name.
const keepAliveParts = {
  idle: number([IPPROTO_TCP, c.TCP_KEEPIDLE ?? c.TCP_KEEPALIVE]),
  interval: number([IPPROTO_TCP, c.TCP_KEEPINTVL]),
  count: number([IPPROTO_TCP, c.TCP_KEEPCNT]),
} as const;

const keepAlive: SocketOption<KeepAlive, boolean | Partial<KeepAlive>> = {
  get: (socket) => ({
    enabled: getInt([SOL_SOCKET, SO_KEEPALIVE], socket) !== 0,
    idle: keepAliveParts.idle.get(socket),
    interval: keepAliveParts.interval.get(socket),
    count: keepAliveParts.count.get(socket),
  }),
  set: (socket, value) => {
    if (typeof value !== 'boolean' && (typeof value !== 'object' || value === null)) {
      throw typeError(`value must be a boolean or an object, not ${inspect(value)}`);
    }
    const wanted = typeof value === 'boolean' ? { enabled: value } : value;
    for (const name of ['idle', 'interval', 'count'] as const) {
      const part = wanted[name];
      if (part !== undefined) keepAliveParts[name].set(socket, Math.ceil(part));
    }
    setOption([SOL_SOCKET, SO_KEEPALIVE], socket, wanted.enabled ?? true);
  },
};

const timestamps: SocketOption<'off' | 'microseconds' | 'nanoseconds'> = {
  get: (socket) =>
    c.SO_TIMESTAMPNS !== undefined && getInt([SOL_SOCKET, c.SO_TIMESTAMPNS], socket) !== 0
      ? 'nanoseconds'
      : getInt([SOL_SOCKET, c.SO_TIMESTAMP], socket) !== 0
        ? 'microseconds'
        : 'off',
  set: (socket, value) => {
    if (!['off', 'microseconds', 'nanoseconds'].includes(value)) {
      throw new ValueError(`timestamps are 'off', 'microseconds' or 'nanoseconds', not ${inspect(value)}`);
    }
    // Setting one of the two unsets the other; unsetting the second one of both unsets all.
    setOption([SOL_SOCKET, value === 'nanoseconds' ? c.SO_TIMESTAMPNS : c.SO_TIMESTAMP], socket, value !== 'off');
  },
};

/** The number of an interface that is given by its name, its number or one of its addresses. */
function interfaceIndexOf(given: string | number): number {
  if (typeof given === 'number') return int32(given, 'interface index');
  if (typeof given !== 'string')
    throw typeError(`an interface is a name, a number or an address, not ${inspect(given)}`);
  if (isIP(given) === 0) return interfaceNumber(given);
  if (given === '0.0.0.0' || given === '::') return 0;
  const found = Object.entries(networkInterfaces()).find(([, list]) => list?.some(({ address }) => address === given));
  if (found === undefined) throw errorFor(-binding.errnoByName.EADDRNOTAVAIL, 'setsockopt', { address: given });
  return interfaceNumber(found[0]);
}

/** Where the addresses begin in a request for a group: aligned as pointers are, but on macOS, which packs it. */
const GROUP_START = process.platform === 'darwin' || /^(ia32|arm|mips|mipsel|ppc|s390)$/.test(process.arch) ? 4 : 8;

/** struct group_req and group_source_req: the interface, then one or two addresses. */
function groupRequest(family: number, interfaceIndex: number, hosts: readonly string[]): Uint8Array {
  const room = binding.SOCKADDR_STORAGE_SIZE;
  const bytes = new Uint8Array(GROUP_START + hosts.length * room);
  bytes.set(ints(interfaceIndex), 0);
  hosts.forEach((host, index) => bytes.set(encodeAddress(family, [host, 0]).bytes, GROUP_START + index * room));
  return bytes;
}

function membership(plain: number | undefined, withSource: number | undefined): WritableOption<MulticastGroup> {
  return {
    set: (socket, value) => {
      if (typeof (value as MulticastGroup | null)?.group !== 'string') {
        throw typeError(`a group is { group, interface?, source? }, not ${inspect(value)}`);
      }
      const { group, interface: device = 0, source } = value;
      const level = socket.family === AF_INET6 ? IPPROTO_IPV6 : c.IPPROTO_IP;
      const hosts = source === undefined ? [group] : [group, source];
      const request = groupRequest(socket.family, interfaceIndexOf(device), hosts);
      setOption([level, source === undefined ? plain : withSource], socket, request);
    },
  };
}

/** struct ip_mreqn: group, address, interface; on Windows an address 0.x.x.x which has the interface's number in it. */
function outgoingInterface(index: number): Uint8Array {
  if (process.platform !== 'win32') return ints(0, 0, index);
  if (index < 0 || index >= 1 << 24) throw new ValueError(`${index} is no number of an interface`);
  return Uint8Array.of(0, index >> 16, index >> 8, index);
}

const multicastInterface: WritableOption<string | number> = {
  set: (socket, value) => {
    const index = interfaceIndexOf(value);
    if (socket.family === AF_INET6) return setOption([IPPROTO_IPV6, c.IPV6_MULTICAST_IF], socket, index);
    return setOption([c.IPPROTO_IP, c.IP_MULTICAST_IF], socket, outgoingInterface(index));
  },
};

const originalDestination: ReadableOption<Address | null> = {
  get: (socket) => {
    const names: Names = { inet: [c.IPPROTO_IP, c.SO_ORIGINAL_DST], inet6: [IPPROTO_IPV6, c.SO_ORIGINAL_DST] };
    const bytes = getBytes(names, socket, binding.SOCKADDR_STORAGE_SIZE);
    return decodeAddress(bytes, bytes.length);
  },
};

/**
 * Options of sockets by name: `socketOptions.noDelay.set(socket, true)`, `socketOptions.tcpInfo.get(socket)`. Times are
 * seconds, sizes bytes. Where an option of IPv4 and one of IPv6 do the same, the socket's family decides. The system's
 * refusal is an OSError with `syscall` 'setsockopt' or 'getsockopt' (EPERM, ENOPROTOOPT where there is no such option).
 */
export const socketOptions = {
  /** How long `close` may take to deliver what is left: null to leave it to the system, 0 to reset (SO_LINGER). */
  linger,
  /** SO_REUSEADDR. */
  reuseAddress: flag([SOL_SOCKET, SO_REUSEADDR]),
  /** Several sockets on one port, among which the kernel divides (SO_REUSEPORT). */
  reusePort: flag([SOL_SOCKET, SO_REUSEPORT]),
  /** Whether datagrams may go to a broadcast address (SO_BROADCAST). */
  broadcast: flag([SOL_SOCKET, SO_BROADCAST]),
  /** Room for what was received (SO_RCVBUF). Linux doubles what is set, and caps it in silence. */
  receiveBuffer: number([SOL_SOCKET, c.SO_RCVBUF]),
  /** Room for what is to be sent (SO_SNDBUF), likewise. */
  sendBuffer: number([SOL_SOCKET, c.SO_SNDBUF]),
  /** As `receiveBuffer`, beyond the system's limit (SO_RCVBUFFORCE); needs CAP_NET_ADMIN. */
  forceReceiveBuffer: { set: number([SOL_SOCKET, c.SO_RCVBUFFORCE]).set } as WritableOption<number>,
  /** As `sendBuffer`, beyond the system's limit (SO_SNDBUFFORCE); needs CAP_NET_ADMIN. */
  forceSendBuffer: { set: number([SOL_SOCKET, c.SO_SNDBUFFORCE]).set } as WritableOption<number>,
  /** How many bytes make a stream readable (SO_RCVLOWAT). */
  receiveLowWater: number([SOL_SOCKET, c.SO_RCVLOWAT]),
  /** The one network interface to use; '' for any (SO_BINDTODEVICE). */
  bindToDevice: text([SOL_SOCKET, c.SO_BINDTODEVICE], 16),
  /** The mark that routes and firewalls see (SO_MARK); needs CAP_NET_ADMIN. */
  mark: number([SOL_SOCKET, c.SO_MARK]),
  /** The queueing priority (SO_PRIORITY). */
  priority: number([SOL_SOCKET, c.SO_PRIORITY]),
  /** The most bytes per second that go out (SO_MAX_PACING_RATE). */
  maxPacingRate: number([SOL_SOCKET, c.SO_MAX_PACING_RATE]),
  /** The positive errno of what went wrong meanwhile, 0 for nothing. Asking clears it (SO_ERROR). */
  error: { get: (socket: OptionSocket) => getInt([SOL_SOCKET, SO_ERROR], socket) } as ReadableOption<number>,
  /** Whether the socket listens (SO_ACCEPTCONN). */
  isListening: {
    get: (socket: OptionSocket) => getInt([SOL_SOCKET, c.SO_ACCEPTCONN], socket) !== 0,
  } as ReadableOption<boolean>,
  /** When each datagram arrived, as ancillary data (SO_TIMESTAMP, SO_TIMESTAMPNS): `ancillary.timestamp`. */
  timestamps,
  /** Who sent, as ancillary data of a Unix socket (SO_PASSCRED): `ancillary.credentials`. */
  passCredentials: flag([SOL_SOCKET, c.SO_PASSCRED]),
  /** Who is at the other end of a Unix stream (SO_PEERCRED). */
  peerCredentials: {
    get: (socket: OptionSocket) => decodeCredentials(getBytes([SOL_SOCKET, c.SO_PEERCRED], socket, 12)),
  } as ReadableOption<Credentials>,

  /** Send small pieces at once (TCP_NODELAY). */
  noDelay: flag([IPPROTO_TCP, TCP_NODELAY]),
  /** Hold back pieces that fill no segment (TCP_CORK). */
  cork: flag([IPPROTO_TCP, c.TCP_CORK]),
  /** Acknowledge at once; the kernel takes it back at times (TCP_QUICKACK). */
  quickAck: flag([IPPROTO_TCP, c.TCP_QUICKACK]),
  /** Probes of an idle connection: `true`, `false` or parts of it (SO_KEEPALIVE, TCP_KEEPIDLE, ...). Whole seconds. */
  keepAlive,
  /** How long sent bytes may stay without an answer before the connection is given up; 0: the system's own (TCP_USER_TIMEOUT). */
  userTimeout: number([IPPROTO_TCP, c.TCP_USER_TIMEOUT], 1000),
  /** Of a listener: how many connections may come with data and wait (TCP_FASTOPEN). */
  fastOpen: number([IPPROTO_TCP, c.TCP_FASTOPEN]),
  /** Of a client: `connect` waits for the first bytes and sends them along (TCP_FASTOPEN_CONNECT). */
  fastOpenConnect: flag([IPPROTO_TCP, c.TCP_FASTOPEN_CONNECT]),
  /** Of a listener: seconds that a connection may stay without data before it is accepted all the same (TCP_DEFER_ACCEPT). */
  deferAccept: number([IPPROTO_TCP, c.TCP_DEFER_ACCEPT]),
  /** How many unsent bytes keep a socket from being writable (TCP_NOTSENT_LOWAT). */
  notSentLowWater: number([IPPROTO_TCP, c.TCP_NOTSENT_LOWAT]),
  /** The largest segment (TCP_MAXSEG). */
  maxSegment: number([IPPROTO_TCP, c.TCP_MAXSEG]),
  /** How often a connection attempt is repeated (TCP_SYNCNT). */
  synCount: number([IPPROTO_TCP, c.TCP_SYNCNT]),
  /** The congestion control by name: 'cubic', 'bbr' (TCP_CONGESTION). */
  congestion: text([IPPROTO_TCP, c.TCP_CONGESTION], 16),
  /** What the kernel knows of the connection (TCP_INFO). */
  tcpInfo: {
    get: (socket: OptionSocket) => decodeTcpInfo(getBytes([IPPROTO_TCP, c.TCP_INFO], socket, TCP_INFO_ROOM)),
  } as ReadableOption<TcpInfo>,

  /** Whether an IPv6 socket leaves IPv4 alone; before `bind` (IPV6_V6ONLY). */
  v6Only: flag([IPPROTO_IPV6, IPV6_V6ONLY]),
  /** Time to live, or hop limit, of what is sent (IP_TTL, IPV6_UNICAST_HOPS). */
  ttl: number({ inet: [c.IPPROTO_IP, c.IP_TTL], inet6: [IPPROTO_IPV6, c.IPV6_UNICAST_HOPS] }),
  /** Type of service, or traffic class, of what is sent: DSCP and ECN bits (IP_TOS, IPV6_TCLASS). */
  tos: number({ inet: [c.IPPROTO_IP, c.IP_TOS], inet6: [IPPROTO_IPV6, c.IPV6_TCLASS] }),
  /** Bind to addresses that the machine does not have yet (IP_FREEBIND, IPV6_FREEBIND). */
  freeBind: flag({ inet: [c.IPPROTO_IP, c.IP_FREEBIND], inet6: [IPPROTO_IPV6, c.IPV6_FREEBIND] }),
  /** Act for addresses of others, as transparent proxies do (IP_TRANSPARENT, IPV6_TRANSPARENT); needs CAP_NET_ADMIN. */
  transparent: flag({ inet: [c.IPPROTO_IP, c.IP_TRANSPARENT], inet6: [IPPROTO_IPV6, c.IPV6_TRANSPARENT] }),
  /** Path MTU discovery: IP_PMTUDISC_DONT, _WANT, _DO, _PROBE (IP_MTU_DISCOVER, IPV6_MTU_DISCOVER). */
  mtuDiscover: number({ inet: [c.IPPROTO_IP, c.IP_MTU_DISCOVER], inet6: [IPPROTO_IPV6, c.IPV6_MTU_DISCOVER] }),
  /** The largest packet on the way to the peer of a connected socket (IP_MTU, IPV6_MTU). */
  mtu: {
    get: (socket: OptionSocket) =>
      getInt({ inet: [c.IPPROTO_IP, c.IP_MTU], inet6: [IPPROTO_IPV6, c.IPV6_MTU] }, socket),
  } as ReadableOption<number>,
  /** Where a connection was going before the firewall sent it here (SO_ORIGINAL_DST). */
  originalDestination,
  /** Destination and interface of each datagram as ancillary data (IP_PKTINFO, IPV6_RECVPKTINFO): `ancillary.packetInfo`. */
  packetInfo: flag({
    inet: [c.IPPROTO_IP, c.IP_PKTINFO],
    // Windows has one name for what comes and for asking for it.
    inet6: [IPPROTO_IPV6, c.IPV6_RECVPKTINFO ?? c.IPV6_PKTINFO],
  }),
  /** TTL or hop limit of each datagram as ancillary data (IP_RECVTTL, IPV6_RECVHOPLIMIT): `ancillary.ttl`. */
  receiveTtl: flag({
    inet: [c.IPPROTO_IP, c.IP_RECVTTL],
    inet6: [IPPROTO_IPV6, c.IPV6_RECVHOPLIMIT ?? c.IPV6_HOPLIMIT],
  }),
  /** Type of service of each datagram as ancillary data (IP_RECVTOS, IPV6_RECVTCLASS): `ancillary.tos`. */
  receiveTos: flag({ inet: [c.IPPROTO_IP, c.IP_RECVTOS], inet6: [IPPROTO_IPV6, c.IPV6_RECVTCLASS] }),
  /** Original destination of each datagram as ancillary data: `ancillary.originalDestination`. */
  receiveOriginalDestination: flag({
    inet: [c.IPPROTO_IP, c.IP_RECVORIGDSTADDR],
    inet6: [IPPROTO_IPV6, c.IPV6_RECVORIGDSTADDR],
  }),

  /** Joins a multicast group, as a whole or of one source (MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP). */
  joinGroup: membership(c.MCAST_JOIN_GROUP, c.MCAST_JOIN_SOURCE_GROUP),
  /** Leaves a group in the way that it was joined (MCAST_LEAVE_GROUP, MCAST_LEAVE_SOURCE_GROUP). */
  leaveGroup: membership(c.MCAST_LEAVE_GROUP, c.MCAST_LEAVE_SOURCE_GROUP),
  /** The interface by which multicast goes out: name, number or address (IP_MULTICAST_IF, IPV6_MULTICAST_IF). */
  multicastInterface,
  /** Time to live, or hop limit, of multicast (IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS). */
  multicastTtl: number({
    inet: [c.IPPROTO_IP, c.IP_MULTICAST_TTL],
    inet6: [IPPROTO_IPV6, c.IPV6_MULTICAST_HOPS],
  }),
  /** Whether own multicast comes back to this machine (IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP). */
  multicastLoop: flag({
    inet: [c.IPPROTO_IP, c.IP_MULTICAST_LOOP],
    inet6: [IPPROTO_IPV6, c.IPV6_MULTICAST_LOOP],
  }),
  /** Whether groups that other sockets joined are heard too (IP_MULTICAST_ALL, IPV6_MULTICAST_ALL). */
  multicastAll: flag({ inet: [c.IPPROTO_IP, c.IP_MULTICAST_ALL], inet6: [IPPROTO_IPV6, c.IPV6_MULTICAST_ALL] }),

  /** Bytes of each datagram into which a long send is cut; 0: none (UDP_SEGMENT, "GSO"). */
  udpSegment: number([c.SOL_UDP, c.UDP_SEGMENT]),
  /** Receive datagrams of one size in one piece, with `ancillary.segmentSize` (UDP_GRO). Cannot be asked for. */
  udpReceiveSegments: { set: flag([c.SOL_UDP, c.UDP_GRO]).set } as WritableOption<boolean>,
} as const;
