'use strict';
// run.js: `npm run bench`: builds what it needs, measures, writes bench/results/ and the tables of docs/performance.md.
//
//   npm run bench                               every suite, about 20 minutes
//   npm run bench -- --quick                    fewer cells and rounds, about 3 minutes
//   npm run bench -- echo loop                  these suites only; the results of the others stay
//   npm run bench -- echo --only=fdloop,Bun     these contenders only (and the base); nothing is written
//   npm run bench -- echo --dry                 nothing is written
//   npm run bench -- report                     the texts and charts again, from the saved figures
//   --rounds=N, --time=MS, --cores=SERVER,LOAD

const { Bench, FULL, QUICK } = require('./harness/bench');
const { build } = require('./harness/make');
const { defaultCores, describeMachine } = require('./harness/machine');
const { ratios, report, save } = require('./harness/report');

const suites = ['echo', 'streams', 'tls', 'udp', 'connections', 'idle', 'bulk', 'loop', 'watching', 'coexistence'];

function parse(words) {
  const options = { suites: [], cores: defaultCores(), budget: { ...FULL } };
  if (words.includes('--quick')) options.budget = { ...QUICK };
  for (const word of words) {
    const [name, value] = word.split('=');
    if (suites.includes(word)) options.suites.push(word);
    else if (word === 'report') options.report = true;
    else if (word === '--dry') options.dry = true;
    else if (name === '--only')
      options.only = value.split(/,(?! )/); // Names have commas, with a space.
    else if (name === '--rounds') options.budget.rounds = Number(value);
    else if (name === '--time') options.budget.time = Number(value);
    else if (name === '--cores') options.cores = value.split(',').map(Number);
    else if (word !== '--quick') {
      console.error(`What is ${word}? Suites: ${suites.join(', ')}. Options are explained in bench/README.md.`);
      process.exit(2);
    }
  }
  if (options.suites.length === 0) options.suites = suites;
  return options;
}

/** Measures one suite, whatever happens in it. */
async function measure(name, options, machine) {
  const suite = require(`./suites/${name}`);
  console.log(`${suite.title}: ${suite.measures}`);
  const bench = new Bench(suite, options);
  const started = Date.now();
  try {
    await suite.run(bench);
  } catch (error) {
    bench.fail(name, error);
  } finally {
    await bench.stop();
  }
  const { title, measures, unit, base, subject, names } = suite;
  const { cells, ...rest } = bench.results();
  const grouped = suite.panels?.(cells) ?? cells.map((cell) => ({ title: cell.name, cells: [cell] }));
  const panels = grouped.map((panel) => ({
    title: panel.title,
    cells: panel.cells.map((cell) => cells.indexOf(cell)),
  }));
  const run = { ...options.budget, seconds: (Date.now() - started) / 1000, disturbed: bench.disturbed };
  const result = { title, measures, unit, base, subject, names, run, machine, ...rest, panels, cells };
  console.log(`\n${ratios(result)}\n`);
  return result;
}

async function main() {
  const options = parse(process.argv.slice(2));
  if (!options.report) {
    for (const [name, why] of build()) console.log(`not built: ${name}: ${why}`);
    const machine = describeMachine();
    const started = Date.now();
    for (const name of options.suites) {
      const result = await measure(name, options, machine);
      // A suite is saved as soon as it is done: what was stopped goes on with the next one.
      if (!options.only && !options.dry) save(name, result);
    }
    console.log(`done in ${((Date.now() - started) / 60_000).toFixed(1)} minutes`);
  }
  if (!options.only && !options.dry) await report(suites);
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
