/**
 * fast-check for every property. The seed is always the same, so that a run fails for what was changed and nothing else;
 * FUZZ_SEED asks for another.
 */
import fc from 'fast-check';

export function seedFrom({ FUZZ_SEED = '20261124' }: NodeJS.ProcessEnv): number {
  const seed = Number(FUZZ_SEED);
  if (FUZZ_SEED.trim() === '' || !Number.isInteger(seed))
    throw new Error(`FUZZ_SEED=${FUZZ_SEED} is no seed`);
  return seed;
}

fc.configureGlobal({ seed: seedFrom(process.env) });

export { default } from 'fast-check';
