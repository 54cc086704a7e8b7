import fc from '../support/properties.ts';
import { bytesOf, inputsOf, type FuzzInput, type InputKind } from './input.ts';

/** Inputs of one kind and what is done with each. */
export interface Campaign {
  readonly kind: InputKind;
  /**
   * @param timed what must not take long goes through it, one command at a time
   * @returns what became of the input, to be counted
   * @throws anything: the input has shown a defect
   */
  readonly run: (bytes: Buffer, input: FuzzInput, timed: Timed) => Promise<string>;
}

export type Timed = <T>(work: () => T | Promise<T>) => Promise<T>;

/** What is to be done, and how much of it. */
export interface Order {
  readonly seed: number;
  /** By the name of the kind. */
  readonly inputs: Readonly<Record<string, number>>;
  /** Of all threads, for one command on one input: on a busy machine a clock would say nothing. */
  readonly cpuLimitMs: number;
  /** Only this one. */
  readonly replay: FuzzInput | undefined;
}

export type Report =
  | { readonly event: 'begin'; readonly input: FuzzInput }
  | { readonly event: 'failed'; readonly input: FuzzInput; readonly reason: string }
  | {
      readonly event: 'done';
      readonly kind: string;
      readonly outcomes: Readonly<Record<string, number>>;
      readonly slowestMs: number;
    };

/** Runs a campaign up to its first failure. */
export async function runCampaign(
  { kind, run }: Campaign,
  order: Order,
  report: (report: Report) => void,
): Promise<void> {
  const outcomes: Record<string, number> = {};
  let slowestMs = 0;
  const timed: Timed = async (work) => {
    const before = process.cpuUsage();
    try {
      return await work();
    } finally {
      const { user, system } = process.cpuUsage(before);
      slowestMs = Math.max(slowestMs, Math.round((user + system) / 1000));
    }
  };
  const once = async (input: FuzzInput): Promise<boolean> => {
    report({ event: 'begin', input });
    try {
      const outcome = await run(bytesOf(input), input, timed);
      if (slowestMs > order.cpuLimitMs) throw new Error(`it took ${String(slowestMs)} ms of CPU time`);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      return true;
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      report({ event: 'failed', input, reason });
      return false;
    }
  };
  if (order.replay === undefined) {
    await fc.check(fc.asyncProperty(inputsOf(kind), once), {
      numRuns: order.inputs[kind.name] ?? 0,
      seed: order.seed,
      // To shrink an input that is too slow would take as long as it does, many times over.
      endOnFailure: true,
    });
  } else if (order.replay.kind === kind.name) {
    await once(order.replay);
  }
  report({ event: 'done', kind: kind.name, outcomes, slowestMs });
}
