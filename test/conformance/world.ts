// world.ts: what one program lives in: its named things and its trace. The counterpart of world.py.

import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { types } from 'node:util';

import {
  CancelledError,
  ExceptionGroup,
  InvalidStateError,
  KeyboardInterrupt,
  makeOSError,
  OSError,
  RuntimeError,
  SystemExit,
  ValueError,
} from '../../lib/base/errors';
import type { ExceptionContext } from '../../lib/loop/exception-handler';
import type { VirtualClock } from '../../lib/loop/driver';
import type { VirtualLoop } from './virtual-loop';

export const START = 1000;
const MAX_ITERATIONS = 250;
const MAX_ENTRIES = 1500;
export const MAX_DEPTH = 8;

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Action = [verb: string, ...args: Json[]];

export interface Template {
  kind?: 'plain' | 'buffered' | 'process';
  /** Bytes that a buffered protocol offers. */
  buffer?: number;
  /** Shows no data before startTls has given it another transport. */
  deaf?: boolean;
  /** What the factory does besides making the protocol. */
  factory?: Action[];
  on?: Record<string, Action[]>;
}

export interface Program {
  title?: string;
  /** The selectors for which the trace holds; all if left out. */
  selectors?: string[];
  /**
   * What of Unix the trace shows: of sockets names in the file system, how much Linux buffers, how a peer that closed is told;
   * signals that arrive before the call returns which sends them; children whose end a descriptor tells.
   */
  unix?: 'paths' | 'buffers' | 'ends' | 'signals' | 'children';
  /** Gives the kernel a moment before each look: for TCP, whose delivery takes its time. */
  quiet?: boolean;
  main: Action[];
  bodies?: Record<string, Action[]>;
  protocols?: Record<string, Template>;
}

export type Trace = Json[];

/** An action names a thing that is not there, or not of the right kind: it is skipped. */
export class Unbound extends Error {}

/** The program ran for too long: its trace ends here. */
export class Limit extends Error {}

/** One run of a body of actions. */
export class Frame {
  caught: unknown = null;

  constructor(
    readonly who: string,
    readonly kind: 'main' | 'callback' | 'coroutine',
    readonly protocol: { transport: unknown } | null = null,
    readonly depth = 0,
  ) {}
}

type ErrorMaker = new (message?: string) => Error;

const system = (code: string): ErrorMaker =>
  function make(message = ''): Error {
    return makeOSError(message, { code, errno: -1 });
  } as unknown as ErrorMaker;

const errors: Record<string, ErrorMaker> = {
  ValueError: ValueError as ErrorMaker,
  RuntimeError: RuntimeError as ErrorMaker,
  TypeError,
  OSError: system('EIO'),
  ConnectionResetError: system('ECONNRESET'),
  BrokenPipeError: system('EPIPE'),
  TimeoutError: system('ETIMEDOUT'),
  BlockingIOError: system('EAGAIN'),
  CancelledError,
  InvalidStateError,
  SystemExit,
  KeyboardInterrupt,
};

export function makeError(name: string, message?: Json): Error {
  return new errors[name](message == null ? undefined : String(message));
}

export function errorClass(name: string): unknown {
  return errors[name];
}

interface Gist {
  kind: string;
  fdloop: string;
}

const gists = JSON.parse(readFileSync(path.join(__dirname, 'gists.json'), 'utf8')) as Gist[];
const patterns = gists.map(({ kind, fdloop }) => ({ kind, pattern: new RegExp(fdloop) }));

export function gistOf(message: string): string {
  return patterns.find(({ pattern }) => pattern.test(message))?.kind ?? `unknown: ${message}`;
}

function adler(data: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (const byte of data) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return high * 65536 + low;
}

export type Kind =
  | ('handle' | 'future' | 'task' | 'sock' | 'number' | 'transport' | 'memory' | 'server' | 'address')
  | ('lock' | 'event' | 'condition' | 'semaphore' | 'barrier' | 'queue' | 'streams' | 'pipe' | 'process');

export class World {
  readonly bodies: Record<string, Action[]>;
  readonly templates: Record<string, Template>;
  readonly trace: Trace = [];
  readonly things = new Map<string, { kind: Kind; value: unknown }>();
  readonly names = new Map<unknown, string>();
  readonly callbacks = new Map<string, (...args: unknown[]) => void>();
  readonly counters = new Map<string, number>();
  readonly contexts = new Map<string, unknown>();
  readonly paths: string[] = [];
  readonly files: number[] = [];
  iteration = 0;
  depth = 0;
  dead = false;
  loop!: VirtualLoop;

  constructor(
    readonly program: Program,
    readonly clock: VirtualClock,
    /** How coroutines are written: async functions, generators, or async functions that call generators. */
    readonly coroutines: 'async' | 'generator' | 'mixed',
  ) {
    this.bodies = program.bodies ?? {};
    this.templates = program.protocols ?? {};
  }

  // The trace.

  record(who: string, what: string, ...details: Json[]): void {
    if (this.dead) return;
    this.trace.push([this.iteration, this.clock.now(), who, what, ...details]);
    if (this.trace.length >= MAX_ENTRIES) this.endByLimit();
  }

  endByLimit(): void {
    if (!this.dead) this.trace.push(['limit']);
    this.dead = true;
  }

  beginIteration(): void {
    this.iteration += 1;
    if (this.iteration > MAX_ITERATIONS) this.endByLimit();
    if (this.dead) throw new Limit();
  }

  encode(value: unknown): Json {
    if (value === null || value === undefined) return null;
    if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') return value;
    if (value instanceof Uint8Array) return { bytes: value.length, adler: adler(value) };
    // An error of the engine may be of another realm under jest.
    if (value instanceof Error || types.isNativeError(value)) return this.encodeError(value);
    if (Array.isArray(value)) return value.map((item) => this.encode(item));
    return { is: this.names.get(value) ?? 'object' };
  }

  encodeError(error: Error): Json {
    if ((error as { code?: string }).code === 'ERR_DEADLOCK') return { error: 'stuck' };
    const coded: { [key: string]: Json } = { error: error.name };
    if (error instanceof ExceptionGroup) coded.errors = error.errors.map((inner) => this.encode(inner));
    if (error.message.startsWith('#')) coded.message = error.message;
    else if (error instanceof OSError && error.message !== '' && error.errno !== 0) coded.code = error.code;
    return coded;
  }

  encodeContext(context: ExceptionContext): { kind: string; keys: string[]; exception: Json } {
    return {
      kind: gistOf(context.message === undefined || context.message === '' ? noMessage : context.message),
      keys: Object.keys(context).sort(),
      exception: this.encode(context.exception),
    };
  }

  // Named things.

  bind<T>(name: string, kind: Kind, value: T): T {
    this.things.set(name, { kind, value });
    this.names.set(value, name);
    return value;
  }

  get<T>(frame: Frame, name: string, ...kinds: Kind[]): T {
    if (name === '@') {
      const transport = frame.protocol?.transport ?? null;
      if (transport === null || !kinds.includes('transport')) throw new Unbound();
      return transport as T;
    }
    const thing = this.things.get(name);
    if (thing === undefined || !kinds.includes(thing.kind)) throw new Unbound();
    return thing.value as T;
  }

  /** A socket as an object, or as its number: "a" or "a#". */
  fd<T>(frame: Frame, ref: string): T {
    return this.get<T>(frame, ref, ref.endsWith('#') ? 'number' : 'sock');
  }

  body(name: string): Action[] {
    if (!(name in this.bodies)) throw new Unbound();
    return this.bodies[name];
  }

  count(key: string): number {
    const count = (this.counters.get(key) ?? 0) + 1;
    this.counters.set(key, count);
    return count;
  }

  /** The next `size` bytes of a stream whose bytes tell their position. */
  pattern(key: string, size: number): Buffer {
    const offset = this.counters.get(key) ?? 0;
    this.counters.set(key, offset + size);
    const data = Buffer.allocUnsafe(size);
    for (let index = 0; index < size; index++) data[index] = (offset + index) % 251;
    return data;
  }
}

const noMessage = 'Unhandled exception in event loop';
