'use strict';
// bench.js: what suites measure with. All servers of a cell are up at once; they are measured in turns, in an order that changes
// with each round, so that whatever else the machine does meets all of them alike.

const { built } = require('./make');
const { contender } = require('./contenders');
const { Program, run } = require('./processes');
const { isDisturbed, summarize } = require('./statistics');

/** Milliseconds of a window before which nothing counts, and of the window. */
const FULL = { quick: false, rounds: 5, warm: 50, time: 250 };
const QUICK = { quick: true, rounds: 3, warm: 40, time: 120 };

class Bench {
  #samples = new Map(); // cell -> contender -> samples by round
  #servers = [];
  #only;

  constructor(suite, { budget, cores, only }) {
    this.suite = suite;
    this.budget = budget;
    this.cores = { server: cores[0], load: cores[1] };
    this.versions = {};
    this.skipped = {};
    this.failures = [];
    this.#only = only;
  }

  get quick() {
    return this.budget.quick;
  }

  /** Those of the names that can take part; the others are noted. */
  contenders(names) {
    const wanted = names.filter((name) => name === this.suite.base || !this.#only || this.#only.includes(name));
    return wanted.flatMap((name) => {
      const found = contender(name);
      if (found.why !== undefined) this.skip(name, found.why);
      else this.versions[name] = found.version;
      return found.why === undefined ? [found] : [];
    });
  }

  skip(name, why) {
    if (!(name in this.skipped)) console.log(`  without ${name}: ${why}`);
    this.skipped[name] = why;
  }

  fail(name, error) {
    console.log(`  ${name} failed: ${error.message}`);
    this.failures.push(`${name}: ${error.message}`);
  }

  /** Starts a server of each contender and has it say its ports. */
  async servers(names, mode, args = []) {
    const started = [];
    for (const found of this.contenders(names)) {
      try {
        started.push(await this.start(found, mode, args));
      } catch (error) {
        this.fail(`${found.name}, ${mode}`, error);
      }
    }
    return started;
  }

  /** Starts one server and has it say its ports. */
  async start(found, mode, args = []) {
    const server = { name: found.name, program: new Program(found.serve(mode, args), { core: this.cores.server }) };
    this.#servers.push(server);
    const [, ports] = await server.program.until(/^port (.*)\n/m, 15);
    [server.port, server.otherPort] = ports.split(' ').map(Number);
    server.restart = () => this.start(found, mode, args);
    return server;
  }

  /** Ends what `servers` started. */
  async stop() {
    await Promise.all(this.#servers.splice(0).map(({ program }) => program.kill()));
  }

  /**
   * Measures a cell: each of the participants once in each round.
   * @param measure (participant) => a sample, { value, ... }: smaller is better
   */
  cell(name, participants, measure) {
    return this.cells(name, participants, async (participant) => ({ [name]: await measure(participant) }));
  }

  /** The same where one measurement gives figures for several cells, by their names. */
  async cells(title, participants, measure, rounds = this.budget.rounds) {
    const started = Date.now();
    const broken = new Set();
    for (let round = 0; round < rounds; round++) {
      for (const participant of shuffled(participants)) {
        if (broken.has(participant.name)) continue;
        try {
          const samples = await measure(participant);
          for (const [cell, sample] of Object.entries(samples)) this.#record(cell, participant.name, round, sample);
        } catch (error) {
          broken.add(participant.name);
          const server = participant.program instanceof Program ? participant.program : null;
          this.fail(
            `${title}, ${participant.name}`,
            server?.exit === undefined ? error : server.failure(`ended with ${server.exit}`),
          );
          if (participant.restart) Object.assign(participant, await this.#again(participant));
        }
      }
    }
    console.log(`  ${title} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  }

  async #again(participant) {
    await participant.program.kill();
    try {
      return await participant.restart();
    } catch (error) {
      this.fail(participant.name, error);
      return {};
    }
  }

  #record(cell, name, round, sample) {
    if (!(sample.value > 0)) throw new Error(`no figure for ${cell}: ${JSON.stringify(sample)}`);
    if (!this.#samples.has(cell)) this.#samples.set(cell, new Map());
    const rows = this.#samples.get(cell);
    if (!rows.has(name)) rows.set(name, []);
    rows.get(name)[round] = sample;
  }

  /** Runs the load generator against a server: processor time for each operation, in nanoseconds, and what is beside it. */
  async load(server, kind, parameters = {}) {
    const { warm, time } = this.budget;
    const all = { port: server.port, pid: server.program.pid, core: this.cores.load, warm, time, ...parameters };
    const words = Object.entries(all).map(([name, value]) => `${name}=${value}`);
    const result = JSON.parse(await run([built('load'), kind, ...words], { core: this.cores.load, seconds: 45 }));
    if (result.operations === 0) throw new Error('not one operation within the time');
    const sample = {
      value: result.cpuNs / result.operations,
      perSecond: result.operations / result.seconds,
      waited: result.waited,
    };
    for (const name of ['p50', 'p99', 'p999', 'memory']) if (result[name] > 0) sample[name] = result[name];
    return sample;
  }

  /** Runs a program of a contender that measures itself and prints its figures as JSON, { cell: nanoseconds }. */
  async program(found, file, args, seconds = 60) {
    const output = await run(found.program(file, args), { core: this.cores.server, seconds });
    const figures = JSON.parse(output.trim().split('\n').pop());
    return Object.fromEntries(Object.entries(figures).map(([cell, value]) => [cell, { value }]));
  }

  /** The share of samples during which others used the machine. */
  get disturbed() {
    const samples = [...this.#samples.values()].flatMap((rows) => [...rows.values()].flat().filter(Boolean));
    return samples.length === 0 ? 0 : samples.filter(isDisturbed).length / samples.length;
  }

  /** Once around, for every compiler that compiles while the program runs. What is wrong with a server shows in its cells. */
  async warmUp(servers, kind, parameters = {}) {
    for (const server of servers) {
      await this.load(server, kind, { time: this.quick ? 300 : 1000, ...parameters }).catch(() => {});
    }
  }

  results() {
    const cells = [...this.#samples].map(([name, rows]) => {
      const base = rows.get(this.suite.base);
      const summary = [...rows].map(([contenderName, samples]) => [contenderName, summarize(samples, base)]);
      return { name, rows: Object.fromEntries(summary.filter(([, row]) => row !== null)) };
    });
    return { cells, versions: this.versions, skipped: this.skipped, failures: this.failures };
  }
}

function shuffled(items) {
  const result = [...items];
  for (let index = result.length - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1));
    [result[index], result[other]] = [result[other], result[index]];
  }
  return result;
}

module.exports = { Bench, FULL, QUICK };
