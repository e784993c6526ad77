// recent-addresses.ts: addresses of IPv4 and IPv6 in both forms, without a call and objects of the system's for each: a server
// meets the same hosts again and again. Others come and go through address.ts.

import { binding } from '../native/binding';
import { decodeAddress, encodeAddress, type Address } from './address';
import { AF_INET, AF_INET6 } from './constants';

/** The port's place in a sockaddr_in and a sockaddr_in6. */
const PORT = 2;

// From the system.

/** Where the address lies in the room that calls such as `acceptAt` get, behind its length. */
const SOCKADDR = 8;
const memory = new ArrayBuffer(SOCKADDR + binding.SOCKADDR_STORAGE_SIZE);

/** Where calls leave an address: the room of all sockets. Nothing of it outlives the next call. */
export const lastAddress = {
  memory,
  /** One element. */
  lengths: new Int32Array(memory, 0, 1),
  bytes: new Uint8Array(memory, SOCKADDR),
  /** The bytes as words, which are quicker to compare. */
  words: new Int32Array(memory, SOCKADDR),
};

/** What the first word says beside the port: the family. */
const FIRST_WORD = new Int32Array(new Uint8Array([0xff, 0xff, 0, 0]).buffer)[0];

/** How an address of a family begins and how long it is: others may be as long, and have no port, or elsewhere. */
function formOf(family: number): { first: number; length: number } {
  const { bytes, length } = encodeAddress(family, ['', 0]);
  return { first: new Int32Array(bytes.buffer)[0] & FIRST_WORD, length };
}
const inet = formOf(AF_INET);
const inet6 = formOf(AF_INET6);

/** As many addresses are remembered, one for each value of the hash. */
const REMEMBERED = 256;

interface RecentAddress {
  readonly words: Int32Array;
  readonly address: readonly (string | number)[];
}
const remembered: (RecentAddress | undefined)[] = new Array<undefined>(REMEMBERED).fill(undefined);

/**
 * As `decodeAddress`, for what the last call left. Each answer is an array of its own. The port is no part of what
 * is remembered: a peer has another one with each connection.
 */
export function decodeRecent(protocol = 0): Address | null {
  const { bytes, words } = lastAddress;
  const length = lastAddress.lengths[0];
  const first = words[0] & FIRST_WORD;
  const isKnownForm =
    (first === inet.first && length === inet.length) || (first === inet6.first && length === inet6.length);
  if (!isKnownForm) return decodeAddress(bytes, length, protocol);
  const end = length >> 2;
  let hash = first;
  for (let index = 1; index < end; index++) hash = Math.imul(hash ^ words[index], 0x9e3779b1);
  const slot = (hash >>> 16) % REMEMBERED;
  const known = remembered[slot];
  if (known !== undefined && isSame(known.words, words, end)) return withPort(known.address, bytes);
  const address = decodeAddress(bytes, length, protocol) as RecentAddress['address'];
  remembered[slot] = { words: words.slice(0, end), address };
  return withPort(address, bytes);
}

function isSame(known: Int32Array, words: Int32Array, end: number): boolean {
  if (known.length !== end || ((known[0] ^ words[0]) & FIRST_WORD) !== 0) return false;
  for (let index = 1; index < end; index++) {
    if (known[index] !== words[index]) return false;
  }
  return true;
}

function withPort(address: RecentAddress['address'], bytes: Uint8Array): Address {
  const port = (bytes[PORT] << 8) | bytes[PORT + 1];
  const parts = address.length === 2 ? [address[0], port] : [address[0], port, address[2], address[3]];
  return parts as unknown as Address;
}

// Targets.

/** An address as `sendtoFrom` takes it. Valid until the next one is asked for. */
export interface Target {
  readonly memory: ArrayBuffer;
  readonly length: number;
}

interface RecentTarget extends Target {
  readonly bytes: Uint8Array;
}

const TARGETS = 1024;
const LARGEST_PORT = 0xffff;

const targets = new Map<number, Map<string, RecentTarget>>();
for (const family of [AF_INET, AF_INET6]) targets.set(family, new Map());

/** Whether the host and the port are all that the address says. */
function isPlain(address: Address): address is readonly [string, number] {
  if (!Array.isArray(address)) return false;
  const [host, port, flowInfo, scopeId] = address as readonly unknown[];
  return (
    typeof host === 'string' &&
    Number.isInteger(port) &&
    (port as number) >= 0 &&
    (port as number) <= LARGEST_PORT &&
    (address.length === 2 || (address.length === 4 && flowInfo === 0 && scopeId === 0))
  );
}

/** @throws what `encodeAddress` throws */
export function targetOf(family: number, address: Address): Target {
  const known = targets.get(family);
  if (known === undefined || !isPlain(address) || (family === AF_INET && address.length !== 2)) {
    return encode(family, address);
  }
  const [host, port] = address;
  let target = known.get(host);
  if (target === undefined) {
    target = encode(family, address);
    // The number of a zone's interface may change.
    if (host.includes('%')) return target;
    if (known.size === TARGETS) known.clear();
    known.set(host, target);
  }
  target.bytes[PORT] = port >> 8;
  target.bytes[PORT + 1] = port & 0xff;
  return target;
}

function encode(family: number, address: Address): RecentTarget {
  const { bytes, length } = encodeAddress(family, address);
  const copy = bytes.slice(0, length);
  return { memory: copy.buffer, bytes: copy, length };
}
