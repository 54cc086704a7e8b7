import type { SigningApi, SigningWish } from '../../../cluster/signing.ts';
import type { Clock } from '../../../controlplane/clock.ts';
import type { KubepkiError } from '../../../errors/error.ts';

export interface Wish extends SigningWish {
  /** Name in the catalog. */
  readonly certificate: string;
}

export interface Conversation {
  readonly api: SigningApi;
  readonly signerName: string;
  readonly wishes: readonly Wish[];
  readonly approve: boolean;
  /** They were asked for by an earlier run. */
  readonly resumed: boolean;
  readonly clock: Clock;
  readonly timeout: { readonly milliseconds: number; readonly text: string };
  /** The command that goes on with what waits. */
  readonly resume: string;
  readonly said: {
    /** A line that is shown while it is waited. */
    readonly progress: (text: string) => void;
    readonly note: (text: string, hint?: string) => void;
  };
}

/**
 * - `issued`: PEM, by the name of the request
 * - `refused`: nothing will come of it; `created` may be in the cluster. `decided`: by whoever approves or signs
 * - `waiting`: it may yet be issued, so the requests and their keys stay
 */
export type ConversationEnd =
  | { readonly kind: 'issued'; readonly certificates: ReadonlyMap<string, string> }
  | {
      readonly kind: 'refused';
      readonly errors: readonly Trouble[];
      readonly created: readonly string[];
      readonly decided: boolean;
    }
  | { readonly kind: 'waiting'; readonly errors: readonly Trouble[] };

export interface Trouble {
  readonly error: KubepkiError;
  /** Names in the catalog. */
  readonly certificates: readonly string[];
}
