'use strict';
// loop.js: the loop without a network: callbacks, timers, futures, tasks, readers. Each program measures itself, by processor time.

const everybody = ['fdloop, sync', 'fdloop', 'fdloop, newer Node', 'uvloop', 'asyncio', 'newer Node', 'Node'];

const cases = [
  ...['callSoon', 'iteration', 'timers 100000', 'timers 1000000', 'futures', 'tasks', 'readers'],
  ...['ready 1 1', 'ready 100 1', 'ready 100 16', 'ready 10000 1', 'ready 10000 16', 'ready 10000 128'],
];

module.exports = {
  title: 'The loop by itself',
  measures: 'processor time for each operation',
  unit: 'ns',
  base: 'fdloop, sync',
  subject: 'fdloop, sync',
  names: 'operation',

  async run(bench) {
    for (const name of cases) {
      // A million timers take CPython a quarter of a minute: fewer rounds, and one fdloop.
      const many = name === 'timers 1000000';
      if (bench.quick && (many || /10000 1$|10000 16/.test(name))) continue;
      const participants = bench.contenders(many ? ['fdloop, sync', 'uvloop', 'asyncio', 'Node'] : everybody);
      const rounds = many || bench.quick ? 2 : bench.budget.rounds;
      const measure = (found) => bench.program(found, 'loop', name.split(' '), many ? 150 : 60);
      await bench.cells(name, participants, measure, rounds);
    }
  },
};
