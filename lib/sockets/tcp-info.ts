// tcp-info.ts: what the kernel knows of a TCP connection (TCP_INFO), taken apart. Linux's layout, which only ever grows:
// what an older kernel does not have yet is not there.

import { endianness } from 'node:os';

/** The states of a TCP connection, by the kernel's numbers. */
const STATES = [
  '',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
];

/**
 * A TCP connection as the kernel sees it. Times are seconds, rates bytes per second, sizes bytes, windows segments where
 * the kernel counts them so. The names are the kernel's (`tcpi_snd_cwnd` is `sndCwnd`); what it does not have is not there.
 */
export type TcpInfo = { state: string } & Partial<Record<TcpInfoField, number>>;

// size of the field, factor to the unit that is promised; the order is that of struct tcp_info.
const MICROSECONDS = 1e-6;
const MILLISECONDS = 1e-3;

type Row = readonly [name: string, size: 1 | 2 | 4 | 8, factor?: number];

const rows = [
  ['caState', 1],
  ['retransmits', 1],
  ['probes', 1],
  ['backoff', 1],
  ['options', 1],
  ['windowScales', 1],
  ['flags', 1],
  ['rto', 4, MICROSECONDS],
  ['ato', 4, MICROSECONDS],
  ['sndMss', 4],
  ['rcvMss', 4],
  ['unacked', 4],
  ['sacked', 4],
  ['lost', 4],
  ['retrans', 4],
  ['fackets', 4],
  ['lastDataSent', 4, MILLISECONDS],
  ['lastAckSent', 4, MILLISECONDS],
  ['lastDataRecv', 4, MILLISECONDS],
  ['lastAckRecv', 4, MILLISECONDS],
  ['pmtu', 4],
  ['rcvSsthresh', 4],
  ['rtt', 4, MICROSECONDS],
  ['rttvar', 4, MICROSECONDS],
  ['sndSsthresh', 4],
  ['sndCwnd', 4],
  ['advmss', 4],
  ['reordering', 4],
  ['rcvRtt', 4, MICROSECONDS],
  ['rcvSpace', 4],
  ['totalRetrans', 4],
  ['pacingRate', 8],
  ['maxPacingRate', 8],
  ['bytesAcked', 8],
  ['bytesReceived', 8],
  ['segsOut', 4],
  ['segsIn', 4],
  ['notsentBytes', 4],
  ['minRtt', 4, MICROSECONDS],
  ['dataSegsIn', 4],
  ['dataSegsOut', 4],
  ['deliveryRate', 8],
  ['busyTime', 8, MICROSECONDS],
  ['rwndLimited', 8, MICROSECONDS],
  ['sndbufLimited', 8, MICROSECONDS],
  ['delivered', 4],
  ['deliveredCe', 4],
  ['bytesSent', 8],
  ['bytesRetrans', 8],
  ['dsackDups', 4],
  ['reordSeen', 4],
  ['rcvOoopack', 4],
  ['sndWnd', 4],
  ['rcvWnd', 4],
  ['rehash', 4],
  ['totalRto', 2],
  ['totalRtoRecoveries', 2],
  ['totalRtoTime', 4, MILLISECONDS],
] as const satisfies readonly Row[];

export type TcpInfoField = (typeof rows)[number][0];

const LITTLE = endianness() === 'LE';

function read(view: DataView, offset: number, size: number): number {
  switch (size) {
    case 1:
      return view.getUint8(offset);
    case 2:
      return view.getUint16(offset, LITTLE);
    case 4:
      return view.getUint32(offset, LITTLE);
    default:
      return Number(view.getBigUint64(offset, LITTLE));
  }
}

/** More than any kernel has. @internal */
export const TCP_INFO_ROOM = 512;

/** @internal */
export function decodeTcpInfo(data: Uint8Array): TcpInfo {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const info: TcpInfo = { state: STATES[data[0]] ?? String(data[0]) };
  let offset = 1;
  for (const [name, size, factor = 1] of rows as readonly Row[]) {
    // Aligned by its size, as C does.
    offset = Math.ceil(offset / size) * size;
    if (offset + size > data.length) break;
    info[name as TcpInfoField] = read(view, offset, size) * factor;
    offset += size;
  }
  return info;
}
