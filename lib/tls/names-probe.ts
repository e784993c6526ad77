// names-probe.ts: whether node:tls asks an SNICallback within the call that brings the client's name. Node 26 asks it in a
// turn of its own loop, which a synchronous run does not give it. Nothing says which of the two a Node does, so it is tried.

import { SSLEngine, type SSLEngineEvents } from './ssl-engine';

let atOnce: boolean | null = null;

const nothing = (): void => undefined;

function listen(output: SSLEngineEvents['output']): SSLEngineEvents {
  return { output, plain: nothing, handshakeDone: nothing, ended: nothing, failed: nothing };
}

/** One hello of a client to a server. Neither has certificates: they are looked for later, and no trusted ones are loaded. */
function probe(): boolean {
  let asked = false;
  const options = {
    SNICallback: (): void => {
      asked = true;
    },
  };
  const hello: Uint8Array[] = [];
  const client = new SSLEngine(
    { options: { ca: [] }, serverSide: false, serverHostname: 'localhost' },
    listen((chunk) => hello.push(chunk)),
  );
  const server = new SSLEngine({ options, serverSide: true, serverHostname: null }, listen(nothing));
  for (const chunk of hello) server.feed(chunk);
  const wasAsked = asked;
  for (const engine of [client, server]) engine.destroy();
  return wasAsked;
}

/** Whether servers with an `SNICallback` need no turn of Node's own loop. Tried once for each thread. */
export function asksForNamesAtOnce(): boolean {
  atOnce ??= probe();
  return atOnce;
}
