// control.ts: control data (what travels beside the bytes of a message) as JavaScript values. What the entries mean is
// told in ancillary.ts.

import { isBytes } from '../base/bytes';
import { typeError } from '../base/errors';
import { binding } from '../native/binding';
import { check } from '../native/check';
import { describeType, int32, size } from './arguments';

/** One entry of control data, with its bytes as the system lays them out. Python: a tuple in `ancdata`. */
export type AncillaryItem = readonly [level: number, type: number, data: Uint8Array];

/** How many bytes one entry with so many bytes needs as the last one: the least room. Python: socket.CMSG_LEN. */
export function cmsgLen(byteLength: number): number {
  return check(binding.controlLength(size(byteLength, 'byte length')), 'cmsgLen');
}

/** How many bytes one entry with so many bytes needs, with the gap up to a next one. Python: socket.CMSG_SPACE. */
export function cmsgSpace(byteLength: number): number {
  return check(binding.controlSpace(size(byteLength, 'byte length')), 'cmsgSpace');
}

const NOTHING = new Uint8Array(0);

/** Control data in the system's layout. @internal */
export function encodeControl(items: unknown): Uint8Array {
  if (!Array.isArray(items)) throw typeError(`ancillary data must be an array, not ${describeType(items)}`);
  let room = 0;
  for (const item of items as unknown[]) {
    const data = Array.isArray(item) && item.length === 3 ? (item as unknown[])[2] : undefined;
    if (!isBytes(data)) throw typeError('ancillary data is made of [level, type, bytes]');
    room += cmsgSpace(data.byteLength);
  }
  if (room === 0) return NOTHING;
  const control = new Uint8Array(size(room, 'length of the ancillary data'));
  let offset = 0;
  for (const [level, type, data] of items as AncillaryItem[]) {
    const next = binding.appendControl(control, offset, int32(level, 'level'), int32(type, 'type'), data);
    offset = check(next, 'sendmsg');
  }
  return control;
}

const entry = new Int32Array(4);

/** The entries of control data, each with bytes of its own. One that was cut has what there is of it. @internal */
export function decodeControl(control: Uint8Array, length: number): AncillaryItem[] {
  const items: AncillaryItem[] = [];
  for (let offset = 0; offset < length;) {
    offset = binding.nextControl(control, length, offset, entry);
    if (offset <= 0) break;
    const [level, type, start, count] = entry;
    items.push([level, type, Buffer.from(control.subarray(start, start + count))]);
  }
  return items;
}
