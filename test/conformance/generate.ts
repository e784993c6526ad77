// generate.ts: random programs. The same seed and mix give the same program.
//
// Some things are never made, because the two sides may rightly differ there, or one of them never ends:
// - a descriptor is not closed while it is watched, nor is its number used afterwards (FD-029, SEL-058);
// - a socket gets one transport, in the main body, and no reader beside it; only raw ends are closed by hand;
// - tasks await tasks of higher numbers only: a ring of them could not be cancelled;
// - a program has groups of tasks, or limits of time around bodies: what a failing group asks of its parent once more
//   (RUN-052) cannot be taken back by a limit in 3.12, as 3.13 and we do;
// - TLS is not written to with what is no bytes among others (TLS-034), nor when the loop is closed, and nobody asks for
//   sizes of encrypted bytes;
// - a server that is closed is not started again (SRV-007), a backlog is never 0 (ACC-004).

import type { Action, Json, Program, Template } from './world';

export type Mix =
  | ('loop' | 'futures' | 'signals' | 'descriptors' | 'socks' | 'transports' | 'servers')
  | ('tls' | 'sync' | 'tasks' | 'streams' | 'pipes' | 'processes')
  | 'all';

type Place = 'main' | 'callback' | 'method' | 'coroutine';

interface Choice {
  mix: Mix;
  weight: number;
  places?: Place[];
  make(g: Generator, place: Place, level: number, index: number): Action | Action[];
}

const inCoroutines: Place[] = ['coroutine'];
const inBodies: Place[] = ['callback', 'method', 'coroutine'];

/** mulberry32: small, and good enough to choose with. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const delays = [0, 0, 0.5, 1, 1, 1, 2, 3, -1, 1e-10];
const sizes = [0, 1, 10, 1000, 5000, 70_000, 300_000];
/** What the standard streams of a child can be. */
const streamKinds = { stdin: ['pipe', 'null'], stdout: ['pipe', 'null'], stderr: ['pipe', 'null', 'stdout'] };
/** What a child can be told. */
const lines = ['echo out', 'echo error >&2', 'printf %200d 7', 'echo out; echo error >&2', ':'];
const endings = ['exit 0', 'exit 3', 'echo last; exit 1', 'kill -9 $$', 'exec <&-', 'exec >&-', 'exec 2>&-'];

const returnWhens = ['ALL_COMPLETED', 'FIRST_COMPLETED', 'FIRST_EXCEPTION'];

const softErrors = ['ValueError', 'RuntimeError', 'TypeError', 'OSError', 'ConnectionResetError', 'CancelledError'];
const errors = [...softErrors, ...softErrors, ...softErrors, 'SystemExit', 'KeyboardInterrupt'];

class Generator {
  readonly random: () => number;
  readonly choices: Choice[];
  readonly rawEnds: string[] = [];
  readonly owned: string[] = [];
  readonly tlsTransports: string[] = [];
  /** Ends of pipes, and transports over them, by what they are for. */
  readonly pipeEnds = { read: [] as string[], write: [] as string[] };
  readonly pipeTransports = { read: [] as string[], write: [] as string[] };
  isUpgrading = false;
  /** Limits of reading, or buffered protocols: we decrypt all that comes, asyncio one buffer full, so that sizes differ. */
  readonly limitsReading: boolean;
  readonly hasGroups: boolean;
  readonly program: Required<Pick<Program, 'main' | 'bodies' | 'protocols'>> = { main: [], bodies: {}, protocols: {} };

  constructor(
    seed: number,
    readonly mixes: ReadonlySet<Mix>,
  ) {
    this.random = randomNumbers(seed);
    this.limitsReading = mixes.has('tls') && this.chance(0.5);
    this.hasGroups = mixes.has('tasks') && this.chance(0.5);
    this.choices = choices.filter(({ mix }) => mixes.has(mix));
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  chance(share: number): boolean {
    return this.random() < share;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  name(letter: string, count: number): string {
    return `${letter}${this.below(count)}`;
  }

  handle = (): string => this.name('h', 6);
  /** Callbacks schedule later ones, mostly: storms end a program early and show little. */
  callback = (place: Place = 'main', index = 0): string =>
    place === 'main' || place === 'method' || this.chance(0.2)
      ? this.name('c', 5)
      : `c${Math.min(4, index + 1 + this.below(3))}`;
  future = (): string => this.name('f', 4);
  task = (): string => this.name('t', 4);
  awaited = (): string => (this.chance(0.5) ? this.future() : this.task());
  sock = (): string => (this.rawEnds.length > 0 ? this.of(this.rawEnds) : 'none');
  fd = (): string => this.sock() + (this.chance(0.3) ? '#' : '');
  transport(place: Place): string {
    if (place === 'method' && this.chance(0.75)) return '@';
    if (this.mixes.has('tls')) return this.of(this.tlsTransports);
    if (this.mixes.has('servers') && this.chance(0.3)) return this.name('y', 2);
    return this.name('x', Math.max(1, Math.min(3, this.owned.length)));
  }
  /** Mostly one that can do it. */
  pipeTransport(place: Place, what: 'read' | 'write'): string {
    const fitting = this.pipeTransports[this.chance(0.95) ? what : 'read'];
    if ((place === 'method' && this.chance(0.4)) || fitting.length === 0) return this.transport(place);
    return this.of(fitting);
  }
  pipeEnd(what: 'read' | 'write'): string {
    const fitting = this.pipeEnds[what];
    return fitting.length === 0 || this.chance(0.05) ? this.sock() : this.of(fitting);
  }
  template = (): string => this.name('P', 3);
  server = (): string => this.name('v', 2);
  signal = (): string => this.of(['SIGURG', 'SIGURG', 'SIGWINCH', 'SIGCONT']);
  badSignal = (): Json => this.of(['SIGKILL', 'SIGSTOP', 'SIGNONE', 0, -1, 1000, 1.5, null]);
  /** A task and its body have the same number, which is how a task awaits none but later ones. */
  taskOfBody(): Action {
    const index = this.below(4);
    return ['task', `t${index}`, `k${index}`];
  }
  stream = (): string => this.name('r', 4);
  /** Some that the body of this number may wait for. */
  several = (index: number): string[] =>
    Array.from({ length: 1 + this.below(3) }, () =>
      index < 3 && this.chance(0.4) ? `t${index + 1 + this.below(3 - index)}` : this.future(),
    );
  /** Some bodies that the one of this number may call; none after the last. */
  callees = (index: number): string[] =>
    index < 3 ? Array.from({ length: 1 + this.below(3) }, () => `k${index + 1 + this.below(3 - index)}`) : [];
  limit = (): number | null => (this.chance(0.2) ? null : this.of(delays));
  bodyLimit = (): number | null => (this.hasGroups ? null : this.limit());
  holdable = (): string => this.of(['l0', 'l1', 'o0', 'o1', 'm0', 'm1']);
  args = (): Json[] => (this.chance(0.2) ? [this.below(10)] : []);

  action(place: Place, level: number, index: number): Action[] {
    const fitting = this.choices.filter(({ places }) => places === undefined || places.includes(place));
    let left = this.random() * fitting.reduce((sum, { weight }) => sum + weight, 0);
    const choice = fitting.find(({ weight }) => (left -= weight) < 0) ?? fitting[0];
    const made = choice.make(this, place, level, index);
    return (Array.isArray(made[0]) ? made : [made]) as Action[];
  }

  actions(place: Place, most: number, level = 0, index = 0): Action[] {
    const made: Action[] = [];
    for (let left = this.below(most + 1); left > 0; left--) made.push(...this.action(place, level, index));
    return made;
  }

  make(): Program {
    const { main, bodies, protocols } = this.program;
    this.things(main);
    for (let index = 0; index < 3; index++) protocols[`P${index}`] = this.protocol();
    if (this.mixes.has('tls')) {
      for (let index = 0; index < 2; index++)
        protocols[`D${index}`] = { ...this.protocol(), buffer: 65_536, deaf: true };
    }
    for (let index = 0; index < 5; index++) bodies[`c${index}`] = this.actions('callback', 5, 0, index);
    if (this.mixes.has('futures')) {
      for (let index = 0; index < 4; index++) bodies[`k${index}`] = this.actions('coroutine', 7, 0, index);
    }
    for (let runs = 1 + this.below(3); runs > 0; runs--) {
      main.push(...this.actions('main', 6));
      main.push(this.run());
    }
    if (this.chance(0.3)) main.push(['closeLoop'], ...(this.mixes.has('tls') ? [] : this.actions('main', 2)));
    return this.program;
  }

  things(main: Action[]): void {
    if (this.mixes.has('futures')) for (let index = 0; index < 4; index++) main.push(['future', `f${index}`]);
    if (this.mixes.has('tls')) {
      for (let index = 0; index < 2; index++) this.tlsPair(main, index);
      return;
    }
    if (this.mixes.has('sync')) {
      // The second condition shares the first lock.
      main.push(['lock', 'l0'], ['lock', 'l1'], ['condition', 'o0'], ['condition', 'o1', 'l0'], ['event', 'e0']);
      main.push(['semaphore', 'm0', this.below(3)], ['semaphore', 'm1', 1 + this.below(2), true]);
      main.push(['barrier', 'b0', 2], ['barrier', 'b1', 1 + this.below(3)]);
      for (const [index, kind] of ['fifo', this.of(['fifo', 'lifo', 'priority'])].entries()) {
        main.push(['queue', `n${index}`, kind, this.below(3)]);
      }
    }
    if (this.mixes.has('streams')) {
      for (let index = 0; index < 2; index++) {
        const ends = [`s${index}a`, `s${index}b`];
        main.push(['socketpair', ...ends, ...(this.chance(0.6) ? [this.of([2304, 5000, 20_000])] : [])]);
        main.push(['streams', `r${2 * index}`, ends[0], this.of([3, 100, 5000, 65_536])]);
        // Its other end is a pair of streams as well, or bare.
        if (this.chance(0.6)) main.push(['streams', `r${2 * index + 1}`, ends[1], this.of([3, 100, 5000, 65_536])]);
        else this.rawEnds.push(ends[1]);
      }
      return;
    }
    if (this.mixes.has('pipes')) {
      this.pipes(main);
      return;
    }
    if (this.mixes.has('processes')) {
      this.children(main);
      return;
    }
    const pairs = this.mixes.has('transports') || this.mixes.has('descriptors') || this.mixes.has('socks') ? 3 : 0;
    for (let index = 0; index < pairs; index++) {
      const ends = [`s${index}a`, `s${index}b`];
      main.push(['socketpair', ...ends, ...(this.chance(0.6) ? [this.of([2304, 5000, 20_000])] : [])]);
      for (const end of ends) {
        if (this.mixes.has('transports') && this.chance(0.5)) this.owned.push(end);
        else this.rawEnds.push(end);
      }
    }
    for (const [index, end] of this.owned.slice(0, 3).entries()) {
      const waiter = this.mixes.has('futures') && this.chance(0.4) ? [this.future()] : [];
      main.push(['transport', `x${index}`, end, this.template(), ...waiter]);
    }
    if (this.mixes.has('servers')) {
      const options: Record<string, Json> = this.chance(0.3) ? { backlog: 1 + this.below(3) } : {};
      this.program.bodies.serve = [['server', 'v0', this.template(), options]];
      main.push(['runCoroutine', 'serve']);
    }
  }

  /** Pipes and pairs of sockets. Each end has a transport from the beginning, or is one that `open` connects, or is bare. */
  pipes(main: Action[]): void {
    const open: Action[] = [];
    for (let index = 0; index < 3; index++) {
      const ends = [`q${index}a`, `q${index}b`];
      const isSocket = this.chance(0.4);
      if (isSocket) main.push(['socketpair', ...ends, ...(this.chance(0.6) ? [this.of([2304, 5000, 20_000])] : [])]);
      else main.push(['pipe', ...ends]);
      for (const [side, end] of ends.entries()) {
        const reads = isSocket ? this.chance(0.3) : side === 0;
        if (this.owned.length > 2 || this.chance(0.4)) {
          this.rawEnds.push(end);
          if (isSocket || side === 0) this.pipeEnds.read.push(end);
          if (isSocket || side === 1) this.pipeEnds.write.push(end);
          continue;
        }
        const name = `x${this.owned.length}`;
        this.owned.push(end);
        this.pipeTransports[reads ? 'read' : 'write'].push(name);
        const waiter = this.chance(0.4) ? [this.future()] : [];
        if (this.chance(0.6)) main.push([reads ? 'readPipe' : 'writePipe', name, end, this.template(), ...waiter]);
        else open.push([reads ? 'connectReadPipe' : 'connectWritePipe', name, end, this.template()]);
      }
    }
    this.program.bodies.open = open;
    main.push(this.chance(0.5) ? ['runCoroutine', 'open'] : ['task', 't-open', 'open']);
  }

  /** Children with transports and with streams, which a coroutine starts. */
  children(main: Action[]): void {
    const start: Action[] = [];
    for (let index = 0; index < 2; index++) {
      const options: Record<string, Json> = {};
      for (const [name, kinds] of Object.entries(streamKinds)) if (this.chance(0.4)) options[name] = this.of(kinds);
      start.push(['spawn', `x${index}`, this.template(), options]);
      if (this.chance(0.3)) start.push(...this.actions('coroutine', 2));
    }
    const options: Record<string, Json> = {};
    // All of them: what is inherited is the interpreter's own.
    for (const [name, kinds] of Object.entries(streamKinds)) options[name] = this.chance(0.7) ? 'pipe' : this.of(kinds);
    start.push(['process', 'p0', options]);
    this.program.bodies.start = start;
    main.push(this.chance(0.6) ? ['runCoroutine', 'start'] : ['task', 't-start', 'start']);
  }

  child = (place: Place): string => (place === 'method' && this.chance(0.6) ? '@' : this.name('x', 2));
  told = (place: Place): string => (this.chance(0.4) ? 'p0' : this.child(place));

  /** Two ends of TLS: from the beginning, or upgraded, or TLS in TLS. Mostly they understand each other. */
  tlsPair(main: Action[], index: number): void {
    const ends = [`s${index}a`, `s${index}b`];
    this.rawEnds.push(...ends);
    main.push(['socketpair', ...ends, ...(this.chance(0.6) ? [this.of([5000, 20_000])] : [])]);
    const sides = [`x${2 * index}`, `x${2 * index + 1}`];
    const isPlain = this.chance(0.3);
    const isUpgraded = isPlain || this.chance(0.3);
    if (isUpgraded) this.isUpgrading = true;
    // What is written under TLS, or sent, is a bad record, which we notice when it arrives and asyncio when its turn comes.
    for (const end of [0, 1]) this.tlsTransports.push(`${isUpgraded ? 'z' : 'x'}${2 * index + end}`);
    for (const [end, name] of sides.entries()) {
      // What is upgraded shows no data before: the sizes of handshakes differ.
      const template = isUpgraded ? this.name('D', 2) : this.template();
      if (isPlain) main.push(['transport', name, ends[end], template]);
      else
        main.push(['future', `w-${name}`], ['tls', name, ends[end], template, this.tlsOptions(end === 1), `w-${name}`]);
    }
    if (!isUpgraded) return;
    for (const [end, name] of sides.entries()) {
      const upgrade = `u${index}${end}`;
      this.program.bodies[upgrade] = [
        ['startTls', `z${2 * index + end}`, name, this.tlsOptions(end === 1)],
        ...this.actions('coroutine', 3),
      ];
      main.push(['task', `t-${upgrade}`, upgrade]);
    }
  }

  tlsOptions(server: boolean): Record<string, Json> {
    const options: Record<string, Json> = server ? { server } : {};
    if (this.chance(0.3)) options.version = this.chance(0.9) ? '1.2' : '1.3';
    if (this.chance(0.1)) options.handshake = this.of([0.5, 3]);
    if (this.chance(0.3)) options.shutdown = this.of([0.5, 3]);
    // Node's client looks at the name when its part of a handshake of 1.2 is done, so that the server believes in it for a while.
    if (!server && this.chance(0.05)) Object.assign(options, { name: 'elsewhere', version: '1.3' });
    return options;
  }

  childProtocol(): Template {
    const on: Record<string, Action[]> = {};
    const methods = ['connectionMade', 'pipeDataReceived', 'pipeConnectionLost', 'processExited', 'connectionLost'];
    for (const method of [...methods, 'pauseWriting', 'resumeWriting']) {
      if (this.chance(0.4)) on[method] = this.actions('method', 2);
    }
    return { kind: 'process', on };
  }

  protocol(): Template {
    if (this.mixes.has('processes')) return this.childProtocol();
    if (!['transports', 'servers', 'tls', 'pipes'].some((mix) => this.mixes.has(mix as Mix))) return {};
    const on: Record<string, Action[]> = {};
    const methods = [
      'connectionMade',
      'dataReceived',
      'eofReceived',
      'connectionLost',
      'pauseWriting',
      'resumeWriting',
    ];
    for (const method of methods) {
      if (!this.chance(0.6)) continue;
      on[method] = this.actions('method', 3);
      if (method === 'eofReceived' && this.chance(0.5)) on[method].push(['return', true]);
    }
    if (!this.chance(0.3) || this.limitsReading) return { on };
    for (const method of ['getBuffer', 'bufferUpdated']) if (this.chance(0.3)) on[method] = this.actions('method', 2);
    if (this.chance(0.05)) on.getBuffer = [['return', 0]];
    return { kind: 'buffered', buffer: this.of([1, 100, 4096, 65_536]), on };
  }

  run(): Action {
    if (this.mixes.has('futures') && this.chance(0.4)) {
      return this.chance(0.5) ? ['runUntilComplete', this.awaited()] : ['runCoroutine', this.name('k', 4)];
    }
    return ['runForever'];
  }
}

const choices: Choice[] = [
  // The loop.
  {
    mix: 'loop',
    weight: 8,
    make: (g, place, _level, index) => ['callSoon', g.handle(), g.callback(place, index), g.args()],
  },
  {
    mix: 'loop',
    weight: 6,
    make: (g, place, _level, index) => ['callLater', g.handle(), g.of(delays), g.callback(place, index), g.args()],
  },
  {
    mix: 'loop',
    weight: 2,
    make: (g, place, _level, index) => ['callAt', g.handle(), g.of(delays), g.callback(place, index)],
  },
  {
    mix: 'loop',
    weight: 1,
    make: (g, place, _level, index) => ['callSoonThreadsafe', g.handle(), g.callback(place, index)],
  },
  { mix: 'loop', weight: 5, make: (g) => ['cancelHandle', g.handle()] },
  { mix: 'loop', weight: 1, make: (g) => ['handleCancelled', g.handle()] },
  { mix: 'loop', weight: 0.5, make: (g) => ['when', g.handle()] },
  { mix: 'loop', weight: 1, make: () => ['stop'] },
  { mix: 'loop', weight: 1, make: (g) => ['advance', g.of([0.25, 1, 5])] },
  { mix: 'loop', weight: 0.5, make: () => ['isRunning'] },
  { mix: 'loop', weight: 0.5, make: () => ['readyCount'] },
  { mix: 'loop', weight: 0.5, make: () => ['timerCount'] },
  { mix: 'loop', weight: 0.3, make: (g) => ['callHandler', '#here', g.of(softErrors)] },
  {
    mix: 'loop',
    weight: 0.3,
    make: (g, place, _level, index) => ['setHandler', g.chance(0.5) ? null : g.callback(place, index)],
  },
  { mix: 'loop', weight: 0.2, make: (g) => ['callSoonBad', g.handle()] },
  { mix: 'loop', weight: 0.2, make: (g) => ['setDebug', g.chance(0.5)] },
  { mix: 'loop', weight: 0.3, places: inBodies, make: () => ['closeLoop'] },
  { mix: 'loop', weight: 0.3, places: inBodies, make: () => ['runForever'] },
  { mix: 'loop', weight: 1.5, places: inBodies, make: (g) => ['raise', g.of(errors), `#${g.below(100)}`] },
  { mix: 'loop', weight: 0.5, places: inBodies, make: () => ['return', 7] },
  {
    mix: 'loop',
    weight: 1,
    places: inBodies,
    make: (g, place, level, index) =>
      level > 1 ? ['time'] : ['repeat', 2 + g.below(2), g.actions(place, 2, level + 1, index)],
  },
  {
    mix: 'loop',
    weight: 2,
    places: inBodies,
    make(g, place, level, index) {
      if (level > 1) return ['time'];
      const part = (most: number): Action[] => g.actions(place, most, level + 1, index);
      const kind = g.of(['CancelledError', 'Exception', 'any']);
      const handler = g.chance(0.3) ? [...part(1), ['reraise'] as Action] : part(2);
      return ['try', part(4), kind, handler, ...(g.chance(0.3) ? [part(2)] : [])];
    },
  },

  // Futures and tasks.
  { mix: 'futures', weight: 1, make: (g) => ['future', g.future()] },
  { mix: 'futures', weight: 4, make: (g) => ['setResult', g.future(), g.below(100)] },
  { mix: 'futures', weight: 2, make: (g) => ['setException', g.future(), g.of(errors), `#${g.below(100)}`] },
  { mix: 'futures', weight: 4, make: (g) => ['cancel', g.awaited(), ...(g.chance(0.5) ? ['#why'] : [])] },
  {
    mix: 'futures',
    weight: 3,
    make: (g, place, _level, index) => ['addDoneCallback', g.awaited(), g.callback(place, index)],
  },
  { mix: 'futures', weight: 1, make: (g) => ['removeDoneCallback', g.awaited(), g.callback()] },
  { mix: 'futures', weight: 1, make: (g) => [g.of(['done', 'cancelled', 'result', 'exception']), g.awaited()] },
  { mix: 'futures', weight: 5, make: (g) => g.taskOfBody() },
  { mix: 'sync', weight: 20, make: (g) => g.taskOfBody() },
  { mix: 'futures', weight: 1, make: (g) => [g.of(['uncancel', 'cancelling']), g.task()] },
  { mix: 'futures', weight: 0.5, make: () => ['currentTask'] },
  { mix: 'futures', weight: 0.5, make: () => ['taskCount'] },
  { mix: 'futures', weight: 1, places: inCoroutines, make: (g) => [g.of(['cancelSelf', 'uncancelSelf'])] },
  {
    mix: 'futures',
    weight: 10,
    places: inCoroutines,
    make: (g, _place, _level, index) => [
      'await',
      index < 3 && g.chance(0.4) ? `t${index + 1 + g.below(3 - index)}` : g.future(),
    ],
  },
  { mix: 'futures', weight: 9, places: inCoroutines, make: (g) => ['sleep', g.of(delays)] },
  {
    mix: 'futures',
    weight: 4,
    places: inCoroutines,
    make: (g, _place, _level, index) => (index < 3 ? ['call', `k${index + 1 + g.below(3 - index)}`] : ['sleep', 0]),
  },

  // Several at once, limits of time, groups.
  {
    mix: 'tasks',
    weight: 6,
    make: (g) => ['cancel', g.of(['g0', 'g1', 'u0', 'u1', 'u2']), ...(g.chance(0.5) ? ['#why'] : [])],
  },
  {
    mix: 'tasks',
    weight: 6,
    places: inCoroutines,
    make: (g, _place, _level, index) => ['gather', g.name('g', 2), g.several(index), g.chance(0.5)],
  },
  {
    mix: 'tasks',
    weight: 8,
    places: inCoroutines,
    make: (g, _place, _level, index) => ['gatherBodies', g.name('g', 2), g.callees(index), g.chance(0.5)],
  },
  {
    mix: 'tasks',
    weight: 6,
    places: inCoroutines,
    make: (g, _place, _level, index) => ['shield', g.name('g', 2), g.several(index)[0]],
  },
  {
    mix: 'tasks',
    weight: 6,
    places: inCoroutines,
    make: (g, _place, _level, index) => ['waitSome', g.several(index), g.limit(), g.of(returnWhens)],
  },
  {
    mix: 'tasks',
    weight: 6,
    places: inCoroutines,
    make: (g, _place, _level, index) => ['waitFor', g.several(index)[0], g.limit()],
  },
  {
    mix: 'tasks',
    weight: 8,
    places: inCoroutines,
    make: (g, _place, _level, index) => ['waitForBody', g.callees(index)[0] ?? 'none', g.bodyLimit()],
  },
  {
    mix: 'tasks',
    weight: 6,
    places: inCoroutines,
    make: (g, _place, _level, index) => ['asTheyCome', g.several(index), g.limit()],
  },
  {
    mix: 'tasks',
    weight: 8,
    places: inCoroutines,
    make: (g, _place, _level, index) => ['limit', g.callees(index)[0] ?? 'none', g.bodyLimit()],
  },
  {
    mix: 'tasks',
    weight: 8,
    places: inCoroutines,
    make(g, _place, _level, index) {
      const bodies = g.hasGroups ? g.callees(index) : [];
      if (bodies.length === 0) return ['sleep', g.of(delays)];
      return ['group', bodies.map((_body, place) => `u${place}`), bodies, g.callees(index)[0] ?? 'none'];
    },
  },
  {
    mix: 'tasks',
    weight: 3,
    places: inCoroutines,
    make: (g, _place, _level, index) => ['race', g.callees(index), g.limit()],
  },

  // Signals.
  {
    mix: 'signals',
    weight: 12,
    make: (g, place, _level, index) => ['addSignalHandler', g.signal(), g.callback(place, index), g.args()],
  },
  { mix: 'signals', weight: 4, make: (g) => ['removeSignalHandler', g.signal()] },
  { mix: 'signals', weight: 12, make: (g) => ['kill', g.signal()] },
  {
    mix: 'signals',
    weight: 1,
    make: (g) =>
      g.chance(0.5) ? ['addSignalHandler', g.badSignal(), g.callback()] : ['removeSignalHandler', g.badSignal()],
  },
  { mix: 'signals', weight: 0.3, make: (g) => ['addSignalHandlerBad', g.signal()] },

  // Descriptors.
  {
    mix: 'descriptors',
    weight: 5,
    make: (g, place, _level, index) => ['addReader', g.fd(), g.callback(place, index), g.args()],
  },
  {
    mix: 'descriptors',
    weight: 4,
    make: (g, place, _level, index) => ['addWriter', g.fd(), g.callback(place, index), g.args()],
  },
  { mix: 'descriptors', weight: 5, make: (g) => ['removeReader', g.fd()] },
  { mix: 'descriptors', weight: 5, make: (g) => ['removeWriter', g.fd()] },
  { mix: 'descriptors', weight: 4, make: (g) => ['send', g.sock(), g.of(sizes)] },
  { mix: 'descriptors', weight: 4, make: (g) => ['recv', g.sock(), g.of([1, 100, 65_536])] },
  { mix: 'descriptors', weight: 2, make: (g) => ['drain', g.sock()] },
  { mix: 'descriptors', weight: 1, make: (g) => ['fill', g.sock()] },
  { mix: 'descriptors', weight: 1, make: (g) => ['shutdown', g.sock(), g.of(['RD', 'WR', 'RDWR'])] },
  { mix: 'descriptors', weight: 0.7, make: (g) => closing(g.sock()) },

  // Sockets that are awaited.
  { mix: 'socks', weight: 4, places: inCoroutines, make: (g) => ['sockRecv', g.sock(), g.of([0, 1, 100, 65_536])] },
  { mix: 'socks', weight: 2, places: inCoroutines, make: (g) => ['sockRecvInto', g.sock(), g.of([1, 100, 65_536])] },
  { mix: 'socks', weight: 4, places: inCoroutines, make: (g) => ['sockSendall', g.sock(), g.of(sizes)] },

  // Transports.
  { mix: 'transports', weight: 8, make: (g, place) => ['write', g.transport(place), g.of(sizes)] },
  {
    mix: 'transports',
    weight: 3,
    make: (g, place) => ['writelines', g.transport(place), Array.from({ length: g.below(4) }, () => g.of(sizes))],
  },
  { mix: 'transports', weight: 0.5, make: (g, place) => ['writelinesMany', g.transport(place), 1500, 1 + g.below(20)] },
  { mix: 'transports', weight: 0.2, make: (g, place) => [g.of(['writeBad', 'writelinesBad']), g.transport(place)] },
  { mix: 'transports', weight: 1.5, make: (g, place) => ['writeEof', g.transport(place)] },
  { mix: 'transports', weight: 2, make: (g, place) => ['close', g.transport(place)] },
  { mix: 'transports', weight: 1.5, make: (g, place) => ['abort', g.transport(place)] },
  { mix: 'transports', weight: 2, make: (g, place) => ['pauseReading', g.transport(place)] },
  { mix: 'transports', weight: 2, make: (g, place) => ['resumeReading', g.transport(place)] },
  {
    mix: 'transports',
    weight: 2,
    make: (g, place) => [g.of(['isClosing', 'isReading', 'bufferSize', 'limits', 'getProtocol']), g.transport(place)],
  },
  { mix: 'transports', weight: 1, make: (g, place) => ['setProtocol', g.transport(place), g.template()] },
  {
    mix: 'transports',
    weight: 2,
    make: (g, place) => ['setLimits', g.transport(place), g.of([null, 0, 100, 10_000]), g.of([null, null, 0, 50])],
  },
  { mix: 'transports', weight: 3, make: (g) => ['send', g.sock(), g.of(sizes)] },
  { mix: 'transports', weight: 4, make: (g) => ['drain', g.sock()] },
  { mix: 'transports', weight: 2, make: (g) => ['recv', g.sock(), g.of([1, 100, 65_536])] },
  { mix: 'transports', weight: 1, make: (g) => ['shutdown', g.sock(), g.of(['RD', 'WR', 'RDWR'])] },
  { mix: 'transports', weight: 1, make: (g) => closing(g.sock()) },

  // Child processes.
  { mix: 'processes', weight: 30, make: (g, place) => ['tell', g.told(place), g.of(lines)] },
  { mix: 'processes', weight: 10, make: (g, place) => ['tell', g.told(place), g.of(endings)] },
  { mix: 'processes', weight: 3, make: (g, place) => [g.of(['terminate', 'killChild']), g.told(place)] },
  { mix: 'processes', weight: 2, make: (g, place) => ['sendSignal', g.told(place), g.of(['SIGCONT', 'SIGKILL'])] },
  { mix: 'processes', weight: 2, make: (g, place) => ['close', g.child(place)] },
  { mix: 'processes', weight: 4, make: (g, place) => ['childState', g.child(place)] },
  { mix: 'processes', weight: 8, make: (g, place) => ['childWrite', g.child(place), g.of(sizes)] },
  { mix: 'processes', weight: 3, make: (g, place) => ['childPipeClose', g.child(place), g.below(3)] },
  {
    mix: 'processes',
    weight: 4,
    make: (g, place) => [g.of(['childPipePause', 'childPipeResume']), g.child(place), 1 + g.below(2)],
  },
  { mix: 'processes', weight: 3, make: () => ['processState', 'p0'] },
  { mix: 'processes', weight: 6, make: (g) => ['processWrite', 'p0', g.of(sizes)] },
  { mix: 'processes', weight: 1, make: () => ['processClose', 'p0'] },
  { mix: 'processes', weight: 8, places: inCoroutines, make: (g, place) => ['childExit', g.told(place)] },
  { mix: 'processes', weight: 4, places: inCoroutines, make: () => ['processDrain', 'p0'] },
  { mix: 'processes', weight: 6, places: inCoroutines, make: (g) => ['processRead', 'p0', g.of([1, 100, 6000])] },
  {
    mix: 'processes',
    weight: 5,
    places: inCoroutines,
    make: (g) => ['communicate', 'p0', ...(g.chance(0.6) ? [g.of(sizes)] : [])],
  },
  { mix: 'processes', weight: 1, places: inCoroutines, make: (g) => ['spawnMissing', g.template()] },
  { mix: 'processes', weight: 8, make: (g) => g.taskOfBody() },

  // Pipes.
  { mix: 'pipes', weight: 20, make: (g, place) => ['write', g.pipeTransport(place, 'write'), g.of(sizes)] },
  {
    mix: 'pipes',
    weight: 4,
    make: (g, place) => [
      'writelines',
      g.pipeTransport(place, 'write'),
      Array.from({ length: g.below(4) }, () => g.of(sizes)),
    ],
  },
  { mix: 'pipes', weight: 0.3, make: (g, place) => [g.of(['writeBad', 'writelinesBad']), g.transport(place)] },
  { mix: 'pipes', weight: 2, make: (g, place) => ['writeEof', g.pipeTransport(place, 'write')] },
  { mix: 'pipes', weight: 2, make: (g, place) => ['abort', g.pipeTransport(place, 'write')] },
  { mix: 'pipes', weight: 3, make: (g, place) => ['close', g.transport(place)] },
  {
    mix: 'pipes',
    weight: 6,
    make: (g, place) => [g.of(['pauseReading', 'resumeReading']), g.pipeTransport(place, 'read')],
  },
  {
    mix: 'pipes',
    weight: 4,
    make: (g, place) => [
      g.of(['isClosing', 'bufferSize', 'limits', 'getProtocol', 'canWriteEof']),
      g.pipeTransport(place, 'write'),
    ],
  },
  {
    mix: 'pipes',
    weight: 2,
    make: (g, place) => [g.of(['isClosing', 'isReading', 'getProtocol']), g.pipeTransport(place, 'read')],
  },
  { mix: 'pipes', weight: 0.5, make: (g, place) => ['extra', g.transport(place), g.of(['pipe', 'socket'])] },
  { mix: 'pipes', weight: 1, make: (g, place) => ['setProtocol', g.transport(place), g.template()] },
  {
    mix: 'pipes',
    weight: 4,
    make: (g, place) => [
      'setLimits',
      g.pipeTransport(place, 'write'),
      g.of([null, 0, 100, 10_000]),
      g.of([null, null, 0, 50]),
    ],
  },
  { mix: 'pipes', weight: 10, make: (g) => ['pipeWrite', g.pipeEnd('write'), g.of(sizes)] },
  { mix: 'pipes', weight: 12, make: (g) => ['pipeDrain', g.pipeEnd('read')] },
  { mix: 'pipes', weight: 8, make: (g) => ['pipeRead', g.pipeEnd('read'), g.of([1, 100, 5000, 65_536])] },
  { mix: 'pipes', weight: 1.5, make: (g) => ['pipeClose', g.sock()] },
  { mix: 'pipes', weight: 1, make: (g) => ['pipeIsOpen', g.name('q', 3) + g.of(['a', 'b'])] },
  { mix: 'pipes', weight: 6, make: (g) => g.taskOfBody() },

  // TLS.
  { mix: 'tls', weight: 24, make: (g, place) => ['write', g.transport(place), g.of(sizes)] },
  {
    mix: 'tls',
    weight: 9,
    make: (g, place) => ['writelines', g.transport(place), Array.from({ length: g.below(4) }, () => g.of(sizes))],
  },
  { mix: 'tls', weight: 0.9, make: (g, place) => [g.of(['writeBad', 'writeEof', 'canWriteEof']), g.transport(place)] },
  { mix: 'tls', weight: 6, make: (g, place) => ['close', g.transport(place)] },
  { mix: 'tls', weight: 3, make: (g, place) => ['abort', g.transport(place)] },
  { mix: 'tls', weight: 6, make: (g, place) => ['pauseReading', g.transport(place)] },
  { mix: 'tls', weight: 9, make: (g, place) => ['resumeReading', g.transport(place)] },
  {
    mix: 'tls',
    weight: 6,
    make: (g, place) => [g.of(['isClosing', 'isReading', 'limits', 'readLimits', 'getProtocol']), g.transport(place)],
  },
  { mix: 'tls', weight: 3, make: (g, place) => ['extra', g.transport(place), g.of(['cipher', 'peercert', 'socket'])] },
  {
    mix: 'tls',
    weight: 9,
    make: (g, place) => ['setProtocol', g.transport(place), g.isUpgrading ? g.name('D', 2) : g.template()],
  },
  {
    mix: 'tls',
    weight: 6,
    make: (g, place) => ['setLimits', g.transport(place), g.of([null, 100, 10_000]), g.of([null, null, 0, 50])],
  },
  {
    mix: 'tls',
    weight: 6,
    make: (g, place) =>
      g.limitsReading
        ? ['setReadLimits', g.transport(place), g.of([null, 100, 10_000]), g.of([null, null, 0, 50])]
        : ['readLimits', g.transport(place)],
  },
  { mix: 'tls', weight: 0.9, make: (g) => ['shutdown', g.sock(), g.of(['RD', 'WR', 'RDWR'])] },

  // Locks and queues. Whoever takes something gives it back, mostly, or everybody would soon wait for ever.
  {
    mix: 'sync',
    weight: 60,
    places: inCoroutines,
    make(g, place, level, index) {
      const name = g.holdable();
      const held = level > 1 ? [] : g.actions(place, 2, level + 1, index);
      return [
        ['acquire', name],
        ['sleep', g.of(delays)],
        ...held,
        ...(g.chance(0.9) ? [['release', name] as Action] : []),
      ];
    },
  },
  {
    mix: 'sync',
    weight: 40,
    places: inCoroutines,
    make(g) {
      const name = g.name('o', 2);
      const wait: Action = g.chance(0.8) ? ['waitCondition', name] : ['waitConditionFor', name, 'e0'];
      return [['acquire', name], wait, ['release', name]];
    },
  },
  {
    mix: 'sync',
    weight: 50,
    places: inCoroutines,
    make(g) {
      const name = g.name('o', 2);
      const news: Action = g.chance(0.7) ? ['notify', name, g.below(4)] : ['notifyAll', name];
      return [['acquire', name], news, ...(g.chance(0.3) ? [['sleep', 0] as Action] : []), ['release', name]];
    },
  },
  { mix: 'sync', weight: 15, make: (g) => ['cancel', g.task(), ...(g.chance(0.3) ? ['#why'] : [])] },
  { mix: 'sync', weight: 4, make: (g) => ['release', g.holdable()] },
  { mix: 'sync', weight: 2, make: (g) => ['locked', g.holdable()] },
  { mix: 'sync', weight: 2, make: (g) => ['notify', g.name('o', 2), g.below(4)] },
  { mix: 'sync', weight: 20, places: inCoroutines, make: () => ['waitEvent', 'e0'] },
  { mix: 'sync', weight: 8, make: (g) => [g.of(['setEvent', 'setEvent', 'clearEvent', 'isSet']), 'e0'] },
  { mix: 'sync', weight: 50, places: inCoroutines, make: (g) => ['waitBarrier', g.name('b', 2)] },
  {
    mix: 'sync',
    weight: 8,
    places: inCoroutines,
    make: (g) => [g.of(['resetBarrier', 'resetBarrier', 'abortBarrier']), g.name('b', 2)],
  },
  { mix: 'sync', weight: 2, make: (g) => ['barrierState', g.name('b', 2)] },
  { mix: 'sync', weight: 60, places: inCoroutines, make: (g) => ['put', g.name('n', 2), g.below(10)] },
  { mix: 'sync', weight: 50, places: inCoroutines, make: (g) => ['get', g.name('n', 2)] },
  { mix: 'sync', weight: 5, make: (g) => ['putNowait', g.name('n', 2), g.below(10)] },
  { mix: 'sync', weight: 5, make: (g) => [g.of(['getNowait', 'taskDone', 'queueState']), g.name('n', 2)] },
  { mix: 'sync', weight: 5, places: inCoroutines, make: (g) => ['join', g.name('n', 2)] },

  // Streams.
  { mix: 'streams', weight: 25, make: (g) => ['streamWrite', g.stream(), g.of(sizes)] },
  {
    mix: 'streams',
    weight: 10,
    make: (g) => ['streamWritelines', g.stream(), Array.from({ length: g.below(4) }, () => g.of(sizes))],
  },
  { mix: 'streams', weight: 3, make: (g) => ['streamWriteEof', g.stream()] },
  { mix: 'streams', weight: 3, make: (g) => ['streamClose', g.stream()] },
  { mix: 'streams', weight: 2, make: (g) => ['streamAbort', g.stream()] },
  {
    mix: 'streams',
    weight: 5,
    make: (g) => ['streamLimits', g.stream(), g.of([null, 0, 100, 10_000]), g.of([null, null, 0, 50])],
  },
  { mix: 'streams', weight: 8, make: (g) => ['streamState', g.stream()] },
  { mix: 'streams', weight: 1, make: (g) => [g.of(['feedEof', 'feedException']), g.stream()] },
  { mix: 'streams', weight: 4, make: (g) => ['feedData', g.stream(), g.of(['', 'x', 'line\n', '\n\n\n'])] },
  {
    mix: 'streams',
    weight: 40,
    places: inCoroutines,
    make: (g) => ['read', g.stream(), g.of([-1, 0, 1, 100, 65_536])],
  },
  {
    mix: 'streams',
    weight: 30,
    places: inCoroutines,
    make: (g) => ['readexactly', g.stream(), g.of([0, 1, 10, 5000])],
  },
  {
    mix: 'streams',
    weight: 30,
    places: inCoroutines,
    // The bytes that are written count up, so that pairs of them are there.
    make: (g) => ['readuntil', g.stream(), g.of([[5], [250], [7, 8], [7, 9], [248, 249, 250, 0], []])],
  },
  { mix: 'streams', weight: 25, places: inCoroutines, make: (g) => ['readline', g.stream()] },
  { mix: 'streams', weight: 30, places: inCoroutines, make: (g) => ['drainStream', g.stream()] },
  { mix: 'streams', weight: 6, places: inCoroutines, make: (g) => ['streamClosed', g.stream()] },
  { mix: 'streams', weight: 10, make: (g) => ['cancel', g.task(), ...(g.chance(0.3) ? ['#why'] : [])] },
  { mix: 'streams', weight: 4, make: (g) => ['send', g.sock(), g.of(sizes)] },
  { mix: 'streams', weight: 8, make: (g) => ['drain', g.sock()] },
  { mix: 'streams', weight: 1, make: (g) => ['shutdown', g.sock(), g.of(['RD', 'WR', 'RDWR'])] },
  { mix: 'streams', weight: 1, make: (g) => closing(g.sock()) },
  { mix: 'streams', weight: 25, make: (g) => g.taskOfBody() },

  // Servers.
  { mix: 'servers', weight: 3, make: (g) => ['connect', g.name('q', 4), g.server()] },
  { mix: 'servers', weight: 3, make: (g) => ['send', g.name('q', 4), g.of(sizes)] },
  { mix: 'servers', weight: 3, make: (g) => ['drain', g.name('q', 4)] },
  { mix: 'servers', weight: 1, make: (g) => ['shutdown', g.name('q', 4), g.of(['RD', 'WR', 'RDWR'])] },
  { mix: 'servers', weight: 1, make: (g) => ['closeSock', g.name('q', 4)] },
  { mix: 'servers', weight: 1, make: (g) => ['closeServer', g.server()] },
  { mix: 'servers', weight: 0.5, make: (g) => [g.of(['isServing', 'socketCount']), g.server()] },
  { mix: 'servers', weight: 1, places: inCoroutines, make: (g) => ['waitClosed', g.server()] },
  { mix: 'servers', weight: 0.5, places: inCoroutines, make: () => ['serveForever', 'v1'] },
  {
    mix: 'servers',
    weight: 0.7,
    places: inCoroutines,
    make: (g) => ['server', 'v1', g.template(), { start: g.chance(0.5) }],
  },
  {
    mix: 'servers',
    weight: 3,
    places: inCoroutines,
    make: (g) => ['connection', g.name('y', 2), g.server(), g.template()],
  },
];

function closing(sock: string): Action[] {
  return [
    ['removeReader', sock],
    ['removeWriter', sock],
    ['closeSock', sock],
  ];
}

const parts: Record<Mix, Mix[]> = {
  loop: ['loop'],
  futures: ['loop', 'futures'],
  signals: ['loop', 'futures', 'signals'],
  descriptors: ['loop', 'descriptors'],
  socks: ['loop', 'futures', 'descriptors', 'socks'],
  transports: ['loop', 'transports'],
  servers: ['loop', 'futures', 'transports', 'servers'],
  tls: ['loop', 'futures', 'tls'],
  sync: ['loop', 'futures', 'sync'],
  tasks: ['loop', 'futures', 'tasks'],
  streams: ['loop', 'futures', 'streams'],
  pipes: ['loop', 'futures', 'pipes'],
  processes: ['loop', 'futures', 'processes'],
  all: ['loop', 'futures', 'signals', 'descriptors', 'transports', 'servers'],
};

export const mixNames = Object.keys(parts) as Mix[];

/** The program of a seed. The mix `all` takes every mix in turn. */
export function generate(seed: number, mix: Mix): Program {
  const turn = mix === 'all' ? mixNames[seed % mixNames.length] : mix;
  return new Generator(seed, new Set(parts[turn])).make();
}
