// report.test.ts: the figures of a benchmark: what is made of samples, without measuring anything.

const { summarize } = require('../../bench/harness/statistics') as {
  summarize(samples: Sample[], base?: Sample[]): Row | null;
};
const { chart } = require('../../bench/harness/chart') as { chart(result: object): string };

type Sample = { value: number; waited?: number; perSecond?: number } | undefined;
interface Spread {
  median: number;
  low: number;
  high: number;
}
interface Row {
  value: Spread;
  ratio?: Spread;
  samples: number;
  beside: Record<string, number>;
}

const samples = (...values: number[]): Sample[] => values.map((value) => ({ value }));

test('a row has the median and the quartiles', () => {
  expect(summarize(samples(5, 1, 3, 2, 4))).toEqual({
    value: { median: 3, low: 2, high: 4 },
    samples: 5,
    beside: {},
  });
});

test('a ratio is taken within each round, not between medians', () => {
  // The machine was twice as slow in the second round, for both.
  expect(summarize(samples(2, 4, 3), samples(1, 2, 3))?.ratio?.median).toBe(2);
});

test('a round in which one side failed gives no ratio', () => {
  expect(summarize([{ value: 2 }, undefined, { value: 9 }], [{ value: 1 }, { value: 1 }, undefined])?.ratio).toEqual({
    median: 2,
    low: 2,
    high: 2,
  });
});

test('samples that others disturbed are dropped while three are left', () => {
  const quiet = [1, 1, 1].map((value) => ({ value, waited: 0.01 }));
  const disturbed = [9, 9].map((value) => ({ value, waited: 0.5 }));
  expect(summarize([...quiet, ...disturbed])).toMatchObject({ value: { median: 1 }, samples: 3 });
  expect(summarize([...quiet.slice(1), ...disturbed])?.samples).toBe(4);
});

test('what stands beside the figure is given as its median', () => {
  const rows: Sample[] = [10, 30, 20].map((perSecond) => ({ value: 1, perSecond }));
  expect(summarize(rows)?.beside).toEqual({ perSecond: 20 });
});

test('a contender without one good sample has no row', () => {
  expect(summarize([undefined, undefined])).toBeNull();
});

test('a chart has a bar for those who were in every row of its panel', () => {
  const row = (median: number) => ({ ratio: { median, low: median, high: median } });
  const svg = chart({
    ...{ title: 'Title', measures: 'time & more', base: 'C', panels: [{ title: 'Panel', cells: [0, 1] }] },
    cells: [{ rows: { C: row(1), fdloop: row(2), Half: row(3) } }, { rows: { C: row(1), fdloop: row(8) } }],
  });
  expect(svg).toContain('>fdloop</text>');
  expect(svg).toContain('>4.00</text>'); // the geometric mean
  expect(svg).not.toContain('Half');
  expect(svg).toContain('time &#38; more');
});
