import { commandInputs, parserInputs, processInputs } from './samples.ts';

/** How many inputs by the name of their kind. */
export type Amounts = Readonly<Record<string, number>>;

/** Of each kind, by what is done with it: a parser, the commands that only read, the real process. */
type OfEach = readonly [parser: number, command: number, process: number];
// With one seed it is the same inputs every day, and the full form begins with them.
const short: OfEach = [400, 20, 4];
const full: OfEach = [3700, 220, 50];

const parserKinds = Object.values(parserInputs);

function ofEach(parser: number, command: number, process: number): Amounts {
  const groups = [
    [parserKinds, parser],
    [commandInputs, command],
    [processInputs, process],
  ] as const;
  return Object.fromEntries(groups.flatMap(([kinds, amount]) => kinds.map(({ name }) => [name, amount])));
}

export function totalOf(amounts: Amounts): number {
  return Object.values(amounts).reduce((total, amount) => total + amount, 0);
}

/**
 * A short form for every day; FAULTS=all for the full one; FUZZ=1000000 for so many in all, in the full form's
 * proportions. Of processes there are never more than there, as a million of them would take days.
 */
export function amountsFor({ FAULTS, FUZZ }: NodeJS.ProcessEnv): Amounts {
  if (FUZZ === undefined) return ofEach(...(FAULTS === 'all' ? full : short));
  const wanted = Number(FUZZ);
  if (!Number.isSafeInteger(wanted) || wanted < 1) throw new Error(`FUZZ=${FUZZ} is not a number of inputs`);
  const scale = wanted / totalOf(ofEach(...full));
  const [, command, process] = full;
  const others = ofEach(0, Math.floor(command * scale), Math.floor(process * Math.min(1, scale)));
  const rest = wanted - totalOf(others);
  return {
    ...others,
    ...Object.fromEntries(
      parserKinds.map(({ name }, index) => [name, Math.floor((rest + index) / parserKinds.length)]),
    ),
  };
}
