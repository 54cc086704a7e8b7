import { KubepkiError } from '../../errors/error.ts';
import { findExtension } from '../../pki/extension/extension.ts';
import { openRequest, type ForeignRequest } from '../../pki/request/foreign-request.ts';
import { serverNames, type ServerName } from '../../pki/extension/subject-alt-name.ts';
import {
  addressesProblem,
  allowProblem,
  kindsProblem,
  presenceProblem,
  takenProblem,
  valuesProblem,
  type Selection,
} from './name-checks.ts';
import {
  commonNameProblem,
  extensionsProblem,
  keyProblem,
  organizationProblem,
  signatureProblem,
  subjectProblem,
  nodeNameOf,
  pendingProblem,
  requestorProblem,
  signerProblem,
  usagesProblem,
  type Problem,
} from './request-checks.ts';
import type { SigningRequest, Asked } from './signing-request.ts';
import {
  type ClusterNode,
  type Surroundings,
  controlPlaneOwning,
  endpointOwning,
  otherNodeOwning,
  serviceOwning,
} from './surroundings.ts';

type Decision = { readonly approve: true } | Refusal;

interface Refusal extends Failing {
  readonly approve: false;
}

/** The first check that a request fails, in the order of {@link checks}. */
export interface Failing {
  readonly check: Check;
  /** A sentence in lower case, without a period. It quotes the requestor: for `printable`, not for a terminal. */
  readonly reason: string;
}

/** Everything that an approval needs, in the order of checking. */
export const checks = [
  // What the API server wrote into the object:
  'pending',
  'signer',
  'requestor',
  'usages',
  // What the requestor wrote into the request:
  'request',
  'key',
  'signature',
  'common-name',
  'organization',
  'subject',
  'extensions',
  'names-present',
  'name-kinds',
  'name-values',
  // What the cluster says of these names:
  'node',
  'node-addresses',
  'other-node',
  'service',
  'kubernetes-endpoints',
  'control-plane-endpoint',
  // What the operator says:
  'allow-list',
] as const;

export type Check = (typeof checks)[number];

type Step = readonly [check: Check, problem: () => Problem];

interface Contents {
  readonly request: ForeignRequest;
  readonly names: readonly ServerName[];
}

/**
 * Whether the request of a kubelet for its serving certificate may be approved. A check that cannot be decided is a refusal.
 *
 * The Node's list of addresses proves little, as the kubelet writes it itself. So a name or an address that belongs to another
 * Node, Service or API server is refused all the same, and an operator who approves many requests at once also has to say what
 * node addresses look like.
 */
export function decide(object: SigningRequest, surroundings: Surroundings, selection: Selection): Decision {
  const outside = firstProblem([
    ['pending', () => pendingProblem(object)],
    ['signer', () => signerProblem(object)],
    ['requestor', () => requestorProblem(object)],
    ['usages', () => usagesProblem(object)],
  ]);
  if (outside !== undefined) return outside;
  const contents = contentsOf(object);
  if (typeof contents === 'string') return refusal('request', contents);
  const { request, names } = contents;
  const inside = firstProblem([
    ['key', () => keyProblem(request)],
    ['signature', () => signatureProblem(request)],
    ['common-name', () => commonNameProblem(request, object.username)],
    ['organization', () => organizationProblem(request)],
    ['subject', () => subjectProblem(request)],
    ['extensions', () => extensionsProblem(request)],
    ['names-present', () => presenceProblem(names)],
    ['name-kinds', () => kindsProblem(names)],
    ['name-values', () => valuesProblem(names)],
  ]);
  if (inside !== undefined) return inside;
  const node = nodeOf(object, surroundings);
  if (typeof node === 'string') return refusal('node', node);
  const around = firstProblem([
    ['node-addresses', () => addressesProblem(names, node)],
    ['other-node', () => takenProblem(names, (host) => otherNodeOwning(host, node.name, surroundings))],
    ['service', () => takenProblem(names, (host) => serviceOwning(host, surroundings))],
    ['kubernetes-endpoints', () => takenProblem(names, (host) => endpointOwning(host, surroundings))],
    ['control-plane-endpoint', () => takenProblem(names, (host) => controlPlaneOwning(host, surroundings))],
    ['allow-list', () => allowProblem(names, selection)],
  ]);
  return around ?? { approve: true };
}

/** Whether a request for a kubelet's serving certificate waits for a decision. */
export function isWaiting(object: Omit<SigningRequest, 'request'>): boolean {
  return denialProblem(object) === undefined;
}

/** Why a request may not be denied: only a pending one for a kubelet's serving certificate may. */
function denialProblem(object: Omit<SigningRequest, 'request'>): Refusal | undefined {
  return firstProblem([
    ['pending', () => pendingProblem(object)],
    ['signer', () => signerProblem(object)],
  ]);
}

/** Whether a request may be denied for failing this check. A decided request may not, nor one of another signer's approver. */
export function mayBeDenied(check: Check): boolean {
  return check !== 'pending' && check !== 'signer';
}

function firstProblem(steps: readonly Step[]): Refusal | undefined {
  for (const [check, problem] of steps) {
    const reason = problem();
    if (reason !== undefined) return refusal(check, reason);
  }
  return undefined;
}

function refusal(check: Check, reason: string): Refusal {
  return { approve: false, check, reason };
}

/** @returns a text: why the request cannot be read */
function contentsOf({ request: pem }: SigningRequest): Contents | string {
  try {
    const request = openRequest(pem);
    const extension = findExtension(request.extensions, 'subjectAltName');
    return { request, names: extension === undefined ? [] : serverNames(extension) };
  } catch (error) {
    const because = error instanceof KubepkiError && error.code === 'bad-request' ? error.message : undefined;
    return `its request ${because ?? 'has a SAN that is not well-formed'}`;
  }
}

function nodeOf(object: SigningRequest, { nodes }: Surroundings): ClusterNode | string {
  const name = nodeNameOf(object);
  return nodes.find((node) => node.name === name) ?? `there is no node ${name ?? ''}`;
}

/** What is to be done about a request. */
export type Verdict =
  | { readonly kind: 'approve' }
  /** `because` is undefined where the operator says so. */
  | { readonly kind: 'deny'; readonly because: Failing | undefined }
  | { readonly kind: 'leave'; readonly because: Failing };

export interface ApprovalWish extends Selection {
  /** A request that fails a check is denied, where it may be (`mayBeDenied`), rather than left pending. */
  readonly denyInvalid: boolean;
}

export function verdictOnApproval(
  object: SigningRequest,
  surroundings: Surroundings,
  wish: ApprovalWish,
): Verdict {
  const decision = decide(object, surroundings, wish);
  if (decision.approve) return { kind: 'approve' };
  const kind = wish.denyInvalid && mayBeDenied(decision.check) ? 'deny' : 'leave';
  return { kind, because: decision };
}

export function verdictOnDenial(object: SigningRequest): Verdict {
  const because = denialProblem(object);
  return because === undefined ? { kind: 'deny', because } : { kind: 'leave', because };
}

/** What became of one request. */
export type Settled =
  | { readonly name: string; readonly outcome: 'not-found' }
  /** The object is too large, or is no request. */
  | { readonly name: string; readonly outcome: 'unreadable'; readonly reason: string }
  | {
      readonly name: string;
      readonly outcome: 'approved' | 'would-approve' | 'denied' | 'would-deny' | 'refused';
      readonly request: SigningRequest;
      readonly because: Failing | undefined;
    };

/** What is kept of a request when memory is let go. `asked` is undefined where it is not well-formed, or was not read. */
export interface SettledRow {
  readonly settled:
    | Exclude<Settled, { readonly request: unknown }>
    | (Omit<Extract<Settled, { readonly request: unknown }>, 'request'> & {
        readonly request: Pick<SigningRequest, 'signerName' | 'username'>;
      });
  readonly asked: Asked | undefined;
}
