'use strict';
// report.js: what was measured, as text: bench/results/SUITE.md and .svg from SUITE.json, and the tables in docs/performance.md, which
// stand between <!-- bench:NAME --> and <!-- /bench -->.

const fs = require('node:fs');
const path = require('node:path');

const { chart, figure, OURS } = require('./chart');
const { goalRows } = require('./goals');
const { root } = require('./machine');
const { geometricMean } = require('./statistics');

const results = path.join(root, 'bench', 'results');
const page = path.join(root, 'docs', 'performance.md');

function readResult(name) {
  const file = path.join(results, `${name}.json`);
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : null;
}

function table(head, rows) {
  const lines = [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Contenders in the order of the suite, which is the order of the versions. */
const columnsOf = ({ versions, cells }) => Object.keys(versions).filter((name) => cells.some(({ rows }) => rows[name]));

function ratios(result) {
  const columns = columnsOf(result);
  return table(
    [result.names, ...columns],
    result.cells.map(({ name, rows }) => [
      name,
      ...columns.map((column) => (rows[column]?.ratio ? figure(rows[column].ratio.median) : '')),
    ]),
  );
}

const amount = (value) => (value === undefined ? '' : Math.round(value).toLocaleString('en'));
const range = ({ low, high }, show) => `${show(low)} to ${show(high)}`;

function details(result) {
  const rows = result.cells.flatMap(({ name, rows: contenders }) =>
    columnsOf(result).flatMap((column) => {
      const row = contenders[column];
      if (!row) return [];
      const { value, ratio, beside, samples } = row;
      return [
        [
          ...[name, column, amount(value.median), range(value, amount)],
          ...(ratio ? [figure(ratio.median), range(ratio, figure)] : ['', '']),
          ...[amount(beside.perSecond), amount(beside.p50), amount(beside.p99), amount(beside.p999), String(samples)],
        ],
      ];
    }),
  );
  const head = [
    'contender',
    result.unit,
    'quartiles',
    'ratio',
    'quartiles',
    'per second',
    'p50',
    'p99',
    'p99.9',
    'samples',
  ];
  return table([result.names, ...head], rows);
}

function versions({ versions: known, skipped, failures, machine }) {
  const list = Object.entries(known).map(([name, version]) => `${name}: ${version}`);
  const lines = [`Contenders: ${list.join('; ')}.`];
  const absent = Object.entries(skipped).map(([name, why]) => `${name} (${why})`);
  if (absent.length > 0) lines.push(`Not there: ${absent.join('; ')}.`);
  if (failures.length > 0) lines.push(`Failed: ${failures.join('; ')}.`);
  const state = machine.commit ? ` at ${machine.commit}` : '';
  lines.push(
    `Machine: ${machine.processor}, ${machine.processors} processors, ${machine.kernel}. fdloop ${machine.fdloop}${state}.`,
  );
  return lines.join('\n\n');
}

const about = ({ title, measures, base }) => `${title}: ${measures}, as a ratio to ${base} = 1.00; less is better.`;

function markdown(name, result) {
  const { rounds, time, disturbed } = result.run;
  const noise = disturbed > 0 ? ` In ${(disturbed * 100).toFixed(0)} % of the samples others used the machine.` : '';
  return [
    `# ${result.title}`,
    `${about(result)} Medians of ${rounds} rounds of ${time} ms, taken in turns.${noise}`,
    ratios(result),
    `![${result.title}](${name}.svg)`,
    '## In full',
    'Latency in microseconds, as the load generator saw it.',
    details(result),
    '## Who and where',
    versions(result),
    '',
  ].join('\n\n');
}

/** One row for each contender, one column for each suite: the mean over the suite's cells, for those who were in all of them. */
function glance(suites) {
  const shown = suites.filter((name) => name !== 'watching' && name !== 'coexistence');
  const all = shown.map(readResult).filter(Boolean);
  const names = [...new Set(all.flatMap(columnsOf))];
  const mean = ({ cells }, name) => {
    const medians = cells.flatMap(({ rows }) => (rows[name]?.ratio ? [rows[name].ratio.median] : []));
    return medians.length === cells.length ? figure(geometricMean(medians)) : '';
  };
  if (all.length === 0) return 'Not measured yet.';
  const heads = all.map(({ title, base }) => `${title} (${base} = 1)`);
  const rows = names.map((name) => [name, ...all.map((result) => mean(result, name))]);
  return table(
    ['', ...heads],
    rows.filter((row) => row.slice(1).some((cell) => cell !== '')),
  );
}

/** Who is ahead of fdloop, where, and by how much: by more than a twentieth, because less is noise. */
function losses(suites) {
  const lines = suites.flatMap((name) => {
    const result = readResult(name);
    if (!result) return [];
    const ahead = columnsOf(result)
      .filter((column) => !OURS.test(column))
      .flatMap((column) => behind(result, column));
    return [`- **${result.title}**, ${result.subject}: ${ahead.join('; ') || 'nobody'}.`];
  });
  return lines.join('\n');
}

function behind({ cells, subject }, other) {
  const both = cells.flatMap(({ name, rows }) =>
    rows[subject] && rows[other] ? [{ name, factor: rows[subject].value.median / rows[other].value.median }] : [],
  );
  const lost = both.filter(({ factor }) => factor > 1.05).sort((a, b) => b.factor - a.factor);
  if (lost.length === 0) return [];
  const where = both.length === 1 ? '' : ` in ${lost.length} of ${both.length} rows`;
  return [`${other}${where}, by ${lost.length > 1 ? 'up to ' : ''}${figure(lost[0].factor)}`];
}

function everything(suites) {
  const all = suites.map(readResult).filter(Boolean);
  if (all.length === 0) return 'Nothing has been measured yet.';
  const merged = Object.assign({}, ...all.map((result) => result.versions));
  return versions({ versions: merged, skipped: {}, failures: [], machine: all[0].machine });
}

const goals = () => table(['', 'beside', 'goal', 'measured', 'rows that reach it'], goalRows(readResult));

const overviews = { machine: everything, glance, losses, goals };

/** What may stand in the page: an overview, or a suite's table and chart. */
function block(name, suites) {
  if (overviews[name]) return overviews[name](suites);
  const result = readResult(name);
  if (!result) return 'Not measured yet.';
  return `${about(result)}\n\n${ratios(result)}\n\n![${result.title}](../bench/results/${name}.svg)`;
}

async function refreshPage(suites) {
  if (!fs.existsSync(page)) return;
  const marked = /(<!-- bench:(\w+) -->\n)[\s\S]*?(<!-- \/bench -->)/g;
  let text = fs.readFileSync(page, 'utf8');
  text = text.replace(marked, (_, start, name, end) => `${start}\n${block(name, suites)}\n\n${end}`);
  const prettier = require('prettier');
  const options = await prettier.resolveConfig(page);
  fs.writeFileSync(page, await prettier.format(text, { ...options, parser: 'markdown' }));
}

/** Writes a suite's three files. */
function save(name, result) {
  fs.mkdirSync(results, { recursive: true });
  fs.writeFileSync(path.join(results, `${name}.json`), `${JSON.stringify(result, roundFigures, 1)}\n`);
  render(name, result);
}

const roundFigures = (_, value) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value);

function render(name, result) {
  fs.writeFileSync(path.join(results, `${name}.md`), markdown(name, result));
  fs.writeFileSync(path.join(results, `${name}.svg`), chart(result));
}

/** Everything again from what was saved. */
async function report(suites) {
  for (const name of suites) {
    const result = readResult(name);
    if (result) render(name, result);
  }
  await refreshPage(suites);
}

module.exports = { ratios, report, save };
