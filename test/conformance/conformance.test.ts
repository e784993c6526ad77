// conformance.test.ts: every program of programs/ on fdloop, against the trace that CPython's asyncio left. The traces are
// recorded by `npm run conformance -- --record`; no Python is needed here.

import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

import { runProgram, type RunOptions } from './interpreter';
import type { Program, Trace } from './world';
import { type SelectorName, selectorNames } from '../support/loops';
import { testOnLinux, testOnPosix, testWithUnixSockets } from '../support/systems';

const programFolder = path.join(__dirname, 'programs');
const traceFolder = path.join(__dirname, 'traces');

function readJson<T>(folder: string, name: string): T {
  return JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as T;
}

const drivers: NonNullable<RunOptions['driver']>[] = ['sync', 'hosted'];
const kinds: NonNullable<RunOptions['coroutines']>[] = ['async', 'generator', 'mixed'];

/** The selectors of this build for which a program's trace holds. */
const fittingSelectors = (program: Program): SelectorName[] =>
  selectorNames.filter((name) => program.selectors?.includes(name) ?? true);

/** A program whose trace is of Unix sockets or signals runs where they are, and are like those of the recording. */
function testWith(unix: Program['unix']): jest.It {
  if (unix === undefined) return test;
  return {
    paths: testWithUnixSockets,
    buffers: testOnLinux,
    ends: testOnPosix,
    signals: testOnLinux,
    children: testOnLinux,
  }[unix];
}

/** Every way of running a program; or just so many that each selector, driver and kind is among them. */
function waysOf(program: Program, all: boolean): Required<Omit<RunOptions, 'order'>>[] {
  return fittingSelectors(program).flatMap((selector, first) =>
    drivers.flatMap((driver, second) =>
      kinds
        .filter((_kind, third) => all || (third === first && (third + second) % 2 === 0))
        .map((coroutines) => ({ selector, driver, coroutines })),
    ),
  );
}

/** What is wrong in each way of running a program, empty if it is right in all. */
async function differences(program: Program, expected: Trace, all: boolean): Promise<Record<string, Trace>> {
  const found: Record<string, Trace> = {};
  for (const way of waysOf(program, all)) {
    const trace = await runProgram(program, way);
    if (JSON.stringify(trace) !== JSON.stringify(expected)) found[Object.values(way).join(', ')] = trace;
  }
  return found;
}

/** Handshakes take their time: in quick runs not every combination has its own. */
const isSlow = process.env.FDLOOP_SLOW === '1';

for (const name of readdirSync(programFolder).sort()) {
  describe(path.basename(name, '.json'), () => {
    const traces = readJson<Record<string, Trace>>(traceFolder, name);
    for (const program of readJson<(Program & { title: string })[]>(programFolder, name)) {
      const testHere = fittingSelectors(program).length === 0 ? test.skip : testWith(program.unix);
      testHere(program.title, async () => {
        const expected = traces[program.title];
        const found = await differences(program, expected, isSlow || name !== 'tls.json');
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
