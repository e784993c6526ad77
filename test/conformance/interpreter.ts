// interpreter.ts: runs programs on fdloop. The counterpart of interpreter.py; README.md tells the form of a program.

import { closeSync, existsSync, unlinkSync } from 'node:fs';

import { AssertionError, CancelledError, isFatal } from '../../lib/base/errors';
import { setLogReceiver } from '../../lib/base/log';
import { Coroutine } from '../../lib/futures/coroutine';
import type { CoroutineGenerator } from '../../lib/futures/frame';
import type { Future } from '../../lib/futures/future';
import type { CoroutineLike } from '../../lib/index';
import { VirtualClock } from '../../lib/loop/driver';
import type { Server } from '../../lib/network/server';
import type { Socket } from '../../lib/sockets/socket';
import { SubprocessProtocol } from '../../lib/processes/protocol';
import { BufferedProtocol, Protocol } from '../../lib/transports/protocol';
import type { BaseTransport } from '../../lib/transports/transport';
import { type SelectorName, selectorNames } from '../support/loops';
import { endChildren } from './child-verbs';
import { closePipes } from './pipe-verbs';
import { verbs, waits, type Wait } from './verbs';
import { type Order, VirtualLoop } from './virtual-loop';
import { type Action, Frame, gistOf, type Json, Limit, makeError, MAX_DEPTH, type Program, START } from './world';
import { type Template, type Trace, Unbound, World } from './world';

export interface RunOptions {
  selector?: SelectorName;
  order?: Order;
  driver?: 'sync' | 'hosted';
  coroutines?: 'async' | 'generator' | 'mixed';
}

class Return {
  constructor(readonly value: Json) {}
}

type Run = () => unknown;
/** What a body of actions yields: what has to be awaited, or a run of the loop. */
type Steps = Generator<Wait | Run, Return | null, unknown>;

// Bodies of actions. perform() is a generator that yields what has to be awaited, or run; each kind of frame drives it.

function* perform(world: World, actions: Action[], frame: Frame): Steps {
  for (const action of actions) {
    if (world.dead) return null;
    const [name, ...args] = action;
    if (name in flow) {
      const ended = yield* flow[name](world, frame, ...(args as never[]));
      if (ended !== null) return ended;
    } else if (name in runs) yield* actRun(world, frame, name, args);
    else if (name in waits) yield* actWait(world, frame, name, args);
    else actVerb(world, frame, name, args);
  }
  return null;
}

const shown = (args: Json[]): string => (typeof args[0] === 'string' ? args[0] : '');

function actVerb(world: World, frame: Frame, name: string, args: Json[]): void {
  let result: unknown;
  try {
    if (!(name in verbs)) throw new Error(`there is no verb ${name}`);
    result = verbs[name](world, frame, ...(args as never[]));
  } catch (error) {
    world.record(frame.who, name, shown(args), error instanceof Unbound ? 'unbound' : world.encode(error));
    if (isFatal(error)) throw error;
    return;
  }
  world.record(frame.who, name, shown(args), world.encode(result));
}

function* actWait(world: World, frame: Frame, name: string, args: Json[]): Steps {
  if (frame.kind !== 'coroutine') {
    world.record(frame.who, name, shown(args), 'not in a coroutine');
    return null;
  }
  let wait: Wait;
  try {
    wait = waits[name](world, frame, ...(args as never[]));
  } catch (error) {
    world.record(frame.who, name, shown(args), error instanceof Unbound ? 'unbound' : world.encode(error));
    return null;
  }
  let value: unknown;
  try {
    value = yield wait;
  } catch (error) {
    world.record(frame.who, name, shown(args), world.encode(error));
    throw error;
  }
  const finish = wait.finish ?? ((same: unknown) => same);
  world.record(frame.who, name, shown(args), world.encode(finish(value as never)));
  return null;
}

function* actRun(world: World, frame: Frame, name: string, args: Json[]): Steps {
  if (frame.kind !== 'main' && !world.loop.isRunning()) {
    // A hosted run could not be waited for here.
    world.record(frame.who, name, shown(args), 'not in a run');
    return null;
  }
  let value: unknown;
  let failed: unknown = null;
  try {
    const run = runs[name](world, frame, ...(args as never[]));
    value = frame.kind === 'main' ? yield run : run();
  } catch (error) {
    if (error instanceof Limit) return null;
    value = error instanceof Unbound ? 'unbound' : error;
    failed = error;
  }
  world.record(frame.who, name, shown(args), world.encode(value));
  if (frame.kind !== 'main' && isFatal(failed)) throw failed;
  return null;
}

export function catches(kind: string, error: unknown): boolean {
  if (kind === 'any') return true;
  const isCancelled = error instanceof CancelledError;
  return kind === 'CancelledError' ? isCancelled : !isCancelled && !isFatal(error);
}

const flow: Record<string, (world: World, frame: Frame, ...args: never[]) => Steps> = {
  *return(world, frame, value: Json = null) {
    return new Return(value);
  },
  *raise(world, frame, name: string, message?: Json) {
    throw makeError(name, message);
  },
  *reraise(world, frame) {
    if (frame.caught !== null) throw frame.caught;
    return null;
  },
  *repeat(world, frame, times: number, actions: Action[]) {
    for (let left = times; left > 0; left--) {
      const ended = yield* perform(world, actions, frame);
      if (ended !== null || world.dead) return ended;
    }
    return null;
  },
  *try(world, frame, actions: Action[], kind: string, handler: Action[], last: Action[] = []) {
    let ended: Return | null = null;
    let pending: { error: unknown } | null = null;
    try {
      ended = yield* perform(world, actions, frame);
    } catch (error) {
      pending = { error };
    }
    if (pending !== null && catches(kind, pending.error)) {
      world.record(frame.who, 'caught', world.encode(pending.error));
      frame.caught = pending.error;
      pending = null;
      try {
        ended = yield* perform(world, handler, frame);
      } catch (error) {
        pending = { error };
      }
    }
    const endedLast = yield* perform(world, last, frame);
    if (endedLast !== null) return endedLast;
    if (pending !== null) throw pending.error;
    return ended;
  },
};

const runs: Record<string, (world: World, frame: Frame, ...args: never[]) => Run> = {
  runForever:
    ({ loop }) =>
    () =>
      loop.hosted ? loop.runForever() : loop.runForeverSync(),
  runUntilComplete(world, frame, name: string) {
    const { loop } = world;
    const future = world.get<Future>(frame, name, 'future', 'task');
    return () => (loop.hosted ? loop.runUntilComplete(future) : loop.runUntilCompleteSync(future));
  },
  runCoroutine(world, frame, name: string) {
    const { loop } = world;
    world.body(name);
    return () => {
      const body = taskBody(world, name, name);
      return loop.hosted ? loop.runUntilComplete(body) : loop.runUntilCompleteSync(body);
    };
  },
};

// Frames: callbacks and protocol methods run to their end, coroutines await, the main body runs the loop.

/** One run of a callback or of a protocol's method. @returns the value of its return action */
function runMethod(world: World, actions: Action[], frame: Frame, args: Json[]): Json {
  world.record(frame.who, 'run', ...args);
  if (world.depth >= MAX_DEPTH) {
    world.record(frame.who, 'too deep');
    return null;
  }
  world.depth += 1;
  try {
    const step = perform(world, actions, frame).next();
    if (step.done !== true) throw new AssertionError('a callback cannot wait');
    return step.value?.value ?? null;
  } finally {
    world.depth -= 1;
  }
}

/** The callable of a body, the same one each time. */
export function callBody(world: World, name: string): (...args: unknown[]) => void {
  let callback = world.callbacks.get(name);
  if (callback === undefined) {
    const actions = world.body(name);
    callback = (...args: unknown[]) => {
      const coded = args.map((arg) => (isPlain(arg) ? arg : world.encode(arg)));
      runMethod(world, actions, new Frame(name, 'callback'), coded);
    };
    world.callbacks.set(name, callback);
    world.names.set(callback, name);
  }
  return callback;
}

// A context that the handler has coded already.
const isPlain = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

function begin(world: World, name: string, who: string, depth: number): Steps {
  world.record(who, 'start', name);
  return perform(world, world.bodies[name], new Frame(who, 'coroutine', null, depth));
}

/** A coroutine as a generator. */
export function* coroutine(world: World, name: string, who: string, depth = 0): CoroutineGenerator<Json> {
  const steps = begin(world, name, who, depth);
  let step = steps.next();
  while (step.done !== true) {
    const { awaitable } = step.value as Wait;
    let value: unknown;
    try {
      value = yield* 'nested' in awaitable
        ? coroutine(world, awaitable.nested, awaitable.who, awaitable.depth)
        : (awaitable as Iterable<never, unknown>);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(value);
  }
  return step.value?.value ?? null;
}

/** The same coroutine as an async function. */
async function asyncCoroutine(world: World, name: string, who: string, depth = 0): Promise<Json> {
  const steps = begin(world, name, who, depth);
  let step = steps.next();
  while (step.done !== true) {
    const { awaitable } = step.value as Wait;
    let value: unknown;
    try {
      value = await ('nested' in awaitable ? nestedCoroutine(world, awaitable) : awaitable);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(value);
  }
  return step.value?.value ?? null;
}

function nestedCoroutine(
  world: World,
  { nested, who, depth }: { nested: string; who: string; depth: number },
): PromiseLike<Json> {
  if (world.coroutines === 'mixed') return new Coroutine(coroutine(world, nested, who, depth), world.loop);
  return asyncCoroutine(world, nested, who, depth);
}

export function taskBody(world: World, name: string, who: string, depth = 0): CoroutineLike<Json> {
  if (world.coroutines === 'generator') return () => coroutine(world, name, who, depth);
  return async () => asyncCoroutine(world, name, who, depth);
}

/** On a stack that holds no promise job, where a synchronous run can drain microtasks. */
function onFreshStack<T>(action: () => T): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(action());
      } catch (error) {
        reject(error);
      }
    });
  });
}

async function runMain(world: World): Promise<void> {
  const steps = perform(world, world.program.main, new Frame('main', 'main'));
  try {
    let step = steps.next();
    while (step.done !== true) {
      const run = step.value as Run;
      let value: unknown;
      try {
        value = await (world.loop.hosted ? run() : onFreshStack(run));
      } catch (error) {
        step = steps.throw(error);
        continue;
      }
      step = steps.next(value);
    }
  } catch (error) {
    world.record('main', 'ended', world.encode(error));
  }
}

// Protocols.

interface ProgramProtocol {
  transport: BaseTransport | null;
  isUpgraded?: boolean;
}

const dataMethods = ['dataReceived', 'getBuffer', 'bufferUpdated'];

type Hear = (method: string, ...args: unknown[]) => Json;

function hearer(world: World, template: Template, name: string, self: ProgramProtocol): Hear {
  return (method, ...args) => {
    if (template.deaf === true && self.isUpgraded !== true && dataMethods.includes(method)) return null;
    const frame = new Frame(`${name}.${method}`, 'callback', self);
    const coded = args.map((arg) => world.encode(arg));
    return runMethod(world, template.on?.[method] ?? [], frame, coded);
  };
}

/** What both kinds of protocol hear. */
function common(world: World, name: string, self: ProgramProtocol, hear: Hear) {
  return {
    connectionMade(transport: BaseTransport): void {
      self.transport = transport;
      if (!world.names.has(transport)) world.bind(`${name}@`, 'transport', transport);
      hear('connectionMade', transport);
    },
    connectionLost: (error: unknown): void => void hear('connectionLost', error),
    pauseWriting: (): void => void hear('pauseWriting'),
    resumeWriting: (): void => void hear('resumeWriting'),
    eofReceived: (): Json => hear('eofReceived'),
  };
}

function plainProtocol(world: World, template: Template, name: string): Protocol & ProgramProtocol {
  const protocol = Object.assign(new Protocol(), { transport: null });
  const hear = hearer(world, template, name, protocol);
  const dataReceived = (data: Buffer): void => void hear('dataReceived', data);
  return Object.assign(protocol, common(world, name, protocol, hear), { dataReceived });
}

function bufferedProtocol(world: World, template: Template, name: string): BufferedProtocol & ProgramProtocol {
  const protocol = Object.assign(new BufferedProtocol(), { transport: null });
  const hear = hearer(world, template, name, protocol);
  let buffer = Buffer.alloc(0);
  return Object.assign(protocol, common(world, name, protocol, hear), {
    getBuffer(sizeHint: number): Buffer {
      // How many encrypted bytes wait depends on the sizes of tickets.
      const hint = sizeHint === -1 ? sizeHint : 'encrypted';
      buffer = Buffer.alloc((hear('getBuffer', hint) as number | null) ?? template.buffer ?? 4096);
      return buffer;
    },
    bufferUpdated: (count: number): void => void hear('bufferUpdated', count, buffer.subarray(0, count)),
  });
}

function processProtocol(world: World, template: Template, name: string): SubprocessProtocol & ProgramProtocol {
  const protocol = Object.assign(new SubprocessProtocol(), { transport: null });
  const hear = hearer(world, template, name, protocol);
  return Object.assign(protocol, common(world, name, protocol, hear), {
    pipeDataReceived: (fd: number, data: Buffer): void => void hear('pipeDataReceived', fd, data),
    pipeConnectionLost: (fd: number, error: unknown): void => void hear('pipeConnectionLost', fd, error),
    processExited: (): void => void hear('processExited'),
  });
}

const makers = { plain: plainProtocol, buffered: bufferedProtocol, process: processProtocol };

export function makeProtocol(world: World, name: string): (Protocol | BufferedProtocol) & ProgramProtocol {
  if (!(name in world.templates)) throw new Unbound();
  const template = world.templates[name];
  const instance = `${name}.${world.count(`protocol ${name}`)}`;
  const protocol = makers[template.kind ?? 'plain'](world, template, instance) as Protocol & ProgramProtocol;
  world.names.set(protocol, instance);
  if (template.factory !== undefined) {
    runMethod(world, template.factory, new Frame(`${instance}.factory`, 'callback', protocol), []);
  }
  return protocol;
}

// A program from beginning to end.

export async function runProgram(program: Program, options: RunOptions = {}): Promise<Trace> {
  const { selector = selectorNames[0], order = 'registered', driver = 'sync', coroutines = 'async' } = options;
  const world = new World(program, new VirtualClock(START), coroutines);
  world.loop = new VirtualLoop(world, selector, order, driver === 'hosted');
  world.loop.setExceptionHandler((_loop, context) => {
    const coded = world.encodeContext(context);
    if (coded.kind !== 'ignored') world.record('handler', 'called', coded);
  });
  const previous = setLogReceiver(({ level, message }) => {
    if (level === 'debug' || level === 'info') return;
    const kind = gistOf(message);
    if (kind !== 'ignored') world.record('log', level, kind);
  });
  try {
    await runMain(world);
    if (!world.dead) world.trace.push(['end', world.loop.isClosed()]);
  } finally {
    world.dead = true;
    tearDown(world);
    setLogReceiver(previous);
  }
  // A hosted run lets go of its watch a turn later.
  if (world.loop.hosted) await onFreshStack(() => undefined);
  return world.trace;
}

function tearDown(world: World): void {
  // Nobody listens any more: the transports just let go of their sockets. What TLS would do then needs an open loop.
  for (const transport of [...world.loop._transports.values()]) {
    if (world.loop.isClosed()) transport.setProtocol(new Protocol());
    transport._callConnectionLost(null);
  }
  endChildren(world);
  closePipes(world);
  if (!world.loop.isClosed()) world.loop.close();
  for (const [thing, name] of world.names) {
    const kind = world.things.get(name)?.kind;
    if (typeof (thing as Socket).getsockname === 'function') (thing as Socket).close();
    else if (kind === 'server') for (const socket of (thing as Server)._sockets ?? []) socket.close();
  }
  for (const fd of world.files) closeSync(fd);
  for (const file of world.paths) if (existsSync(file)) unlinkSync(file);
}
