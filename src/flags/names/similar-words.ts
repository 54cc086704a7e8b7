/** Letters and digits alone: `api-server`, `API_server` and `apiserver` are spelt the same. */
export function plainSpelling(word: string): string {
  return word.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/**
 * Those of the words that a word may be a slip of the pen for: spelt the same but for case and punctuation, else those that it is the
 * beginning of, else a letter or two away, else begun alike, else with that word in them. None where nothing is near; several
 * where it cannot be told.
 */
export function similarWords(word: string, words: readonly string[]): readonly string[] {
  const given = plainSpelling(word);
  // Nothing that long is a slip of the pen, and to compare it would take its time.
  if (given === '' || given.length > 100) return [];
  const same = words.filter((one) => plainSpelling(one) === given);
  if (same.length > 0) return same;
  const begun = words.filter((one) => given.length >= 3 && plainSpelling(one).startsWith(given));
  if (begun.length > 0) return begun;
  const near = nearest(words, (one) => editDistance(given, plainSpelling(one)), given.length < 6 ? 1 : 2);
  if (near.length > 0) return near;
  const rest = (one: string): number => given.length - sharedBeginning(given, plainSpelling(one));
  const alike = nearest(words, rest, given.length < 6 ? 0 : Math.floor(given.length / 4));
  if (alike.length > 0) return alike;
  return words.filter((one) => one.split('-').includes(word.toLowerCase()));
}

function nearest(
  words: readonly string[],
  distanceTo: (word: string) => number,
  allowed: number,
): readonly string[] {
  const least = Math.min(...words.map(distanceTo));
  return least > allowed ? [] : words.filter((one) => distanceTo(one) === least);
}

function sharedBeginning(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** Letters put in, left out, replaced, or exchanged with the next: each is one. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= a.length; row += 1) {
    const line = [row];
    rows.push(line);
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const exchanged = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      line.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (same ? 0 : 1),
          exchanged ? at(row - 2, column - 2) + 1 : Infinity,
        ),
      );
    }
  }
  return at(a.length, b.length);
}
