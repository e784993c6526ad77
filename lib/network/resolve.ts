// resolve.ts: from names to addresses and back, by the system's own resolver. asyncio: BaseEventLoop.getaddrinfo,
// getnameinfo. Numeric hosts do not come here: see ensureResolved in loop/sock-io.ts.
//
// Each question blocks a native thread; its answer comes through the self-pipe, so it comes in every kind of run, also
// in one that keeps Node's own loop from turning. A thread cannot be interrupted: a question that nobody waits for any
// more keeps its place until the system has answered it.

import { isIP } from 'node:net';
import { inspect } from 'node:util';

import { GaiError, isFatal, typeError, ValueError, type OSError } from '../base/errors';
import { logger } from '../base/log';
import { Future } from '../futures/future';
import type { CoroutineGenerator } from '../futures/frame';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { defaultWorkerCount } from '../loop/thread-pool';
import type { OutsideSource } from '../loop/waker';
import { binding } from '../native/binding';
import { errorFor } from '../native/check';
import type { Fd, NativeLookup, NativeLookupAnswer, Result } from '../native/types';
import { addressFields, decodeAddress, encodeAddress, type Address } from '../sockets/address';
import { AF_INET, AF_INET6, socketConstants } from '../sockets/constants';
import { asciiHostName } from '../sockets/host-name';
import type { AddressInfo, Host, Port, ResolveOptions } from '../sockets/numeric-address';

/** Every address of a host, as the system gives them; null is this machine. */
export function* getaddrinfo(
  loop: BaseSelectorEventLoop,
  host: Host,
  port: Port,
  options: ResolveOptions,
): CoroutineGenerator<AddressInfo[]> {
  loop._checkClosed();
  // asyncio asks in the default executor, so what refuses there refuses here.
  loop._defaultExecutor.check();
  const { family = 0, type = 0, proto = 0, flags = 0 } = options;
  const name = host === null ? null : asciiHostName(host);
  const service = serviceName(port);
  const described = loop.getDebug() ? describe(host, port, options) : null;
  if (described !== null) logger.debug(`getaddrinfo ${described}`);
  const start = loop.time();
  const answer = yield* ask(loop, 'getaddrinfo', (wakeFd) =>
    binding.startAddressLookup(name, service, family, type, proto, flags, wakeFd),
  );
  if (answer.error !== 0) throw resolverError(answer, 'getaddrinfo', host, port);
  const found = Array.from(answer.addresses, (entry) => ({
    family: entry.family,
    type: entry.type,
    proto: entry.protocol,
    canonicalName: entry.canonicalName,
    address: decodeAddress(entry.address, entry.address.length) as Address,
  }));
  if (described !== null) logDuration(loop, described, loop.time() - start, found);
  return found;
}

/** The names of a numeric address. */
export function* getnameinfo(
  loop: BaseSelectorEventLoop,
  address: Address,
  flags: number,
): CoroutineGenerator<[host: string, service: string]> {
  loop._checkClosed();
  loop._defaultExecutor.check();
  if (!Array.isArray(address)) throw typeError(`an address is [host, port], not ${inspect(address)}`);
  const host = String(address[0]);
  const version = isIP(host);
  if (version === 0) throw gaiError(socketConstants.EAI_NONAME, 'getnameinfo', addressFields(address));
  if (version === 4 && address.length !== 2) throw new ValueError('an IPv4 address is [host, port] and no more');
  const { bytes, length } = encodeAddress(version === 4 ? AF_INET : AF_INET6, address);
  const answer = yield* ask(loop, 'getnameinfo', (wakeFd) => binding.startNameLookup(bytes, length, flags, wakeFd));
  if (answer.error !== 0) throw resolverError(answer, 'getnameinfo', host, Number(address[1]));
  return [answer.host, answer.service];
}

// What is asked.

function serviceName(port: Port): string | null {
  if (port === null) return null;
  if (typeof port === 'string') {
    if (port.includes('\0')) throw new ValueError(`${inspect(port)} cannot be the name of a service`);
    return port;
  }
  if (!Number.isInteger(port)) throw typeError(`a port is an integer, a string or null, not ${inspect(port)}`);
  return String(port);
}

function describe(host: Host, port: Port, options: ResolveOptions): string {
  const set = (['family', 'type', 'proto', 'flags'] as const).filter((key) => (options[key] ?? 0) !== 0);
  return [`${String(host)}:${inspect(port)}`, ...set.map((key) => `${key}=${String(options[key])}`)].join(', ');
}

function logDuration(loop: BaseSelectorEventLoop, described: string, took: number, found: AddressInfo[]): void {
  const message = `getaddrinfo ${described} took ${(took * 1000).toFixed(3)} ms: ${inspect(found, { depth: 3 })}`;
  if (took >= loop.slowCallbackDuration) logger.info(message);
  else logger.debug(message);
}

// What went wrong.

const resolverErrorNames = new Map(
  Object.entries(socketConstants).flatMap(([name, value]) => (name.startsWith('EAI_') ? [[value, name] as const] : [])),
);

function gaiError(error: number, syscall: string, place: { address?: string; port?: number }): GaiError {
  const code = resolverErrorNames.get(error) ?? `EAI_${error}`;
  const where = place.address === undefined ? '' : ` ${place.address}`;
  const message = `${syscall} ${code}${where} (${binding.resolverErrorMessage(error)})`;
  return new GaiError(message, { code, errno: -Math.abs(error), syscall, ...place });
}

function resolverError(answer: NativeLookupAnswer, syscall: string, host: Host, port: Port): OSError {
  const place = {
    ...(host === null ? {} : { address: host }),
    ...(typeof port === 'number' ? { port } : {}),
  };
  if (answer.error === socketConstants.EAI_SYSTEM) return errorFor(-answer.systemError, syscall, place);
  return gaiError(answer.error, syscall, place);
}

// How it is asked.

type Start = (wakeFd: Fd) => NativeLookup | Result;

interface Question {
  readonly syscall: string;
  readonly start: Start;
  readonly future: Future<NativeLookupAnswer>;
}

/** The questions of one loop: so many at a time, the others wait in line. */
class Resolver implements OutsideSource {
  readonly #loop: BaseSelectorEventLoop;
  readonly #running = new Map<NativeLookup, Question>();
  #waiting: Question[] = [];

  constructor(loop: BaseSelectorEventLoop) {
    this.#loop = loop;
    loop._addOutsideSource(this);
  }

  /** @throws RuntimeError (ERR_LOOP_CLOSED) */
  ask(syscall: string, start: Start): Future<NativeLookupAnswer> {
    const question = { syscall, start, future: new Future<NativeLookupAnswer>(this.#loop) };
    this.#waiting.push(question);
    this.#startSome();
    return question.future;
  }

  get pending(): number {
    const all = [...this.#running.values(), ...this.#waiting];
    return all.filter(({ future }) => !future.done()).length;
  }

  check(): void {
    for (const [lookup, { future }] of [...this.#running]) {
      const answer = binding.lookupAnswer(lookup);
      if (typeof answer === 'number') continue;
      this.#running.delete(lookup);
      if (!future.done()) future.setResult(answer);
    }
    this.#startSome();
  }

  close(): void {
    resolvers.delete(this.#loop);
    for (const lookup of this.#running.keys()) binding.abandonLookup(lookup);
    this.#running.clear();
    this.#waiting = [];
  }

  #startSome(): void {
    // Nobody waits for a cancelled one: it is never asked.
    this.#waiting = this.#waiting.filter(({ future }) => !future.done());
    while (this.#running.size < mostAtATime && this.#waiting.length > 0) this.#start(this.#waiting.shift() as Question);
  }

  #start(question: Question): void {
    try {
      const lookup = question.start(this.#loop._wakeFd());
      if (typeof lookup === 'number') throw errorFor(lookup, question.syscall);
      this.#running.set(lookup, question);
    } catch (error) {
      if (isFatal(error)) throw error;
      question.future.setException(error);
    }
  }
}

const mostAtATime = defaultWorkerCount();
const resolvers = new WeakMap<BaseSelectorEventLoop, Resolver>();

function ask(loop: BaseSelectorEventLoop, syscall: string, start: Start): Future<NativeLookupAnswer> {
  loop._checkClosed();
  let resolver = resolvers.get(loop);
  if (resolver === undefined) {
    resolver = new Resolver(loop);
    resolvers.set(loop, resolver);
  }
  return resolver.ask(syscall, start);
}
