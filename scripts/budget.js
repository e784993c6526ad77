'use strict';
// budget.js: counts what the hot path costs, and compares it with bench/budget/budget.json: instructions of the process (not
// of the kernel), counted by valgrind's callgrind, and bytes that are allocated. Neither depends on how busy the machine is.
//
//   npm run budget                  compares; red if something costs more than it may
//   npm run budget -- --update      writes what was counted as the new budget of this major version of Node
//
// Instructions are told in units: one is what a job of the workload "reference", plain JavaScript, takes in the same run. So
// a budget holds for other processors and other patch versions of Node; other major versions have budgets of their own.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { names, COUNTED } = require('../bench/budget/workloads');

const workloads = path.join(__dirname, '..', 'bench', 'budget', 'workloads.js');
const budgetFile = path.join(__dirname, '..', 'bench', 'budget', 'budget.json');
const major = process.versions.node.split('.')[0];

/** What may be above the budget: a share of the instructions, and of the bytes less than the smallest object has. */
const INSTRUCTIONS_TOLERANCE = 0.03;
const BYTES_TOLERANCE = 8;

/** One thread, so that nothing is compiled or collected beside the count; room enough that nothing is collected in it. */
const nodeOptions = [
  '--expose-gc',
  '--single-threaded',
  '--hash-seed=1',
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
];

function fail(message) {
  process.stderr.write(`budget: ${message}\n`);
  process.exit(1);
}

/** @returns {Record<string, { instructions: number, bytes: number }>} for one operation, instructions as they are */
function count() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fdloop-budget-'));
  try {
    const output = path.join(folder, 'counts');
    const callgrind = ['--tool=callgrind', `--callgrind-out-file=${output}`, '--dump-before=uv_os_gethostname'];
    const run = spawnSync('valgrind', [...callgrind, process.execPath, ...nodeOptions, workloads], {
      encoding: 'utf8',
    });
    if (run.error?.code === 'ENOENT') fail('valgrind is not installed');
    if (run.status !== 0) fail(`the workloads ended with ${run.status ?? run.signal}:\n${run.stderr}`);
    const bytes = JSON.parse(run.stdout);
    // The dumps are numbered: before each workload, and at its end.
    const total = (dump) => Number(/^totals: (\d+)/m.exec(fs.readFileSync(`${output}.${dump}`, 'utf8'))[1]);
    return Object.fromEntries(
      names.map((name, index) => [name, { instructions: total(2 * index + 2) / COUNTED, bytes: bytes[name] }]),
    );
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const rounded = (number, digits) => Number(number.toFixed(digits));

function main() {
  const counted = count();
  const unit = counted.reference.instructions;
  const found = Object.fromEntries(
    names
      .filter((name) => name !== 'reference')
      .map((name) => [
        name,
        { units: rounded(counted[name].instructions / unit, 2), bytes: Math.round(counted[name].bytes) },
      ]),
  );
  const budgets = fs.existsSync(budgetFile) ? JSON.parse(fs.readFileSync(budgetFile, 'utf8')) : {};
  const isUpdate = process.argv.includes('--update');
  const budget = budgets[`node ${major}`];
  let passed = 0;
  let failed = 0;
  console.log(`Node ${process.versions.node}; a unit is ${unit.toFixed(1)} instructions`);
  for (const [name, { units, bytes }] of Object.entries(found)) {
    const may = budget?.[name];
    const isOver =
      may !== undefined && (units > may.units * (1 + INSTRUCTIONS_TOLERANCE) || bytes > may.bytes + BYTES_TOLERANCE);
    const isUnder = may !== undefined && units < may.units * (1 - INSTRUCTIONS_TOLERANCE);
    const verdict = may === undefined ? 'no budget' : isOver ? 'OVER' : isUnder ? 'ok, less than before' : 'ok';
    console.log(
      `${name.padEnd(32)} ${units.toFixed(2).padStart(8)} units ${bytes.toFixed().padStart(5)} bytes` +
        (may === undefined ? '' : `   budget ${may.units.toFixed(2).padStart(8)} ${String(may.bytes).padStart(5)}`) +
        `   ${verdict}` +
        `   (${counted[name].instructions.toFixed(0)} instructions)`,
    );
    if (isOver) failed += 1;
    else passed += 1;
  }
  if (isUpdate) {
    budgets[`node ${major}`] = found;
    fs.writeFileSync(budgetFile, `${JSON.stringify(budgets, null, 2)}\n`);
    console.log(`written to ${path.relative(process.cwd(), budgetFile)}`);
    return;
  }
  if (budget === undefined)
    console.log(`there is no budget for Node ${major} yet: nothing was judged (--update writes one)`);
  else if (failed > 0) console.log('if the cost is wanted: npm run budget -- --update, and say why in the commit');
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

main();
