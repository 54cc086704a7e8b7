import { requireNoDanglingLink } from '../inventory/dangling-links.ts';
import { rehearse } from '../storage/transaction.ts';
import type { StateDirectory } from '../storage/state-directory.ts';
import { generateKeys, placeholderKeys } from './generate-keys.ts';
import type { Node } from '../node/node-options.ts';
import {
  makeArrivingChange,
  makeChange,
  underLock,
  type ArrivingChange,
  type Change,
  type ChangeOptions,
  type MadeArrivingChange,
  type MadeChange,
} from './session.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { noteWaiting, stateOf } from '../node/waiting.ts';
import type { LockOptions } from '../flags/options.ts';

interface AttemptOptions extends LockOptions {
  readonly dryRun?: boolean;
}

/** Everything was gone through that comes before the first byte is written. */
interface Rehearsed {
  readonly kind: 'rehearsed';
}

/** The way of a command that changes files. A dry run goes the same way, so that it refuses what the change would. */
export interface Attempt {
  readonly dryRun: boolean;
  readonly state: StateDirectory;
  readonly generateKeys: typeof generateKeys;
  readonly make: (change: Change, options: ChangeOptions) => Promise<MadeChange | Rehearsed>;
  readonly makeArriving: (
    change: ArrivingChange,
    options: ChangeOptions,
  ) => Promise<MadeArrivingChange | Rehearsed>;
}

/**
 * Under the lock, after an interrupted change was brought to an end; with `--dry-run` without either, as both write.
 * @throws KubepkiError busy, unfinished; not-found for a directory that is to be made where a link leads nowhere
 */
export async function attempt<T>(
  node: Node,
  options: AttemptOptions,
  terminal: Terminal,
  run: (way: Attempt) => Promise<T>,
): Promise<T> {
  const { root, certDir, kubeconfigDir } = node.layout;
  if (node.isPlanned) for (const one of [certDir, kubeconfigDir]) requireNoDanglingLink(root, one);
  if (options.dryRun !== true) {
    return underLock(node, options, terminal, (state) =>
      run({
        dryRun: false,
        state,
        generateKeys,
        make: (change, how) => makeChange(state, change, how),
        makeArriving: (change, how) => makeArrivingChange(state, change, how),
      }),
    );
  }
  await noteWaiting(node, terminal);
  const state = stateOf(node);
  const rehearsed = (change: Change): Rehearsed => {
    rehearse(state, change);
    return { kind: 'rehearsed' };
  };
  return run({
    dryRun: true,
    state,
    generateKeys: placeholderKeys,
    make: (change) => Promise.resolve(change).then(rehearsed),
    makeArriving: async ({ make, signedBy }) => rehearsed({ ...(await make(() => undefined)), signedBy }),
  });
}
