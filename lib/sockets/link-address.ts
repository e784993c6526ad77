// link-address.ts: addresses of the families below IP and beside it (netlink, packet, vsock, CAN), in Python's forms, to
// and from the system's bytes. Called by address.ts, which knows the other families.

import { inspect } from 'node:util';

import { isBytes } from '../base/bytes';
import { typeError, ValueError } from '../base/errors';
import { binding } from '../native/binding';
import { check, errorFor } from '../native/check';
import type { NativeAddress } from '../native/types';
import { socketConstants } from './constants';

/** AF_NETLINK: a port id (0: the kernel, or one of its choice when binding) and a mask of multicast groups. */
export type NetlinkAddress = readonly [portId: number, groups: number];
/**
 * AF_PACKET: an interface ('' for any), a protocol (`ETH_P_*`, in host byte order as in Python), and what is 0 or empty
 * if left out: a packet type (`PACKET_*`), a hardware type (`ARPHRD_*`), a hardware address.
 */
export type PacketAddress = readonly [
  interfaceName: string,
  protocol: number,
  packetType?: number,
  hardwareType?: number,
  hardwareAddress?: Uint8Array,
];
/** AF_VSOCK: a context id (`VMADDR_CID_*`) and a port. */
export type VsockAddress = readonly [contextId: number, port: number];
/** AF_CAN: an interface ('' for all); with ISO-TP also the ids of both directions; with J1939 a name, a PGN, an address. */
export type CanAddress =
  | readonly [interfaceName: string]
  | readonly [interfaceName: string, rxId: number, txId: number]
  | readonly [interfaceName: string, name: bigint, pgn: number, address: number];

const { AF_NETLINK, AF_PACKET, AF_VSOCK, AF_CAN, CAN_ISOTP, CAN_J1939 } = socketConstants;

const UINT8 = 0xff;
const UINT16 = 0xffff;
const UINT32 = 0xffffffff;
const UINT64 = 0xffffffffffffffffn;
const NO_BYTES = new Uint8Array(0);

/** What an address is made of, in the order of the native codec. */
interface Parts {
  numbers: number[];
  bytes?: Uint8Array;
}

/** A family's form as a message shows it, and how it is taken apart; undefined if the value has another form. */
interface Family {
  form: string;
  take: (address: readonly unknown[]) => Parts | undefined;
}

function unsigned(value: number, largest: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= largest) return value;
  throw new ValueError(
    `a number of this address is an integer from 0 to ${largest}, not ${value}`,
    'ERR_INVALID_ADDRESS',
  );
}

function areNumbers(values: readonly unknown[]): values is number[] {
  return values.every((value) => typeof value === 'number');
}

/** The number of the interface `name`; 0 for ''. @throws OSError (ENODEV) @internal */
export function interfaceNumber(name: string): number {
  if (name === '') return 0;
  const index = binding.interfaceIndex(name);
  if (index >= 0) return index;
  // What decoding gives for an interface that has gone.
  if (/^\d{1,9}$/.test(name)) return Number(name);
  throw errorFor(index, 'if_nametoindex', { address: name });
}

/** The name of an interface; '' for 0, the number itself for one that has gone. @internal */
export function interfaceText(index: number): string {
  if (index === 0) return '';
  const name = binding.interfaceName(index);
  return typeof name === 'string' ? name : String(index);
}

const pair = (address: readonly unknown[]): Parts | undefined =>
  address.length === 2 && areNumbers(address)
    ? { numbers: address.map((number) => unsigned(number, UINT32)) }
    : undefined;

function takePacket([name, ...rest]: readonly unknown[]): Parts | undefined {
  const [protocol, packetType = 0, hardwareType = 0, bytes = NO_BYTES] = rest;
  if (typeof name !== 'string' || rest.length < 1 || rest.length > 4 || !isBytes(bytes)) return undefined;
  const numbers = [protocol, packetType, hardwareType];
  if (!areNumbers(numbers)) return undefined;
  const largest = [UINT16, UINT8, UINT16];
  return {
    numbers: [interfaceNumber(name), ...numbers.map((number, index) => unsigned(number, largest[index]))],
    bytes,
  };
}

function takeCan([name, ...rest]: readonly unknown[]): Parts | undefined {
  if (typeof name !== 'string') return undefined;
  if (rest.length === 0) return { numbers: [interfaceNumber(name)] };
  if (rest.length === 2 && areNumbers(rest)) {
    return { numbers: [interfaceNumber(name), ...rest.map((id) => unsigned(id, UINT32))] };
  }
  const [nodeName, ...numbers] = rest;
  if (rest.length !== 3 || typeof nodeName !== 'bigint' || !areNumbers(numbers)) return undefined;
  if (nodeName < 0n || nodeName > UINT64) {
    throw new ValueError(`a name has 64 bits, and is not ${nodeName}`, 'ERR_INVALID_ADDRESS');
  }
  const halves = [Number(nodeName & BigInt(UINT32)), Number(nodeName >> 32n)];
  return {
    numbers: [interfaceNumber(name), 0, 0, ...halves, unsigned(numbers[0], UINT32), unsigned(numbers[1], UINT8)],
  };
}

// A family that the platform lacks has the key `undefined`, which no socket has.
const families = new Map<number | undefined, Family>([
  [AF_NETLINK, { form: '[port id, groups]', take: pair }],
  [AF_PACKET, { form: '[interface, protocol, packet type?, hardware type?, hardware address?]', take: takePacket }],
  [AF_VSOCK, { form: '[context id, port]', take: pair }],
  [
    AF_CAN,
    { form: '[interface], [interface, rx id, tx id] or [interface, name (a bigint), pgn, address]', take: takeCan },
  ],
]);

/** Whether addresses of `family` have a form of this file. @internal */
export function isLinkFamily(family: number): boolean {
  return families.has(family);
}

/** Writes `address` into `bytes`. @returns its length @internal */
export function encodeLinkAddress(family: number, address: unknown, bytes: Uint8Array): number {
  const { form, take } = families.get(family) as Family;
  const parts = Array.isArray(address) ? take(address) : undefined;
  if (parts === undefined) throw typeError(`an address of this family is ${form}, not ${inspect(address)}`);
  const length = binding.encodeLinkAddress(family, Int32Array.from(parts.numbers), parts.bytes ?? NO_BYTES, bytes);
  return check(length, 'address', { detail: inspect(address) });
}

/** @internal */
export function decodeLinkAddress(
  raw: NativeAddress,
  protocol: number,
): NetlinkAddress | PacketAddress | VsockAddress | CanAddress {
  const [first, ...rest] = Array.from(raw.numbers as ArrayLike<number>);
  if (raw.family === AF_PACKET) {
    const [proto, packetType, hardwareType] = rest;
    return [interfaceText(first), proto, packetType, hardwareType, Buffer.from(raw.path)];
  }
  if (raw.family !== AF_CAN) return [first, rest[0]];
  const [rxId, txId, nameLow, nameHigh, pgn, address] = rest;
  if (protocol === CAN_ISOTP) return [interfaceText(first), rxId, txId];
  if (protocol === CAN_J1939) {
    return [interfaceText(first), (BigInt(nameHigh) << 32n) | BigInt(nameLow), pgn, address];
  }
  return [interfaceText(first)];
}

/** The number of a network interface. Python: socket.if_nametoindex. @throws OSError (ENODEV) */
export function ifNameToIndex(name: string): number {
  if (typeof name !== 'string') throw typeError(`the name of an interface is a string, not ${inspect(name)}`);
  return check(binding.interfaceIndex(name), 'if_nametoindex', { address: name });
}

/** The name of a network interface. Python: socket.if_indextoname. @throws OSError (ENXIO), ValueError */
export function ifIndexToName(index: number): string {
  if (typeof index !== 'number') throw typeError(`the index of an interface is a number, not ${inspect(index)}`);
  const name = binding.interfaceName(unsigned(index, UINT32));
  if (typeof name === 'string') return name;
  throw errorFor(name, 'if_indextoname', { detail: String(index) });
}
