// transport.ts: what a protocol of a child process is given. asyncio: transports.SubprocessTransport. How it is done is in
// subprocess-transport.ts.

import type { SignalNumber } from '../base/signal-number';
import { BaseTransport, type ReadTransport, type Transport } from '../transports/transport';

/** A child process. asyncio: SubprocessTransport. */
export abstract class SubprocessTransport extends BaseTransport {
  /** The number of the process. asyncio: get_pid. */
  abstract getPid(): number;

  /** What it exited with, or minus the signal that ended it; null while it runs. asyncio: get_returncode. */
  abstract getReturncode(): number | null;

  /** The transport of a pipe: 0 is written to, 1 and 2 are read from; null if that stream is no pipe. asyncio: get_pipe_transport. */
  abstract getPipeTransport(fd: 0): Transport | null;
  abstract getPipeTransport(fd: number): ReadTransport | null;

  /**
   * Sends a signal; nothing happens if the process has just exited. asyncio: send_signal.
   * @throws ProcessLookupError if the transport is over; TypeError, ValueError for what is no signal; OSError (EPERM, EINVAL)
   */
  abstract sendSignal(signal: SignalNumber): void;

  /** Sends SIGTERM; otherwise as `sendSignal`. */
  abstract terminate(): void;

  /** Sends SIGKILL; otherwise as `sendSignal`. */
  abstract kill(): void;
}
