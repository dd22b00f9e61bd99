export type Random = () => number;

/** Numbers from 0 to 1 that are the same in every run. */
export function seededRandom(first: number): Random {
  let seed = first;
  return () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
}

/** Ranks from 0, as frequent as the words of a language are. */
export function zipfRanks(random: Random, ranks: number): () => number {
  const shares = new Float64Array(ranks);
  let sum = 0;
  for (let rank = 0; rank < ranks; rank++) {
    sum += 1 / (rank + 2.7);
    shares[rank] = sum;
  }
  return () => {
    const share = random() * sum;
    let [low, high] = [0, ranks - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((shares[middle] ?? 0) < share) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
