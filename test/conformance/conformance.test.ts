// conformance.test.ts: every program of programs/ on fdloop, against the trace that CPython's asyncio left. The traces are
// recorded by `npm run conformance -- --record`; no Python is needed here.

import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

import { runProgram, type RunOptions } from './interpreter';
import { orderedSelectors, type SelectorName } from './virtual-loop';
import type { Program, Trace } from './world';

const programFolder = path.join(__dirname, 'programs');
const traceFolder = path.join(__dirname, 'traces');

function readJson<T>(folder: string, name: string): T {
  return JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as T;
}

const selectors = Object.keys(orderedSelectors) as SelectorName[];
const drivers: NonNullable<RunOptions['driver']>[] = ['sync', 'hosted'];
const kinds: NonNullable<RunOptions['coroutines']>[] = ['async', 'generator', 'mixed'];

/** What is wrong in each way of running a program, empty if it is right in all. */
async function differences(program: Program, expected: Trace): Promise<Record<string, Trace>> {
  const found: Record<string, Trace> = {};
  for (const selector of selectors.filter((name) => program.selectors?.includes(name) ?? true)) {
    for (const driver of drivers) {
      for (const coroutines of kinds) {
        const trace = await runProgram(program, { selector, driver, coroutines });
        if (JSON.stringify(trace) !== JSON.stringify(expected)) found[`${selector}, ${driver}, ${coroutines}`] = trace;
      }
    }
  }
  return found;
}

for (const name of readdirSync(programFolder).sort()) {
  describe(path.basename(name, '.json'), () => {
    const traces = readJson<Record<string, Trace>>(traceFolder, name);
    for (const program of readJson<(Program & { title: string })[]>(programFolder, name)) {
      test(program.title, async () => {
        const expected = traces[program.title];
        const found = await differences(program, expected);
        // Every way that differs, beside what it should have been.
        const wanted = Object.fromEntries(Object.keys(found).map((way) => [way, expected]));
        expect(found).toEqual(wanted);
      });
    }
  });
}

test('every recorded trace has its program', () => {
  for (const name of readdirSync(traceFolder)) {
    const titles = readJson<{ title: string }[]>(programFolder, name).map(({ title }) => title);
    expect(Object.keys(readJson<object>(traceFolder, name)).sort()).toEqual(titles.sort());
  }
});
