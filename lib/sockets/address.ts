// address.ts: socket addresses as JavaScript values, in Python's forms, to and from the system's bytes.

import { networkInterfaces } from 'node:os';
import { inspect } from 'node:util';

import { isBytes } from '../base/bytes';
import { typeError, ValueError } from '../base/errors';
import { binding } from '../native/binding';
import { errorFor } from '../native/check';
import { AF_INET, AF_INET6, AF_UNIX, AF_VSOCK } from './constants';
import {
  decodeLinkAddress,
  encodeLinkAddress,
  isLinkFamily,
  type CanAddress,
  type NetlinkAddress,
  type PacketAddress,
  type VsockAddress,
} from './link-address';

/** IPv4: host and port. A host is a numeric address, '' (any) or '<broadcast>'. */
export type InetAddress = readonly [host: string, port: number];
/** IPv6: host, port, flow information and scope id; the last two may be left out. */
export type Inet6Address = readonly [host: string, port: number, flowInfo?: number, scopeId?: number];
/** Unix: a path; with a leading NUL an abstract name; '' if unnamed. Bytes where it is no UTF-8. */
export type UnixAddress = string | Uint8Array;

/** A family that has no form of its own here: the system's bytes (a whole sockaddr, with the family at its start). */
export type RawAddress = Uint8Array;

/** An address of a socket, in the form that belongs to the socket's family. */
export type Address =
  InetAddress | Inet6Address | UnixAddress | NetlinkAddress | PacketAddress | VsockAddress | CanAddress | RawAddress;

/** An address in the system's form. */
export interface EncodedAddress {
  bytes: Uint8Array;
  length: number;
}

const LARGEST_PORT = 0xffff;
const LARGEST_FLOW_INFO = 0xfffff;
const LARGEST_SCOPE_ID = 0xffffffff;

function hostLiteral(family: number, host: string): string {
  if (host === '') return family === AF_INET ? '0.0.0.0' : '::';
  if (host === '<broadcast>' && family === AF_INET) return '255.255.255.255';
  return host;
}

function encodeInet(family: number, address: Address): EncodedAddress {
  if (!hasInetForm(family, address)) {
    const form = family === AF_INET ? '[host, port]' : '[host, port, flowInfo?, scopeId?]';
    throw typeError(`an address of this family is ${form}, not ${inspect(address)}`);
  }
  const [text, port, flowInfo = 0, givenScope = 0] = address;
  if (!Number.isInteger(port) || port < 0 || port > LARGEST_PORT) {
    throw new ValueError(`a port is an integer from 0 to ${LARGEST_PORT}, not ${inspect(port)}`, 'ERR_SOCKET_BAD_PORT');
  }
  const [host, zone] = family === AF_INET6 ? (text.split('%', 2) as [string, string?]) : [text];
  const scopeId = zone === undefined ? givenScope : scopeOfZone(zone, text);
  if (!isUnsigned(flowInfo, LARGEST_FLOW_INFO) || !isUnsigned(scopeId, LARGEST_SCOPE_ID)) {
    throw new ValueError(
      `a flow information is an integer of 20 bits, and a scope id one of 32, none negative: ${inspect(address)}`,
      'ERR_INVALID_ADDRESS',
    );
  }
  const bytes = new Uint8Array(binding.SOCKADDR_STORAGE_SIZE);
  const length = binding.encodeInetAddress(family, hostLiteral(family, host), port, flowInfo, scopeId, bytes);
  if (length < 0) throw invalidHost(text);
  return { bytes, length };
}

function hasInetForm(family: number, address: unknown): address is Inet6Address {
  if (!Array.isArray(address)) return false;
  const [host, ...numbers] = address as [unknown, ...unknown[]];
  const most = family === AF_INET ? 1 : 3;
  const isNumber = (value: unknown, index: number): boolean =>
    typeof value === 'number' || (index > 0 && value === undefined);
  return typeof host === 'string' && numbers.length >= 1 && numbers.length <= most && numbers.every(isNumber);
}

function isUnsigned(value: number, largest: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= largest;
}

function invalidHost(text: string): ValueError {
  return new ValueError(`${inspect(text)} is no numeric address of this family`, 'ERR_INVALID_ADDRESS');
}

/** The number of a zone, which is one already or the name of an interface. */
function scopeOfZone(zone: string, text: string): number {
  if (/^\d+$/.test(zone)) return Number(zone);
  const found = networkInterfaces()[zone]?.find(({ scopeid }) => scopeid !== undefined && scopeid !== 0);
  if (found?.scopeid === undefined) throw invalidHost(text);
  return found.scopeid;
}

function encodeUnix(address: Address): EncodedAddress {
  if (typeof address !== 'string' && !isBytes(address)) {
    throw typeError(`an address of a Unix socket is a string or bytes, not ${inspect(address)}`);
  }
  const path = typeof address === 'string' ? Buffer.from(address) : address;
  // Differs from asyncio, where the path ends there: it would be another one (UNIX-016).
  if (path.indexOf(0) > 0) {
    throw new ValueError(`a path cannot have a NUL in it: ${inspect(address)}`, 'ERR_INVALID_ADDRESS');
  }
  const bytes = new Uint8Array(binding.SOCKADDR_STORAGE_SIZE);
  const length = binding.encodeUnixAddress(path, bytes);
  if (length < 0) throw errorFor(length, 'address', addressFields(address));
  return { bytes, length };
}

const FAMILY_SIZE = 2;

function encodeRaw(family: number, address: Address): EncodedAddress {
  if (!isBytes(address)) {
    throw typeError(`an address of the family ${family} is its bytes, not ${inspect(address)}`);
  }
  if (address.length < FAMILY_SIZE || address.length > binding.SOCKADDR_STORAGE_SIZE) {
    throw new ValueError(
      `an address has ${FAMILY_SIZE} to ${binding.SOCKADDR_STORAGE_SIZE} bytes, not ${address.length}`,
      'ERR_INVALID_ADDRESS',
    );
  }
  return { bytes: address, length: address.length };
}

/**
 * @throws TypeError for the wrong form, ValueError for a bad port (ERR_SOCKET_BAD_PORT) or a host that is no numeric
 * address (ERR_INVALID_ADDRESS), OSError (ENAMETOOLONG, ENODEV)
 */
export function encodeAddress(family: number, address: Address): EncodedAddress {
  if (family === AF_INET || family === AF_INET6) return encodeInet(family, address);
  if (family === AF_UNIX) return encodeUnix(address);
  if (!isLinkFamily(family)) return encodeRaw(family, address);
  const bytes = new Uint8Array(binding.SOCKADDR_STORAGE_SIZE);
  return { bytes, length: encodeLinkAddress(family, address, bytes) };
}

/** The address in `bytes`; null if there is none. Which form one of CAN has depends on the socket's protocol. */
export function decodeAddress(bytes: Uint8Array, length: number, protocol = 0): Address | null {
  if (length === 0) return null;
  const raw = binding.decodeAddress(bytes, length);
  if (raw.family === AF_INET) return [raw.host, raw.port];
  if (raw.family === AF_INET6) return [raw.host, raw.port, raw.flowInfo, raw.scopeId];
  if (raw.family === AF_UNIX) return decodeUnixPath(raw.path);
  if (raw.numbers !== undefined) return decodeLinkAddress(raw, protocol);
  return Buffer.from(bytes.subarray(0, length));
}

function decodeUnixPath(path: Uint8Array): UnixAddress {
  const bytes = Buffer.from(path);
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : bytes;
}

/** Where the address lies in a sockaddr_in and a sockaddr_in6, and how long it is. */
const inetPlace = (family: number): [start: number, end: number] => (family === AF_INET ? [4, 8] : [8, 24]);

/** The 4 or 16 bytes of a numeric host in network order. @throws ValueError @internal */
export function hostBytes(family: number, host: string): Uint8Array {
  return encodeInet(family, [host, 0]).bytes.slice(...inetPlace(family));
}

/** The numeric host of 4 or 16 bytes. @internal */
export function hostText(bytes: Uint8Array): string {
  const family = bytes.length === 4 ? AF_INET : AF_INET6;
  const { bytes: address, length } = encodeInet(family, ['', 0]);
  address.set(bytes, inetPlace(family)[0]);
  return binding.decodeAddress(address, length).host;
}

/** An address in a message, and the fields of an error. The second part is a port in the families that have ports. */
export function addressFields(address: Address | null, family?: number): { address?: string; port?: number } {
  if (address === null) return {};
  if (Array.isArray(address)) {
    const [first, second] = address as readonly unknown[];
    const hasPort = family === undefined || family === AF_INET || family === AF_INET6 || family === AF_VSOCK;
    return hasPort && typeof second === 'number'
      ? { address: String(first), port: second }
      : { address: String(first) };
  }
  if (typeof address === 'string') return { address };
  const bytes = Buffer.from(address as Uint8Array);
  return { address: bytes.toString(family === undefined || family === AF_UNIX ? 'utf8' : 'hex') };
}

/** What a text says of a socket's ends: those that have an address. @internal */
export function shownAddresses(socket: { getsockname(): Address | null; getpeername(): Address | null }): string {
  const end = (name: string, addressOf: () => Address | null): string => {
    try {
      const address = addressOf();
      return address === null || address.length === 0 ? '' : ` ${name}=${inspect(address, { breakLength: Infinity })}`;
    } catch {
      // Not connected, or closed elsewhere.
      return '';
    }
  };
  return end('laddr', () => socket.getsockname()) + end('raddr', () => socket.getpeername());
}
