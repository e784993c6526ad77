// water-marks.ts: the numbers of TLS's flow control. asyncio: constants.py, sslproto.add_flowcontrol_defaults.

import { ValueError } from '../base/errors';

/** Bytes at which writing is paused, and at which the transport below is no longer read. The low marks are a quarter. */
export const SSL_HIGH_WATER_WRITE = 512 * 1024;
export const SSL_HIGH_WATER_READ = 256 * 1024;

/** [low, high] of what was asked for. @throws ValueError unless high >= low >= 0 */
export function waterMarks(high: number | null, low: number | null, standard: number): [low: number, high: number] {
  const top = high ?? (low === null ? standard : 4 * low);
  const bottom = low ?? Math.floor(top / 4);
  if (!(top >= bottom && bottom >= 0)) {
    throw new ValueError(`high (${top}) must be at least low (${bottom}), and low at least 0`);
  }
  return [bottom, top];
}
