'use strict';
// conformance.js: `npm run conformance`: the same programs on CPython's asyncio and on fdloop, traces compared.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');

const root = path.join(__dirname, '..');
const folder = path.join(root, 'test', 'conformance');

const usage = `usage: npm run conformance                       random programs, live, until --programs are done
       npm run conformance -- --record           records the traces of test/conformance/programs/
       npm run conformance -- --check            compares both sides on those programs, live
       npm run conformance -- --file FILE        runs one program, shows both traces
  --programs N        how many (default 1000)
  --seed S            the first seed (default: the time); a program has the seed S + its number
  --mix NAME          loop, futures, signals, descriptors, transports, servers, tls, sync, tasks, streams,
                      pipes, processes, all (default all)
  --selector NAME     epoll, poll, select (default epoll)
  --order NAME        registered or kernel: in which order ready descriptors come (default registered)
  --driver NAME       sync or hosted (default sync)
  --coroutines NAME   async, generator, mixed (default async)
  --all               goes on after the first divergence; prints the shrunk program of each
CPython 3.12 is found as python3; PYTHON names another, PYENV_VERSION another version.`;

/** Lets `require` read TypeScript, by swc as in the tests. */
function readTypeScript() {
  const { transformSync } = require('@swc/core');
  require.extensions['.ts'] = (module, file) => {
    const { code } = transformSync(fs.readFileSync(file, 'utf8'), {
      filename: file,
      swcrc: false,
      sourceMaps: 'inline',
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs' },
    });
    module._compile(code, file);
  };
}

/** How often a side may die before the whole gives up: then it is not the programs' doing. */
const MAX_DEATHS = 50;

/** A process that reads requests and writes traces, one line each. */
class Side {
  constructor(name, command, args) {
    this.name = name;
    this.waiting = [];
    this.child = spawn(command, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
    readline.createInterface({ input: this.child.stdout }).on('line', (line) => {
      const next = this.waiting.shift();
      clearTimeout(next.timer);
      next.resolve(JSON.parse(line));
    });
    this.child.on('exit', (code, signal) => {
      for (const { reject, timer } of this.waiting.splice(0)) {
        clearTimeout(timer);
        reject(new Error(`${name} ended: ${code ?? signal}`));
      }
    });
  }

  run(request) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${this.name} hangs`));
        this.child.kill('SIGKILL');
      }, 60_000);
      this.waiting.push({ resolve, reject, timer });
      this.child.stdin.write(`${JSON.stringify(request)}\n`);
    });
  }

  close() {
    this.child.stdin.end();
  }
}

const startPython = () =>
  new Side('asyncio', process.env.PYTHON ?? 'python3', ['-X', 'utf8', path.join(folder, 'interpreter.py')]);
const startNode = () => new Side('fdloop', process.execPath, [__filename, '--serve']);

/** The fdloop side: a child of this script. */
async function serve() {
  readTypeScript();
  const { runProgram } = require(path.join(folder, 'interpreter.ts'));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { program, ...options } = JSON.parse(line);
    process.stdout.write(`${JSON.stringify(await runProgram(program, options))}\n`);
  }
}

function parse(args) {
  const options = {
    programs: 1000,
    seed: Math.floor(Date.now() / 1000) % 1_000_000,
    mix: 'all',
    selector: 'epoll',
    order: 'registered',
    driver: 'sync',
    coroutines: 'async',
  };
  for (let index = 0; index < args.length; index++) {
    const name = args[index].replace(/^--/, '');
    if (['record', 'check', 'serve', 'all', 'help'].includes(name)) options[name] = true;
    else if (name in options || name === 'file') {
      const value = args[++index];
      options[name] = typeof options[name] === 'number' ? Number(value) : value;
    } else throw new Error(`unknown option ${args[index]}\n${usage}`);
  }
  return options;
}

const text = (entry) => JSON.stringify(entry);

/** The number of the first entry that differs, -1 if none does. */
function firstDifference(expected, actual) {
  const length = Math.max(expected.length, actual.length);
  for (let index = 0; index < length; index++) {
    if (text(expected[index]) !== text(actual[index])) return index;
  }
  return -1;
}

function showDifference(expected, actual, at, around = 12) {
  for (let index = Math.max(0, at - around); index < at; index++) console.log(`    ${text(expected[index])}`);
  for (let index = at; index < Math.min(at + 3, Math.max(expected.length, actual.length)); index++) {
    console.log(`  a ${text(expected[index])}\n  f ${text(actual[index])}`);
  }
}

class Duel {
  constructor(options) {
    this.options = options;
    this.deaths = 0;
    this.start();
  }

  start() {
    this.python = startPython();
    this.node = startNode();
  }

  request(program) {
    const { selector, order, driver, coroutines } = this.options;
    return { program, selector, order, driver, coroutines };
  }

  /** [asyncio's trace, fdloop's]; a side that dies is started again, and its trace is what happened to it. */
  async run(program) {
    const request = this.request(program);
    const traces = await Promise.all(
      [this.python, this.node].map((side) => side.run(request).catch((error) => [['died', String(error.message)]])),
    );
    if (traces.some((trace) => trace[0]?.[0] === 'died')) {
      this.deaths += 1;
      if (this.deaths > MAX_DEATHS) throw new Error(`gave up: ${text(traces)}`);
      this.close();
      this.start();
    }
    return traces;
  }

  close() {
    this.python.close();
    this.node.close();
  }
}

function programFiles() {
  const programs = path.join(folder, 'programs');
  return fs
    .readdirSync(programs)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => ({ name, programs: JSON.parse(fs.readFileSync(path.join(programs, name), 'utf8')) }));
}

async function record() {
  const python = startPython();
  for (const { name, programs } of programFiles()) {
    const traces = {};
    for (const program of programs) {
      const trace = await python.run({ program, selector: program.selectors?.[0] ?? 'epoll' });
      traces[program.title] = trace;
    }
    const lines = Object.entries(traces).map(
      ([title, trace]) => `${text(title)}: [\n${trace.map((entry) => `  ${text(entry)}`).join(',\n')}\n]`,
    );
    fs.writeFileSync(path.join(folder, 'traces', name), `{\n${lines.join(',\n')}\n}\n`);
    console.log(`${name}: ${programs.length} programs`);
  }
  python.close();
}

async function check(options) {
  const duel = new Duel(options);
  let different = 0;
  let count = 0;
  for (const { name, programs } of programFiles()) {
    for (const program of programs) {
      if (program.selectors !== undefined && !program.selectors.includes(options.selector)) continue;
      const [expected, actual] = await duel.run(program);
      count += 1;
      const at = firstDifference(expected, actual);
      if (at < 0) continue;
      different += 1;
      console.log(`\n${name}: ${program.title}`);
      showDifference(expected, actual, at);
    }
  }
  duel.close();
  console.log(`${count} programs, ${different} differ`);
  return different === 0 ? 0 : 1;
}

async function runFile(options) {
  const programs = [JSON.parse(fs.readFileSync(options.file, 'utf8'))].flat();
  const duel = new Duel(options);
  let different = 0;
  for (const program of programs) {
    const [expected, actual] = await duel.run(program);
    const at = firstDifference(expected, actual);
    if (program.title !== undefined) console.log(program.title);
    if (at < 0) for (const entry of expected) console.log(`    ${text(entry)}`);
    else showDifference(expected, actual, at, 1000);
    if (at >= 0) different += 1;
  }
  duel.close();
  return different === 0 ? 0 : 1;
}

async function main() {
  const options = parse(process.argv.slice(2));
  if (options.help) console.log(usage);
  else if (options.serve) await serve();
  else if (options.record) await record();
  else if (options.check) process.exitCode = await check(options);
  else if (options.file) process.exitCode = await runFile(options);
  else process.exitCode = await hunt(options);
}

/** Counts what happened in a trace: verbs, and how they ended. */
function countInto(histogram, trace) {
  for (const [, , , what, , result] of trace) {
    const outcome = result?.error ?? (typeof result === 'string' && result !== 'eof' ? result : '');
    const key = outcome === '' || outcome.startsWith('#') ? what : `${what}: ${outcome}`;
    histogram.set(key, (histogram.get(key) ?? 0) + 1);
  }
}

function printHistogram(histogram) {
  const rows = [...histogram].filter(([key]) => key !== 'undefined').sort(([, one], [, other]) => other - one);
  const cells = rows.map(([key, count]) => `${key} ${count}`);
  let line = '';
  for (const cell of cells) {
    if (line.length + cell.length > 118) {
      console.log(line);
      line = '';
    }
    line += line === '' ? cell : `, ${cell}`;
  }
  console.log(line);
}

/** Random programs on both sides, several under way at a time. */
async function hunt(options) {
  readTypeScript();
  const { generate } = require(path.join(folder, 'generate.ts'));
  const { shrink } = require(path.join(folder, 'shrink.ts'));
  const duel = new Duel(options);
  const histogram = new Map();
  const diverging = [];
  let entries = 0;
  let ran = 0;
  let next = 0;
  const started = Date.now();
  const worker = async () => {
    while (next < options.programs && (options.all || diverging.length === 0)) {
      const seed = options.seed + next++;
      const program = generate(seed, options.mix);
      const [expected, actual] = await duel.run(program);
      ran += 1;
      entries += expected.length;
      countInto(histogram, expected);
      if (firstDifference(expected, actual) >= 0) diverging.push({ seed, program });
    }
  };
  console.log(`seeds ${options.seed} to ${options.seed + options.programs - 1}, mix ${options.mix}`);
  await Promise.all(Array.from({ length: 8 }, worker));
  for (const { seed, program } of diverging.slice(0, 20)) await report(duel, shrink, seed, program);
  duel.close();
  printHistogram(histogram);
  const seconds = (Date.now() - started) / 1000;
  console.log(`${ran} programs, ${entries} entries in ${seconds.toFixed(1)} s, ${diverging.length} differ`);
  if (diverging.length > 0) console.log(`seeds: ${diverging.map(({ seed }) => seed).join(' ')}`);
  return diverging.length === 0 ? 0 : 1;
}

async function report(duel, shrink, seed, program) {
  const small = await shrink(program, async (candidate) => {
    const [expected, actual] = await duel.run(candidate);
    return firstDifference(expected, actual) >= 0;
  });
  const [expected, actual] = await duel.run(small);
  const at = firstDifference(expected, actual);
  console.log(`\nseed ${seed}:\n${text(small)}`);
  if (at < 0) console.log('  (not the same each time: the shrunk program shows no difference now)');
  else showDifference(expected, actual, at);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
