// multihomed.test.ts: a server with several addresses, as DHCP and DNS have them: one wildcard socket, and each answer leaves
// from the address that was asked. In a network namespace of its own.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { useCompiledLibrary } from '../support/compiled-library';
import { needProgram, useFolder } from './kit';

const start = promisify(execFile);
const addresses = ['10.99.0.1', '10.99.0.2', '10.99.7.1', 'fd99::1', 'fd99::2'];

const script = `
  const { Socket, socketOptions, ancillary, socketConstants: c } = fdloop;
  const addresses = ${JSON.stringify(addresses)};
  const familyOf = (host) => (host.includes(':') ? c.AF_INET6 : c.AF_INET);

  /** One wildcard socket that answers from the address it was asked at. */
  function serve(loop, family) {
    const sock = new Socket(family, c.SOCK_DGRAM);
    if (family === c.AF_INET6) socketOptions.v6Only.set(sock, true);
    socketOptions.packetInfo.set(sock, true);
    sock.bind(['', 0]);
    loop.addReader(sock, () => {
      const [data, items, , client] = sock.recvmsg(2048, 64);
      const asked = ancillary.packetInfo.decode(items);
      const answer = Buffer.from(data + ' asked at ' + asked.destination);
      sock.sendmsg([answer], [ancillary.packetInfo.encode(asked)], 0, client);
    });
    return sock;
  }

  fdloop.run(async () => {
    const loop = fdloop.getRunningLoop();
    const servers = new Map([c.AF_INET, c.AF_INET6].map((family) => [family, serve(loop, family)]));
    const results = [];
    for (const host of addresses) {
      const family = familyOf(host);
      const port = servers.get(family).getsockname()[1];
      const client = new Socket(family, c.SOCK_DGRAM);
      await loop.sockSendto(client, Buffer.from('hello'), [host, port]);
      const [data, from] = await loop.sockRecvfrom(client, 2048);
      results.push([data.toString(), from[0]]);
      client.close();
    }
    for (const server of servers.values()) { loop.removeReader(server); server.close(); }
    console.log(JSON.stringify(results));
  });`;

describe('a network namespace with several addresses', () => {
  const library = useCompiledLibrary();
  const folder = useFolder();

  beforeAll(() => needProgram('ip', 'unshare'));

  test('a UDP server on the wildcard answers from the address that was asked', async () => {
    const file = library.script(script, folder.file('server.js'));
    const setUp = [
      'ip link set lo up',
      ...addresses.map((host) =>
        host.includes(':') ? `ip -6 addr add ${host}/64 dev lo nodad` : `ip addr add ${host}/24 dev lo`,
      ),
    ].join(' && ');
    const { stdout } = await start('unshare', ['-n', 'sh', '-c', `${setUp} && exec ${process.execPath} ${file}`]);
    expect(JSON.parse(stdout)).toEqual(addresses.map((host) => [`hello asked at ${host}`, host]));
  });
});
