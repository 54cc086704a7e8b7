import type { Observed } from './observed.ts';

/**
 * - `error`: it does not work, or will not at the next start
 * - `warning`: it works, and deserves a look before long
 * - `note`: it works, and is not as kubeadm makes it
 * - `unchecked`: it could not be looked at, so nothing is known of it
 */
export type Grade = 'error' | 'warning' | 'note' | 'unchecked';

/** Something that a check has found, or could not look at. */
export interface Trouble {
  readonly grade: Grade;
  /** What it is about, as an operator calls it: `apiserver`, `kube-apiserver`, `kubelet.conf`. */
  readonly name: string;
  /** Host path of the file to look at. */
  readonly file: string;
  /** What is wrong, said of the file. */
  readonly message: string;
  /** The next step. */
  readonly hint?: string | undefined;
  /** Why nothing is known, where that may be the same for several checks; it is in the message too. */
  readonly cause?: string;
}

/** What a check has looked at. */
export interface Look {
  /** How many things; 0: there is none of the kind here, so that nothing can be well or wrong. */
  readonly looked: number;
  readonly troubles: readonly Trouble[];
}

export type AskingFlag = '--cis' | '--live' | '--cluster';

/** What is looked at in every node: pure functions of what was observed. */
export interface Check {
  readonly id: string;
  /** What is right when it has passed. */
  readonly title: string;
  /** The flag that asks for it; undefined: it is always looked at. */
  readonly flag?: AskingFlag;
  readonly look: (observed: Observed) => Look;
}

export const nothingHere: Look = { looked: 0, troubles: [] };

/** Each thing by itself. */
export function lookAtEach<T>(things: readonly T[], troublesOf: (thing: T) => readonly Trouble[]): Look {
  return { looked: things.length, troubles: things.flatMap(troublesOf) };
}

/** What one check looks at in two ways. */
export function bothLooks(...looks: readonly Look[]): Look {
  return {
    looked: looks.reduce((sum, { looked }) => sum + looked, 0),
    troubles: looks.flatMap(({ troubles }) => troubles),
  };
}
