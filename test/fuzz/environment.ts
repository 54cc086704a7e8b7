import { seedFrom } from '../support/properties.ts';
import { amountsFor } from './amounts.ts';
import type { Order } from './campaign.ts';
import type { FuzzInput } from './input.ts';

/** What the environment asks for. */
export function orderFrom(env: NodeJS.ProcessEnv): Order {
  const { FUZZ_INPUT } = env;
  const inputs = amountsFor(env);
  const replay = FUZZ_INPUT === undefined ? undefined : (JSON.parse(FUZZ_INPUT) as FuzzInput);
  if (replay !== undefined && !(replay.kind in inputs)) throw new Error(`FUZZ_INPUT: no kind ${replay.kind}`);
  return { seed: seedFrom(env), inputs, cpuLimitMs: 2000, replay };
}
