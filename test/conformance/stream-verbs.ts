// stream-verbs.ts: what actions do with streams. The counterpart of stream_verbs.py, in the same order.

import { ValueError } from '../../lib/base/errors';
import type { Socket } from '../../lib/sockets/socket';
import { StreamReader } from '../../lib/streams/stream-reader';
import { StreamReaderProtocol } from '../../lib/streams/stream-reader-protocol';
import { StreamWriter } from '../../lib/streams/stream-writer';
import type { Verb, WaitVerb } from './verbs';
import type { Frame, World } from './world';

interface Ends {
  reader: StreamReader;
  writer: StreamWriter;
}

const reader = (w: World, f: Frame, name: string): StreamReader => w.get<Ends>(f, name, 'streams').reader;
const writer = (w: World, f: Frame, name: string): StreamWriter => w.get<Ends>(f, name, 'streams').writer;

const nothing = (): null => null;

export const streamVerbs: Record<string, Verb> = {
  /** A reader and a writer over a socket. */
  streams(w, f, name: string, sock: string, limit: number) {
    const made = new StreamReader({ limit, loop: w.loop });
    const protocol = new StreamReaderProtocol(made, null, w.loop);
    const transport = w.loop._makeSocketTransport(w.get<Socket>(f, sock, 'sock'), protocol);
    w.names.set(transport, name);
    w.bind(name, 'streams', { reader: made, writer: new StreamWriter(transport, protocol, made, w.loop) });
  },
  streamWrite: (w, f, name: string, size: number) => writer(w, f, name).write(w.pattern(`write ${name}`, size)),
  streamWritelines: (w, f, name: string, sizes: number[]) =>
    writer(w, f, name).writelines(sizes.map((size) => w.pattern(`write ${name}`, size))),
  streamWriteEof: (w, f, name: string) => writer(w, f, name).writeEof(),
  streamClose: (w, f, name: string) => writer(w, f, name).close(),
  streamAbort: (w, f, name: string) => writer(w, f, name).transport.abort(),
  streamLimits: (w, f, name: string, high: number | null, low: number | null) =>
    writer(w, f, name).transport.setWriteBufferLimits(high, low),
  streamState: (w, f, name: string) => [
    reader(w, f, name).atEof(),
    reader(w, f, name).exception(),
    writer(w, f, name).isClosing(),
    writer(w, f, name).transport.isReading(),
  ],
  feedEof: (w, f, name: string) => reader(w, f, name).feedEof(),
  feedData: (w, f, name: string, text: string) => reader(w, f, name).feedData(Buffer.from(text)),
  feedException: (w, f, name: string) => reader(w, f, name).setException(new ValueError('#fed')),
};

export const streamWaits: Record<string, WaitVerb> = {
  read: (w, f, name: string, size: number) => ({ awaitable: reader(w, f, name).read(size) }),
  readexactly: (w, f, name: string, size: number) => ({ awaitable: reader(w, f, name).readexactly(size) }),
  readuntil: (w, f, name: string, separator: number[]) => ({
    awaitable: reader(w, f, name).readuntil(Uint8Array.from(separator)),
  }),
  readline: (w, f, name: string) => ({ awaitable: reader(w, f, name).readline() }),
  drainStream: (w, f, name: string) => ({ awaitable: writer(w, f, name).drain(), finish: nothing }),
  streamClosed: (w, f, name: string) => ({ awaitable: writer(w, f, name).waitClosed(), finish: nothing }),
};
