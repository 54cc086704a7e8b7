import { isHostName } from './host.ts';
import { shown, shownList } from './shown.ts';
import { kubeletServingSigner, type SigningRequest } from './signing-request.ts';

/** What is wrong, in one sentence; undefined: nothing. */
export type Problem = string | undefined;

const decisions = ['Approved', 'Denied', 'Failed'];
const userPrefix = 'system:node:';
const nodesGroup = 'system:nodes';

export function pendingProblem({ conditions, issued }: Omit<SigningRequest, 'request'>): Problem {
  const decided = conditions.find((condition) => decisions.includes(condition));
  if (decided !== undefined) return `it is ${decided.toLowerCase()} already`;
  return issued ? 'its certificate is issued already' : undefined;
}

export function signerProblem({ signerName }: Omit<SigningRequest, 'request'>): Problem {
  return signerName === kubeletServingSigner
    ? undefined
    : `its signer is ${shown(signerName)}, not ${kubeletServingSigner}`;
}

export function requestorProblem(request: SigningRequest): Problem {
  if (nodeNameOf(request) === undefined) {
    return `its requestor ${shown(request.username)} is not ${userPrefix}NAME`;
  }
  return request.groups.includes(nodesGroup)
    ? undefined
    : `its requestor is not in the group ${nodesGroup}, but in ${shownList(request.groups)}`;
}

/** @returns undefined: the requestor is no node */
export function nodeNameOf({ username }: SigningRequest): string | undefined {
  if (!username.startsWith(userPrefix)) return undefined;
  const name = username.slice(userPrefix.length);
  return isHostName(name) && name === name.toLowerCase() ? name : undefined;
}

/**
 * https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers: these and no
 * others; a key that is not RSA enciphers no keys.
 */
export function usagesProblem({ usages }: SigningRequest): Problem {
  const required = ['digital signature', 'server auth'];
  const permitted = [required, [...required, 'key encipherment']];
  return permitted.some((one) => holdsTheSame(usages, one))
    ? undefined
    : `its usages are ${shownList(usages)}, not digital signature, server auth and perhaps key encipherment`;
}

/** In any order, each as often. One by one: joined, `a, b` would be the same as `a` and `b`. */
function holdsTheSame(found: readonly string[], wanted: readonly string[]): boolean {
  const rest = [...wanted].sort();
  return found.length === rest.length && [...found].sort().every((one, index) => one === rest[index]);
}
