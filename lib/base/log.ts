// log.ts: the library's log. Warnings and errors go to stderr unless somebody takes the log over; the rest is shown
// under NODE_DEBUG=fdloop. asyncio: log.py (the logger named "asyncio").

import { debuglog } from 'node:util';

import { isFatal } from './errors';
import { textOf } from './text';

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

export interface LogRecord {
  level: LogLevel;
  message: string;
  /** The exception that the record is about, if any. */
  error?: unknown;
}

const trace = debuglog('fdloop');

function writeToStderr(record: LogRecord): void {
  const text = record.error === undefined ? record.message : `${record.message}\n${textOf(record.error)}`;
  if (record.level === 'debug' || record.level === 'info') trace('%s', text);
  else process.stderr.write(`fdloop ${record.level}: ${text}\n`);
}

let sink: (record: LogRecord) => void = writeToStderr;

/**
 * Sends every record of the library to `receiver`; `null` restores the standard way (stderr for warnings and errors).
 * @returns the receiver that was set before
 */
export function setLogReceiver(receiver: ((record: LogRecord) => void) | null): ((record: LogRecord) => void) | null {
  const previous = sink === writeToStderr ? null : sink;
  sink = receiver ?? writeToStderr;
  return previous;
}

// A receiver's fault must not become that of whoever had something to say.
function emit(record: LogRecord): void {
  try {
    sink(record);
  } catch (error) {
    if (isFatal(error)) throw error;
    writeToStderr(record);
    writeToStderr({ level: 'error', message: 'the log receiver threw an exception', error });
  }
}

/** @internal */
export const logger = {
  debug: (message: string, error?: unknown): void => emit({ level: 'debug', message, error }),
  info: (message: string, error?: unknown): void => emit({ level: 'info', message, error }),
  warning: (message: string, error?: unknown): void => emit({ level: 'warning', message, error }),
  error: (message: string, error?: unknown): void => emit({ level: 'error', message, error }),
};
