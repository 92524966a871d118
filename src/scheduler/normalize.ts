/** Brings scores of any size to 0–100, in whole numbers as upstream does. Upstream: plugins/helper/normalize_score.go. */
export const scoreMax = 100;

/** The highest becomes 100. */
export function highestIsBest(scores: Float64Array): void {
  const highest = scores.reduce((most, score) => Math.max(most, score), 0);
  if (highest === 0) return;
  for (let at = 0; at < scores.length; at++) scores[at] = Math.trunc((scoreMax * (scores[at] ?? 0)) / highest);
}

/** Zero becomes 100, the highest 0. */
export function lowestIsBest(scores: Float64Array): void {
  highestIsBest(scores);
  for (let at = 0; at < scores.length; at++) scores[at] = scoreMax - (scores[at] ?? 0);
}
