// reuseport.test.ts: many processes accept on one port.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as net from 'node:net';

import { useCompiledLibrary } from '../support/compiled-library';
import { useFolder } from './kit';

const library = useCompiledLibrary();
const folder = useFolder();

const PROCESSES = 16;
const CONNECTIONS = 400;

const server = (port: number): string => `
  class Naming extends fdloop.Protocol {
    connectionMade(transport) { transport.write(Buffer.from(String(process.pid))); transport.close(); }
  }
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
  fdloop.run(async () => {
    const loop = fdloop.getRunningLoop();
    const server = await loop.createServer(() => new Naming(), '127.0.0.1', ${port}, { reusePort: true });
    console.log(server.sockets[0].getsockname()[1]);
    await server.serveForever();
  });`;

function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = net.connect(port, '127.0.0.1');
    let text = '';
    client.on('data', (chunk: Buffer) => (text += chunk.toString()));
    client.on('close', () => resolve(text));
    client.on('error', reject);
  });
}

test('sixteen processes share one port, and every connection is served by one of them', async () => {
  let files = 0;
  const start = async (port: number): Promise<{ child: ChildProcess; port: number }> => {
    const file = library.script(server(port), folder.file(`server-${files++}.js`));
    const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return { child, port: Number(line.toString()) };
  };
  const first = await start(0);
  const others = await Promise.all(Array.from({ length: PROCESSES - 1 }, () => start(first.port)));
  const children = [first, ...others].map(({ child }) => child);

  const served = new Map<string, number>();
  for (let count = 0; count < CONNECTIONS; count += 20) {
    for (const pid of await Promise.all(Array.from({ length: 20 }, () => ask(first.port)))) {
      served.set(pid, (served.get(pid) ?? 0) + 1);
    }
  }
  for (const child of children) child.stdin?.end();
  await Promise.all(children.map((child) => once(child, 'exit')));

  const pids = children.map((child) => String(child.pid));
  expect([...served.keys()].filter((pid) => !pids.includes(pid))).toEqual([]);
  expect([...served.values()].reduce((sum, count) => sum + count, 0)).toBe(CONNECTIONS);
  // The kernel spreads by a hash of the addresses: with 25 connections for each, hardly one goes without.
  expect(served.size).toBeGreaterThan(PROCESSES / 2);
}, 60_000);
