'use strict';
// statistics.js: medians, quartiles, and ratios of what was measured in the same round.

function quantile(sorted, share) {
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

/** The median and both quartiles. */
function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
}

function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** How much of a window the load generator may wait for its core before the sample counts as disturbed. */
const DISTURBED = 0.1;

const isDisturbed = (sample) => (sample.waited ?? 0) > DISTURBED;

/**
 * Without the samples that were disturbed, if enough are left.
 * @param samples by round; undefined where a round failed
 */
function undisturbed(samples) {
  const quiet = samples.map((sample) => (sample && !isDisturbed(sample) ? sample : undefined));
  return quiet.filter(Boolean).length >= 3 ? quiet : samples;
}

/** What a row of the table says: the figure, its ratio to the base's of the same round, and the medians of what is beside. */
function summarize(samples, baseSamples) {
  const mine = undisturbed(samples);
  const present = mine.filter(Boolean);
  if (present.length === 0) return null;
  const row = { value: spread(present.map((sample) => sample.value)), samples: present.length };
  const ratios = baseSamples ? paired(mine, undisturbed(baseSamples)) : [];
  if (ratios.length > 0) row.ratio = spread(ratios);
  row.beside = {};
  for (const name of Object.keys(present[0])) {
    if (name !== 'value') row.beside[name] = spread(present.map((sample) => sample[name])).median;
  }
  return row;
}

function paired(mine, base) {
  const ratios = mine.flatMap((sample, round) => (sample && base[round] ? [sample.value / base[round].value] : []));
  if (ratios.length > 0) return ratios;
  const [own, other] = [mine, base].map((samples) => samples.filter(Boolean).map(({ value }) => value));
  return own.length > 0 && other.length > 0 ? [spread(own).median / spread(other).median] : [];
}

module.exports = { geometricMean, isDisturbed, spread, summarize };
