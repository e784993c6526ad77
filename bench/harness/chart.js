'use strict';
// chart.js: bars as SVG. One panel for each group of cells, one bar for each contender: the ratio to the base, as the (geometric) mean of
// the panel's cells, with a line from the smallest to the largest; in a panel of one cell the line spans the quartiles.

const { geometricMean } = require('./statistics');

const WIDTH = 960;
const COLUMNS = 3;
const GAP = 24;
const ROW = 17;
const HEAD = 26;
const VALUE = 56;
const CHARACTER = 5.8;

/** fdloop, by its names in the suites. */
const OURS = /fdloop|watch\(|addReader|EpollSelector/;

const escape = (text) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

function barsOf(cells) {
  const names = new Set(cells.flatMap(({ rows }) => Object.keys(rows)));
  return [...names]
    .flatMap((name) => {
      const ratios = cells.flatMap(({ rows }) => (rows[name]?.ratio ? [rows[name].ratio] : []));
      // A mean over some of the cells only would compare different things.
      if (ratios.length < cells.length) return [];
      const medians = ratios.map(({ median }) => median);
      const [low, high] =
        ratios.length === 1 ? [ratios[0].low, ratios[0].high] : [Math.min(...medians), Math.max(...medians)];
      return [{ name, value: geometricMean(medians), low, high }];
    })
    .sort((a, b) => a.value - b.value);
}

const figure = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

function panel({ title, bars }, { base, x, y, width, label }) {
  const room = width - label - VALUE;
  // The longest bar fills the room; lines beyond it are cut.
  const scale = room / Math.max(...bars.map(({ value }) => value), 1);
  const cut = (value) => Math.min(value * scale, room + VALUE / 3);
  const lines = [`<text x="${x}" y="${y + 12}" class="title">${escape(title)}</text>`];
  const bottom = y + HEAD + bars.length * ROW;
  const one = x + label + scale;
  bars.forEach(({ name, value, low, high }, index) => {
    const top = y + HEAD + index * ROW;
    const kind = OURS.test(name) ? 'ours' : name === base ? 'base' : 'other';
    const end = x + label + value * scale;
    lines.push(
      `<text x="${x + label - 6}" y="${top + 11}" class="name">${escape(name)}</text>`,
      `<rect x="${x + label}" y="${top + 2}" width="${(value * scale).toFixed(1)}" height="${ROW - 5}" class="${kind}"/>`,
      `<path d="M${(x + label + cut(low)).toFixed(1)} ${top + 8}H${(x + label + cut(high)).toFixed(1)}" class="spread"/>`,
      `<text x="${(Math.max(end, x + label + cut(high)) + 4).toFixed(1)}" y="${top + 11}">${figure(value)}</text>`,
    );
  });
  lines.push(`<path d="M${one.toFixed(1)} ${y + HEAD - 3}V${bottom}" class="one"/>`);
  return lines.join('\n');
}

/** @param result of a suite, as it is saved */
function chart({ title, measures, base, cells, panels }) {
  const filled = panels
    .map(({ title: name, cells: indexes }) => ({ title: name, bars: barsOf(indexes.map((index) => cells[index])) }))
    .filter(({ bars }) => bars.length > 0);
  const columns = Math.min(COLUMNS, filled.length);
  const width = (WIDTH - GAP * (columns + 1)) / columns;
  const names = filled.flatMap(({ bars }) => bars.map(({ name }) => name.length));
  const label = Math.max(...names, 0) * CHARACTER + 8;
  let y = 58;
  const drawn = [];
  for (let start = 0; start < filled.length; start += columns) {
    const row = filled.slice(start, start + columns);
    row.forEach((one, column) => drawn.push(panel(one, { base, label, width, y, x: GAP + column * (width + GAP) })));
    y += HEAD + Math.max(...row.map(({ bars }) => bars.length)) * ROW + GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="11">
<style>
text { fill: #333 } .head { font-size: 16px; font-weight: bold } .title { font-weight: bold; font-size: 12px } .name { text-anchor: end }
.ours { fill: #d9622b } .base { fill: #777 } .other { fill: #b9c4d0 } .spread { stroke: #0008; stroke-width: 1.5 } .one { stroke: #777; stroke-dasharray: 2 2 }
</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${GAP}" y="26" class="head">${escape(title)}</text>
<text x="${GAP}" y="43">${escape(`${measures}; ${base} = 1, shorter is better`)}</text>
${drawn.join('\n')}
</svg>
`;
}

module.exports = { chart, figure, OURS };
