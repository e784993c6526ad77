'use strict';
// goals.js: what fdloop means to reach, and what the last run says of it. A goal is a factor between two contenders, in each row of
// a suite or in some of them: at most so much of the other's time, or ahead of it by so much at least.

const { figure } = require('./chart');

const others = ['uvloop', 'Bun', 'Go', 'asyncio', 'Deno', 'newer Node', 'Node'];

const goals = [
  { what: 'Echo, hosted', suite: 'echo', who: 'fdloop', to: ['C epoll'], most: 1.15 },
  { what: 'Echo, sync', suite: 'echo', who: 'fdloop, sync', to: ['C epoll'], most: 1.1 },
  { what: 'Echo, buffered', suite: 'echo', who: 'fdloop, buffered', to: ['C epoll'], most: 1.05 },
  { what: 'Echo, sync and buffered', suite: 'echo', who: 'fdloop, sync, buffered', to: ['C epoll'], most: 1.05 },
  ...others.map((other) => ({
    what: `Echo, hosted, ahead of ${other}`,
    suite: 'echo',
    who: 'fdloop',
    to: [other],
    most: 1,
  })),
  { what: 'TLS, hosted', suite: 'tls', who: 'fdloop', to: ['Node'], most: 1.3 },
  { what: 'TLS, small messages', suite: 'tls', rows: /64 B/, who: 'fdloop', to: ['asyncio'], most: 1 },
  { what: 'UDP, hosted', suite: 'udp', who: 'fdloop', to: ['newer Node', 'Node'], most: 1 },
  { what: 'Connections, hosted', suite: 'connections', who: 'fdloop', to: ['C epoll'], most: 1.1 },
  { what: 'Memory of an idle connection', suite: 'idle', who: 'fdloop', to: ['Node'], most: 1 },
  { what: 'callSoon', suite: 'loop', rows: /^callSoon/, who: 'fdloop, sync', to: ['asyncio'], least: 10 },
  { what: 'callSoon', suite: 'loop', rows: /^callSoon/, who: 'fdloop, sync', to: ['uvloop'], least: 3 },
  { what: 'A million timers', suite: 'loop', rows: /^1,000,000/, who: 'fdloop, sync', to: ['asyncio'], least: 4 },
  {
    what: 'Watching, 128 ready',
    suite: 'watching',
    rows: /^128/,
    who: 'watch()',
    to: ['koffi.node.poll()'],
    least: 4,
  },
  {
    what: 'Watching, 128 ready',
    suite: 'watching',
    rows: /^128/,
    who: 'watch()',
    to: ['koffi, poll(2) on a thread'],
    least: 4,
  },
];

/** How many times the other's time a goal's contender took, or, for a goal that says `least`, how many times it fits into it. */
function factors({ rows: wanted = /./, who, to, least }, { cells }) {
  return cells
    .filter(({ name }) => wanted.test(name))
    .flatMap(({ rows }) =>
      to.filter((other) => rows[who] && rows[other]).map((other) => rows[who].value.median / rows[other].value.median),
    )
    .map((factor) => (least === undefined ? factor : 1 / factor))
    .sort((a, b) => a - b);
}

/** A row for each goal: what, beside whom, how much, what was measured from best to worst, in how many rows it was reached. */
function goalRows(read) {
  return goals.flatMap((goal) => {
    const result = read(goal.suite);
    const measured = result ? factors(goal, result) : [];
    if (measured.length === 0) return [];
    const { what, to, most, least } = goal;
    const reached = measured.filter((factor) => (least === undefined ? factor <= most : factor >= least)).length;
    const low = figure(measured[0]);
    const high = figure(measured.at(-1));
    return [
      [
        what,
        to.join(', '),
        least === undefined ? `at most ${figure(most)}` : `${least} times as fast`,
        low === high ? low : `${low} to ${high}`,
        `${reached} of ${measured.length}`,
      ],
    ];
  });
}

module.exports = { goalRows };
