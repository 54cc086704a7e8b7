import { isHostName } from './host.ts';
import { shown, shownList } from './shown.ts';
import { kubeletServingSigner, type SigningRequest } from './signing-request.ts';

/** What is wrong, in one sentence; undefined: nothing. */
export type Problem = string | undefined;

const decisions = ['Approved', 'Denied', 'Failed'];
const userPrefix = 'system:node:';
const nodesGroup = 'system:nodes';

export function pendingProblem({ conditions, issued }: SigningRequest): Problem {
  const decided = conditions.find((condition) => decisions.includes(condition));
  if (decided !== undefined) return `it is ${decided.toLowerCase()} already`;
  return issued ? 'its certificate is issued already' : undefined;
}

export function signerProblem({ signerName }: SigningRequest): Problem {
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
  const sorted = [...usages].sort().join(', ');
  const permitted = [required, [...required, 'key encipherment']].map((one) => [...one].sort().join(', '));
  return permitted.includes(sorted)
    ? undefined
    : `its usages are ${shownList(usages)}, not digital signature, server auth and perhaps key encipherment`;
}
