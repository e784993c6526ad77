// protocol.ts: what the user writes. asyncio: protocols.py.
//
// A transport calls its protocol: connectionMade once, then data, at most one end of data, then connectionLost once.
// Between connectionMade and connectionLost, pauseWriting and resumeWriting take turns. Nothing is called after
// connectionLost. Not guaranteed: that chunks are what the peer wrote in one piece, or that connectionLost follows at once.

import { typeError } from '../base/errors';
import { describeType } from '../sockets/arguments';
import type { BaseTransport } from './transport';

/** What every protocol may define. A class that extends one of these gets calls that do nothing. */
export abstract class BaseProtocol {
  /** The connection is there. asyncio: connection_made. */
  connectionMade(_transport: BaseTransport): void {}

  /** The connection is gone: `error` says why, or is null after a regular end or an abort. asyncio: connection_lost. */
  connectionLost(_error: unknown): void {}

  /** The write buffer went above its high-water mark. asyncio: pause_writing. */
  pauseWriting(): void {}

  /** The write buffer is down to its low-water mark. asyncio: resume_writing. */
  resumeWriting(): void {}
}

/** A protocol of a byte stream. asyncio: Protocol. */
export class Protocol extends BaseProtocol {
  /** Some bytes arrived: a view that is the protocol's to keep. asyncio: data_received. */
  dataReceived(_data: Buffer): void {}

  /**
   * The peer will send no more. asyncio: eof_received.
   * @returns true to keep the transport open for writing; anything falsy closes it
   */
  eofReceived(): unknown {
    return undefined;
  }
}

/**
 * A protocol of a byte stream that brings its own memory: nothing is allocated for what arrives. A transport looks at the
 * class, so extend this one; the methods alone are not enough. asyncio: BufferedProtocol.
 */
export class BufferedProtocol extends BaseProtocol {
  /**
   * Where the next bytes shall go; must not be empty. It may be asked for without anything arriving.
   * @param _sizeHint a wish, in bytes; -1 if there is none
   */
  getBuffer(_sizeHint: number): Uint8Array {
    return new Uint8Array(0);
  }

  /** `byteCount` bytes are in the buffer that was asked for last. asyncio: buffer_updated. */
  bufferUpdated(_byteCount: number): void {}

  /** As `Protocol.eofReceived`. */
  eofReceived(): unknown {
    return undefined;
  }
}

/** A protocol of datagrams. asyncio: DatagramProtocol. */
export class DatagramProtocol extends BaseProtocol {
  /** asyncio: datagram_received. */
  datagramReceived(_data: Buffer, _address: unknown): void {}

  /** A send or receive failed with an error of the system; the transport stays open. asyncio: error_received. */
  errorReceived(_error: unknown): void {}
}

/** A protocol of either kind of byte stream. */
export type StreamProtocol = Protocol | BufferedProtocol;

/** @throws TypeError for what no transport can be told to, such as what a factory gives that forgets to return @internal */
export function checkProtocol(protocol: unknown): void {
  const { connectionMade } = (protocol ?? {}) as Partial<BaseProtocol>;
  if (typeof connectionMade !== 'function') {
    throw typeError(`a protocol is an object with connectionMade(), not ${describeType(protocol)}`);
  }
}
