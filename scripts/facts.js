'use strict';
// facts.js: which facts about asyncio's behaviour have a test. test/facts.json lists the facts, the titles of tests name
// them, test/facts-excused.json says why a fact needs none. `npm run facts -- --help` shows the ways to ask.

const fs = require('node:fs');
const path = require('node:path');
const ts = require('typescript');

const root = path.join(__dirname, '..');
const testFolder = path.join(root, 'test');
const factsFile = path.join(testFolder, 'facts.json');
const excusedFile = path.join(testFolder, 'facts-excused.json');

const usage = `usage: npm run facts                      a table per group and the facts without a test
       npm run facts -- --list GROUP       the untested facts of a group, with what they say ("all" for every group)
       npm run facts -- --excused          the facts that need no test, and why
       npm run facts -- --update FILE      makes test/facts.json from a catalogue of lines "ABC-001: statement [source] tags"
Exit code 1: a test names a fact that does not exist, or an excuse is wrong.`;

const gistLength = 110;

const groupOf = (id) => id.slice(0, id.indexOf('-'));
const numberOf = (id) => Number(id.slice(id.indexOf('-') + 1));

// --- The list ------------------------------------------------------------------------------------------------------------

/** Cuts at the end of a word. */
function shorten(text) {
  if (text.length <= gistLength) return text;
  const cut = text.slice(0, gistLength + 1);
  return `${cut.slice(0, cut.lastIndexOf(' ')).replace(/[\s,;:.(–-]+$/, '')}…`;
}

/** A catalogue line's statement without the place it was read from and without the tags around that. */
function gist(statement) {
  const tag = String.raw`(?:obs|HAZARD|\(!\)|Δ(?:later|\d\S*)(?: \([^()]*\))?)`;
  return shorten(
    statement
      .replace(new RegExp(String.raw`\s*\[[^\[\]]*\](?:\s+${tag})*\s*$`, 'u'), '')
      .replace(new RegExp(String.raw`(?:\s+(?:obs|HAZARD|\(!\)))+$`, 'u'), ''),
  );
}

function readCatalogue(file) {
  const facts = {};
  for (const line of fs.readFileSync(file, 'utf8').split(/\r?\n/)) {
    const match = /^([A-Z][A-Z0-9]*-\d{3}): (.+)$/.exec(line);
    if (!match) continue;
    const [, id, statement] = match;
    if (id in facts) throw new Error(`${file}: ${id} appears twice`);
    facts[id] = gist(statement);
  }
  if (Object.keys(facts).length === 0) throw new Error(`${file}: no line of the form "ABC-001: statement"`);
  return facts;
}

// --- What tests name -----------------------------------------------------------------------------------------------------

function testSources(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return testSources(file);
    return entry.name.endsWith('.ts') ? [file] : []; // suites shared by several test files too, not only *.test.ts
  });
}

/** The name at the bottom of `test.each(rows)`, `it.only`, `(slow ? test : test.skip)`, and the properties on the way to it. */
function calleeChain(node) {
  const properties = [];
  for (;;) {
    if (ts.isPropertyAccessExpression(node)) {
      properties.push(node.name.text);
      node = node.expression;
    } else if (ts.isCallExpression(node) || ts.isParenthesizedExpression(node) || ts.isNonNullExpression(node)) {
      node = node.expression;
    } else if (ts.isTaggedTemplateExpression(node)) {
      node = node.tag;
    } else if (ts.isConditionalExpression(node)) {
      // Runs under some condition: the branch that runs is the one that counts.
      const branches = [calleeChain(node.whenTrue), calleeChain(node.whenFalse)];
      const chosen = branches.find((branch) => !isSwitchedOff(branch)) ?? branches[0];
      return { name: chosen.name, properties: [...properties, ...chosen.properties] };
    } else {
      return { name: ts.isIdentifier(node) ? node.text : '', properties };
    }
  }
}

const isSwitchedOff = ({ name, properties }) =>
  /^x(test|it|describe)$/.test(name) || properties.some((property) => ['skip', 'todo', 'failing'].includes(property));
// testOnLinux and the like: a helper that stands for `test` where a condition holds.
const isTest = ({ name }) => /^(test|it)([A-Z]\w*)?$/.test(name);
const isDescribe = ({ name }) => /^x?describe([A-Z]\w*)?$/.test(name);

/** The text of a title as far as it stands in the source; undefined for anything that is no text. */
function textOf(node) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map((span) => `\${}${span.literal.text}`).join('');
  if (ts.isParenthesizedExpression(node)) return textOf(node.expression);
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const left = textOf(node.left);
    const right = textOf(node.right);
    return left === undefined && right === undefined ? undefined : (left ?? '') + (right ?? '');
  }
  return undefined;
}

/** Titles of the tests in a source text, with their lines. Tests that are switched off do not count. */
function titlesIn(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const titles = [];
  const visit = (node) => {
    if (ts.isCallExpression(node) && node.arguments.length > 0) {
      const chain = calleeChain(node.expression);
      if (isDescribe(chain) && isSwitchedOff(chain)) return;
      if (isTest(chain) && !isSwitchedOff(chain)) {
        const title = textOf(node.arguments[0]);
        const line = source.getLineAndCharacterOfPosition(node.arguments[0].getStart()).line + 1;
        if (title !== undefined) titles.push({ title, where: `${path.relative(root, file)}:${line}` });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return titles;
}

/**
 * The facts that a title names: 'SEL-003: ...', 'SEL-003, FD-004: ...', 'SEL-003..SEL-005: ...'. What merely looks like a fact
 * (SHA-256) is one only before the colon or when its group exists.
 */
function factsIn(title, facts, groups) {
  const ids = new Set();
  const errors = [];
  const head = /^(?:[A-Z][A-Z0-9]*-\d{3}|\.\.|[\s,&+]|and\b)+:/.exec(title)?.[0].length ?? 0;
  const pattern = /\b([A-Z][A-Z0-9]*)-(\d{3})\b(?:\.\.([A-Z][A-Z0-9]*)-(\d{3})\b)?/g;
  for (const { 0: text, 1: group, 2: first, 3: lastGroup, 4: last, index } of title.matchAll(pattern)) {
    if (!groups.has(group) && index >= head) continue;
    if (lastGroup !== undefined && (lastGroup !== group || Number(last) < Number(first))) {
      errors.push(`${text} is no range`);
      continue;
    }
    for (const end of new Set([`${group}-${first}`, `${group}-${last ?? first}`])) {
      if (!(end in facts)) errors.push(`there is no fact ${end}`);
    }
    for (let n = Number(first); n <= Number(last ?? first); n++) {
      const id = `${group}-${String(n).padStart(3, '0')}`;
      if (id in facts) ids.add(id);
    }
  }
  return { ids, errors };
}

// --- The answer ----------------------------------------------------------------------------------------------------------

function readJson(file) {
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
}

/** Titles of the programs of test/conformance that have a recorded trace: they are tests too. */
function programTitles() {
  const folder = path.join(testFolder, 'conformance', 'programs');
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).flatMap((name) => {
    const file = path.join(folder, name);
    const traces = readJson(path.join(testFolder, 'conformance', 'traces', name));
    return readJson(file)
      .filter(({ title }) => title in traces)
      .map(({ title }) => ({ title, where: path.relative(root, file) }));
  });
}

function survey() {
  const facts = readJson(factsFile);
  const excused = readJson(excusedFile);
  const groups = new Set(Object.keys(facts).map(groupOf));
  const tested = new Map(); // id -> where its first test is
  const errors = [];
  const fromSources = testSources(testFolder).flatMap((file) => titlesIn(file, fs.readFileSync(file, 'utf8')));
  for (const { title, where } of [...fromSources, ...programTitles()]) {
    const named = factsIn(title, facts, groups);
    for (const id of named.ids) if (!tested.has(id)) tested.set(id, where);
    for (const error of named.errors) errors.push(`${where}: ${error}`);
  }
  for (const [id, reason] of Object.entries(excused)) {
    const where = path.relative(root, excusedFile);
    if (!(id in facts)) errors.push(`${where}: there is no fact ${id}`);
    else if (tested.has(id)) errors.push(`${where}: ${id} is excused but has a test, ${tested.get(id)}`);
    if (typeof reason !== 'string' || reason.trim() === '') errors.push(`${where}: ${id} has no reason`);
  }
  const untested = Object.keys(facts).filter((id) => !tested.has(id) && !(id in excused));
  return { facts, excused, groups: [...groups], tested, untested, errors };
}

/** ['SEL-001', 'SEL-003', 'SEL-004', 'SEL-005'] -> ['SEL-001', 'SEL-003..SEL-005'] */
function ranges(ids) {
  const runs = [];
  for (const id of ids) {
    const run = runs.at(-1);
    if (run && groupOf(run.last) === groupOf(id) && numberOf(run.last) + 1 === numberOf(id)) run.last = id;
    else runs.push({ first: id, last: id });
  }
  return runs.map(({ first, last }) => (first === last ? first : `${first}..${last}`));
}

/** Words in lines of at most 120 columns, each line indented. */
function wrap(words, indent = '  ') {
  const lines = [];
  for (const word of words) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= 120) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(indent + word);
  }
  return lines.join('\n');
}

function printTable({ facts, excused, groups, tested, untested }) {
  const row = (...cells) =>
    cells.map((cell, i) => (i === 0 ? String(cell).padEnd(8) : String(cell).padStart(9))).join('');
  const count = (ids, group) => [...ids].filter((id) => group === undefined || groupOf(id) === group).length;
  const counts = (group) =>
    [Object.keys(facts), tested.keys(), Object.keys(excused), untested].map((ids) => count(ids, group));
  console.log(row('group', 'facts', 'tested', 'excused', 'untested'));
  for (const group of groups) console.log(row(group, ...counts(group)));
  console.log(row('total', ...counts()));
  if (untested.length > 0) {
    console.log('\nuntested:');
    for (const group of groups) {
      const ids = untested.filter((id) => groupOf(id) === group);
      if (ids.length > 0) console.log(wrap(ranges(ids)));
    }
  }
}

function printErrors(errors) {
  if (errors.length === 0) return 0;
  console.error(`\n${errors.join('\n')}`);
  return 1;
}

function main([verb, argument]) {
  if (verb === '--help') {
    console.log(usage);
    return 0;
  }
  if (verb === '--update' && argument) {
    const facts = readCatalogue(path.resolve(argument));
    fs.writeFileSync(factsFile, `${JSON.stringify(facts, null, 2)}\n`);
    console.log(`${path.relative(root, factsFile)}: ${Object.keys(facts).length} facts`);
    return 0;
  }
  const found = survey();
  if (verb === undefined) {
    printTable(found);
  } else if (verb === '--list' && (argument === 'all' || found.groups.includes(argument))) {
    const ids = found.untested.filter((id) => argument === 'all' || groupOf(id) === argument);
    for (const id of ids) console.log(`${id}: ${found.facts[id]}`);
  } else if (verb === '--excused') {
    for (const [id, reason] of Object.entries(found.excused)) console.log(`${id}: ${reason}`);
  } else {
    console.error(usage);
    if (verb === '--list') console.error(`Groups: ${found.groups.join(' ')}`);
    return 1;
  }
  return printErrors(found.errors);
}

process.exitCode = main(process.argv.slice(2));
