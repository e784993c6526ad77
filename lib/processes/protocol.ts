// protocol.ts: what the user of a child process writes. asyncio: protocols.SubprocessProtocol.
//
// connectionMade comes first and connectionLost last, when the process has exited and all its pipes are closed. In between, data
// of a pipe comes before its end; what belongs to different pipes, and to the process itself, has no order.

import { BaseProtocol } from '../transports/protocol';

/** A protocol of a child process. `connectionMade` is given a `SubprocessTransport`. asyncio: SubprocessProtocol. */
export class SubprocessProtocol extends BaseProtocol {
  /** The child wrote to its descriptor 1 or 2. asyncio: pipe_data_received. */
  pipeDataReceived(_fd: number, _data: Buffer): void {}

  /** A pipe (0, 1 or 2) is closed, at either end; `error` is null if all is well. asyncio: pipe_connection_lost. */
  pipeConnectionLost(_fd: number, _error: unknown): void {}

  /** The process has exited; there may be more data all the same. asyncio: process_exited. */
  processExited(): void {}
}
