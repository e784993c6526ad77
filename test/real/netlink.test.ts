// netlink.test.ts: the kernel's routing table, asked for over netlink.

import { execFileSync } from 'node:child_process';

import type { SelectorEventLoop } from '../../lib/event-loop';
import { getRunningLoop } from '../../lib/futures/current';
import { run } from '../../lib/runner';
import { socketConstants } from '../../lib/sockets/constants';
import { Socket } from '../../lib/sockets/socket';
import { needProgram } from './kit';

const { AF_NETLINK, SOCK_RAW, AF_INET } = socketConstants;
const NETLINK_ROUTE = 0;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const NLMSG_DONE = 3;
const NLM_F_REQUEST_DUMP = 0x301;
const HEADER = 16;
const RTMSG = 12;
const RT_TABLE_MAIN = 254;

function request(): Buffer {
  const message = Buffer.alloc(HEADER + RTMSG);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(RTM_GETROUTE, 4);
  message.writeUInt16LE(NLM_F_REQUEST_DUMP, 6);
  message.writeUInt32LE(1, 8);
  message[HEADER] = AF_INET;
  return message;
}

/** The routes of the main table in one datagram, and whether it was the last. */
function parse(data: Buffer): { routes: number; done: boolean } {
  let routes = 0;
  for (let offset = 0; offset + HEADER <= data.length;) {
    const length = data.readUInt32LE(offset);
    const type = data.readUInt16LE(offset + 4);
    if (type === NLMSG_DONE) return { routes, done: true };
    expect(type).toBe(RTM_NEWROUTE);
    if (data[offset + HEADER + 4] === RT_TABLE_MAIN) routes += 1;
    offset += Math.ceil(length / 4) * 4;
  }
  return { routes, done: false };
}

test('a dump of the routes has as many of the main table as ip(8) shows', async () => {
  needProgram('ip');
  const shown = execFileSync('ip', ['-4', 'route', 'show', 'table', 'main'], { encoding: 'utf8' });
  const routes = await run(function* () {
    const loop = getRunningLoop() as SelectorEventLoop;
    const sock = new Socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    sock.bind([0, 0]);
    yield* loop.sockSendto(sock, request(), [0, 0]);
    let count = 0;
    for (;;) {
      const [data, sender] = yield* loop.sockRecvfrom(sock, 65536);
      expect(sender).toEqual([0, 0]);
      const part = parse(data);
      count += part.routes;
      if (part.done) break;
    }
    sock.close();
    return count;
  });
  expect(routes).toBe(shown.split('\n').filter((line) => line !== '').length);
});
