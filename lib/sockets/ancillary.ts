// ancillary.ts: what entries of control data mean: descriptors, credentials, where a datagram was sent to, its TTL, its
// type of service, when it arrived, how large its segments are. Values to entries for `sendmsg`, and entries of `recvmsg`
// to values. The options that make the system send such entries along are in options.ts.

import { isIP } from 'node:net';
import { endianness } from 'node:os';
import { inspect } from 'node:util';

import { typeError, ValueError } from '../base/errors';
import { binding } from '../native/binding';
import { errorFor } from '../native/check';
import { decodeAddress, hostBytes, hostText, type Inet6Address, type InetAddress } from './address';
import { int32 } from './arguments';
import { AF_INET, AF_INET6, IPPROTO_IPV6, SOL_SOCKET, socketConstants } from './constants';
import type { AncillaryItem } from './control';
import { decodeCredentials, decodeFdList, encodeCredentials, encodeFdList } from './descriptors';
import type { Credentials, Descriptor } from './descriptors';

/** Where a datagram was sent to, and where it arrived. */
export interface PacketInfo {
  /** The number of the interface that it arrived at. */
  interfaceIndex: number;
  /** The address in its header: one of ours, or a multicast or broadcast address. */
  destination: string;
  /** Our address to answer from; '' where only a multicast address is known (IPv6, Windows and macOS). */
  source: string;
}

/** How a datagram is to leave. A `PacketInfo` fits: the answer leaves from the address that was asked. */
export interface PacketRoute {
  /** The interface to leave by; left out or 0: by the routes. */
  interfaceIndex?: number;
  /** The address to leave from; left out or '': by the routes. */
  source?: string;
  /** AF_INET or AF_INET6, needed without a source only; AF_INET if left out. */
  family?: number;
}

/** A point in time since 1970, as the kernel has it. */
export interface Timestamp {
  seconds: number;
  /** 0 to 999999999; whole microseconds with SO_TIMESTAMP. */
  nanoseconds: number;
}

const { IPPROTO_IP, SCM_RIGHTS, SCM_CREDENTIALS, IP_PKTINFO, IPV6_PKTINFO, IP_TTL, IPV6_HOPLIMIT } = socketConstants;
const { IP_TOS, IPV6_TCLASS, SO_TIMESTAMP, SO_TIMESTAMPNS, SOL_UDP, UDP_GRO, UDP_SEGMENT } = socketConstants;
// The BSDs name what comes by the option that asks for it, and times by a number of their own.
const { IP_RECVTTL, IP_RECVTOS, SCM_TIMESTAMP } = socketConstants;
const { IP_ORIGDSTADDR, IPV6_ORIGDSTADDR } = socketConstants;

const LITTLE = endianness() === 'LE';

function view(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

/** An entry; an error where the platform has no such thing. */
function item(level: number, type: number | undefined, data: Uint8Array): AncillaryItem {
  if (type === undefined || level === undefined) throw errorFor(-binding.errnoByName.ENOPROTOOPT, 'sendmsg');
  return [level, type, data];
}

function intItem(level: number, type: number | undefined, value: number): AncillaryItem {
  return item(level, type, new Uint8Array(Int32Array.of(int32(value, 'value')).buffer));
}

/** The bytes of the first entry of one of the kinds that has so many. */
function find(
  items: readonly AncillaryItem[],
  kinds: readonly (readonly [level: number, type: number | undefined])[],
  leastBytes: number,
): AncillaryItem | undefined {
  return items.find(
    ([level, type, data]) => data.length >= leastBytes && kinds.some((kind) => kind[0] === level && kind[1] === type),
  );
}

/** A number of one to four bytes: the system is not of one mind. */
function findNumber(items: readonly AncillaryItem[], kinds: Parameters<typeof find>[1]): number | null {
  const data = find(items, kinds, 1)?.[2];
  if (data === undefined) return null;
  return data.length >= 4
    ? view(data).getInt32(0, LITTLE)
    : data.length >= 2
      ? view(data).getUint16(0, LITTLE)
      : data[0];
}

/** struct in_pktinfo: interface, our address, destination; on Windows one address, which is either, and interface. */
const IN_PKTINFO =
  process.platform === 'win32'
    ? { size: 8, interfaceIndex: 4, source: 0, destination: 0 }
    : { size: 12, interfaceIndex: 0, source: 4, destination: 8 };
const IN_SIZE = 4;
const IN6_PKTINFO_SIZE = 20;
const IN6_SIZE = 16;
/** Addresses from 224.0.0.0 on are of groups and of everybody. */
const FIRST_MULTICAST = 224;

function encodePacketInfo(route: PacketRoute): AncillaryItem {
  if (typeof route !== 'object' || route === null) throw typeError(`a route is an object, not ${inspect(route)}`);
  const { interfaceIndex = 0, source = '' } = route;
  const version = isIP(source);
  if (source !== '' && version === 0) {
    throw new ValueError(`${inspect(source)} is no numeric address`, 'ERR_INVALID_ADDRESS');
  }
  const family = version === 4 ? AF_INET : version === 6 ? AF_INET6 : (route.family ?? AF_INET);
  const index = int32(interfaceIndex, 'interface index');
  const host = hostBytes(family, source);
  if (family === AF_INET) {
    const data = new Uint8Array(IN_PKTINFO.size);
    view(data).setInt32(IN_PKTINFO.interfaceIndex, index, LITTLE);
    data.set(host, IN_PKTINFO.source);
    return item(IPPROTO_IP, IP_PKTINFO, data);
  }
  // struct in6_pktinfo: address, interface.
  const data = new Uint8Array(IN6_PKTINFO_SIZE);
  data.set(host, 0);
  view(data).setInt32(IN6_SIZE, index, LITTLE);
  return item(IPPROTO_IPV6, IPV6_PKTINFO, data);
}

function decodePacketInfo(items: readonly AncillaryItem[]): PacketInfo | null {
  const inet6 = find(items, [[IPPROTO_IPV6, IPV6_PKTINFO]], IN6_PKTINFO_SIZE)?.[2];
  if (inet6 !== undefined) {
    const destination = hostText(inet6.subarray(0, IN6_SIZE));
    const isMulticast = inet6[0] === 0xff;
    return {
      interfaceIndex: view(inet6).getInt32(IN6_SIZE, LITTLE),
      destination,
      source: isMulticast ? '' : destination,
    };
  }
  const inet = find(items, [[IPPROTO_IP, IP_PKTINFO]], IN_PKTINFO.size)?.[2];
  if (inet === undefined) return null;
  const [source, destination] = [IN_PKTINFO.source, IN_PKTINFO.destination].map((start) =>
    inet.subarray(start, start + IN_SIZE),
  );
  // macOS leaves our address out: then it is the destination, as on Windows, unless that is a group's.
  const ours = source.some((byte) => byte !== 0) ? source : destination;
  return {
    interfaceIndex: view(inet).getInt32(IN_PKTINFO.interfaceIndex, LITTLE),
    destination: hostText(destination),
    source: ours[0] < FIRST_MULTICAST ? hostText(ours) : '',
  };
}

function decodeTimestamp(items: readonly AncillaryItem[]): Timestamp | null {
  const found = find(
    items,
    [
      [SOL_SOCKET, SO_TIMESTAMPNS],
      [SOL_SOCKET, SO_TIMESTAMP],
      [SOL_SOCKET, SCM_TIMESTAMP],
    ],
    8,
  );
  if (found === undefined) return null;
  const [, type, data] = found;
  // Two words of 64 bits, or of 32 on systems of 32. A fraction has 32 at the most; macOS has room for no more.
  const [seconds, fraction] =
    data.length >= 16
      ? [Number(view(data).getBigInt64(0, LITTLE)), Number(BigInt.asIntN(32, view(data).getBigInt64(8, LITTLE)))]
      : [view(data).getInt32(0, LITTLE), view(data).getInt32(4, LITTLE)];
  return { seconds, nanoseconds: type === SO_TIMESTAMPNS ? fraction : fraction * 1000 };
}

function decodeOriginalDestination(items: readonly AncillaryItem[]): InetAddress | Inet6Address | null {
  const kinds = [
    [IPPROTO_IP, IP_ORIGDSTADDR],
    [IPPROTO_IPV6, IPV6_ORIGDSTADDR],
  ] as const;
  const data = find(items, kinds, 1)?.[2];
  return data === undefined ? null : (decodeAddress(data, data.length) as InetAddress | Inet6Address);
}

function encodeSegmentSize(byteLength: number): AncillaryItem {
  if (!(int32(byteLength, 'segment size') > 0 && byteLength <= 0xffff)) {
    throw new ValueError(`a segment has 1 to 65535 bytes, not ${byteLength}`);
  }
  return item(SOL_UDP, UDP_SEGMENT, new Uint8Array(Uint16Array.of(byteLength).buffer));
}

/**
 * Ancillary data by meaning. `decode` takes the list that `recvmsg` gave, and answers null if nothing of the kind is in it;
 * `encode` makes one entry for the list that `sendmsg` takes, and throws an OSError (ENOPROTOOPT) where the platform has no
 * such thing.
 */
export const ancillary = {
  /** Descriptors (SCM_RIGHTS). Received ones are close-on-exec and the caller's to close; [] if there are none. */
  fds: {
    encode: (fds: readonly Descriptor[]): AncillaryItem => item(SOL_SOCKET, SCM_RIGHTS, encodeFdList(fds)),
    decode: (items: readonly AncillaryItem[]): number[] =>
      items
        .filter(([level, type]) => level === SOL_SOCKET && type === SCM_RIGHTS)
        .flatMap(([, , data]) => decodeFdList(data)),
  },
  /** The sender (SCM_CREDENTIALS), once the receiver has `socketOptions.passCredentials`. Only root can lie. */
  credentials: {
    encode: (credentials: Credentials): AncillaryItem =>
      item(SOL_SOCKET, SCM_CREDENTIALS, encodeCredentials(credentials)),
    decode: (items: readonly AncillaryItem[]): Credentials | null => {
      const data = find(items, [[SOL_SOCKET, SCM_CREDENTIALS]], 12)?.[2];
      return data === undefined ? null : decodeCredentials(data);
    },
  },
  /** Destination and interface (IP_PKTINFO, IPV6_PKTINFO), once there is `socketOptions.packetInfo`; and to choose them. */
  packetInfo: { encode: encodePacketInfo, decode: decodePacketInfo },
  /** Time to live, or IPv6's hop limit (IP_TTL, IPV6_HOPLIMIT), once there is `socketOptions.receiveTtl`. */
  ttl: {
    encode: (ttl: number, family: number = AF_INET): AncillaryItem =>
      family === AF_INET6 ? intItem(IPPROTO_IPV6, IPV6_HOPLIMIT, ttl) : intItem(IPPROTO_IP, IP_TTL, ttl),
    decode: (items: readonly AncillaryItem[]): number | null =>
      findNumber(items, [
        [IPPROTO_IP, IP_TTL],
        [IPPROTO_IP, IP_RECVTTL],
        [IPPROTO_IPV6, IPV6_HOPLIMIT],
      ]),
  },
  /** Type of service with its ECN bits, or IPv6's traffic class, once there is `socketOptions.receiveTos`. */
  tos: {
    encode: (tos: number, family: number = AF_INET): AncillaryItem =>
      family === AF_INET6 ? intItem(IPPROTO_IPV6, IPV6_TCLASS, tos) : intItem(IPPROTO_IP, IP_TOS, tos),
    decode: (items: readonly AncillaryItem[]): number | null =>
      findNumber(items, [
        [IPPROTO_IP, IP_TOS],
        [IPPROTO_IP, IP_RECVTOS],
        [IPPROTO_IPV6, IPV6_TCLASS],
      ]),
  },
  /** When a datagram arrived (SO_TIMESTAMP, SO_TIMESTAMPNS), once there is `socketOptions.timestamps`. */
  timestamp: { decode: decodeTimestamp },
  /**
   * How long the datagrams are of which the bytes consist, the last one perhaps shorter: received (UDP_GRO), once there is
   * `socketOptions.udpReceiveSegments`, and to be sent (UDP_SEGMENT).
   */
  segmentSize: {
    encode: encodeSegmentSize,
    decode: (items: readonly AncillaryItem[]): number | null => findNumber(items, [[SOL_UDP, UDP_GRO]]),
  },
  /** Where a datagram was going before the firewall sent it here, once there is `socketOptions.receiveOriginalDestination`. */
  originalDestination: { decode: decodeOriginalDestination },
} as const;
