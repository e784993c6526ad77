'use strict';
// loop.js: the loop without a network: callbacks, timers, futures, tasks, readers. Each program measures itself, by processor time.

const everybody = ['fdloop, sync', 'fdloop, newer Node', 'uvloop', 'asyncio', 'newer Node', 'Node'];

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
    const participants = bench.contenders(everybody);
    for (const name of cases) {
      if (bench.quick && /1000000|10000 1$|10000 16/.test(name)) continue;
      const rounds = name.includes('1000000') ? 3 : bench.quick ? 2 : bench.budget.rounds;
      await bench.cells(name, participants, (found) => bench.program(found, 'loop', name.split(' ')), rounds);
    }
  },
};
