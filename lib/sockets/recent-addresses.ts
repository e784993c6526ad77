// recent-addresses.ts: the addresses of datagrams in both forms, without a call and an allocation for each: a server hears
// from the same peers again and again, and answers them. Addresses of IPv4 and IPv6 are remembered, others come and go
// through address.ts.

import { binding } from '../native/binding';
import { decodeAddress, encodeAddress, type Address } from './address';
import { AF_INET, AF_INET6 } from './constants';

const isInet = (family: number): boolean => family === AF_INET || family === AF_INET6;

// Senders.

/** Where `recvfromAt` leaves the address, behind its length. */
const SENDER_ADDRESS = 8;
const SENDER_WORDS = SENDER_ADDRESS / 4;
/** As many senders are remembered, one for each value of the hash. */
const SENDERS = 256;

const senderMemory = new ArrayBuffer(SENDER_ADDRESS + binding.SOCKADDR_STORAGE_SIZE);
const senderWords = new Int32Array(senderMemory);
const senderBytes = new Uint8Array(senderMemory, SENDER_ADDRESS);

interface RecentSender {
  readonly words: Int32Array;
  readonly address: readonly (string | number)[];
}
const senders: (RecentSender | undefined)[] = new Array<undefined>(SENDERS).fill(undefined);

/** What `recvfromAt` is given. */
export { senderMemory };

/** The address that the last `recvfromAt` left; null if there is none. Each answer is an array of its own. */
export function lastSender(family: number, protocol: number): Address | null {
  const length = senderWords[0];
  if (!isInet(family) || length === 0) return decodeAddress(senderBytes, length, protocol);
  const end = SENDER_WORDS + (length >> 2);
  let hash = 0;
  for (let index = SENDER_WORDS; index < end; index++) hash = Math.imul(hash ^ senderWords[index], 0x9e3779b1);
  const slot = (hash >>> 16) % SENDERS;
  const known = senders[slot];
  if (known !== undefined && isLastSender(known.words, end)) return copyOf(known.address);
  const address = decodeAddress(senderBytes, length, protocol) as RecentSender['address'];
  senders[slot] = { words: senderWords.slice(SENDER_WORDS, end), address };
  return copyOf(address);
}

function isLastSender(words: Int32Array, end: number): boolean {
  if (words.length !== end - SENDER_WORDS) return false;
  for (let index = 0; index < words.length; index++) {
    if (words[index] !== senderWords[SENDER_WORDS + index]) return false;
  }
  return true;
}

function copyOf(address: RecentSender['address']): Address {
  return (address.length === 2 ? [address[0], address[1]] : address.slice()) as unknown as Address;
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
/** The port's place in a sockaddr_in and a sockaddr_in6. */
const PORT = 2;
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
