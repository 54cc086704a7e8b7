import { decide, denialProblem, mayBeDenied, type Check } from './kubelet-serving.ts';
import type { Asked } from './asked.ts';
import type { Selection } from './name-checks.ts';
import type { SigningRequest } from './signing-request.ts';
import type { Surroundings } from './surroundings.ts';

/** What is to be done about a request. A reason quotes what the requestor wrote. */
export type Verdict =
  | { readonly kind: 'approve' }
  /** `because`: the check that the request fails; undefined: the operator says so. */
  | { readonly kind: 'deny'; readonly because: Failing | undefined }
  | { readonly kind: 'leave'; readonly because: Failing };

/** The check that a request fails, and how. */
export interface Failing {
  readonly check: Check;
  readonly reason: string;
}

export interface ApprovalWish extends Selection {
  /** A request that fails a check is denied rather than left pending, where it may be (`mayBeDenied`). */
  readonly denyInvalid: boolean;
}

export function verdictOnApproval(
  object: SigningRequest,
  surroundings: Surroundings,
  wish: ApprovalWish,
): Verdict {
  const decision = decide(object, surroundings, wish);
  if (decision.approve) return { kind: 'approve' };
  const { check, reason } = decision;
  const kind = wish.denyInvalid && mayBeDenied(check) ? 'deny' : 'leave';
  return { kind, because: { check, reason } };
}

export function verdictOnDenial(object: SigningRequest): Verdict {
  const problem = denialProblem(object);
  if (problem === undefined) return { kind: 'deny', because: undefined };
  const { check, reason } = problem;
  return { kind: 'leave', because: { check, reason } };
}

/** What became of one request that was looked at. */
export type Settled =
  | { readonly name: string; readonly outcome: 'not-found' }
  /** Too large, or something else than a request. */
  | { readonly name: string; readonly outcome: 'unreadable'; readonly reason: string }
  | {
      readonly name: string;
      readonly outcome: 'approved' | 'would-approve' | 'denied' | 'would-deny' | 'refused';
      readonly request: SigningRequest;
      readonly because: Failing | undefined;
    };

/** All that is kept of one when it is let go, and what it asks for; `asked` undefined: it is not well-formed, or not read. */
export interface SettledRow {
  readonly settled:
    | Exclude<Settled, { readonly request: unknown }>
    | (Omit<Extract<Settled, { readonly request: unknown }>, 'request'> & {
        readonly request: Pick<SigningRequest, 'signerName' | 'username'>;
      });
  readonly asked: Asked | undefined;
}
