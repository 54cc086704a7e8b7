import { extensionIds } from '../../pki/extension/extension.ts';
import { describeKey, type ForeignRequest } from '../../pki/request/foreign-request.ts';
import { shown, shownList, kubeletServingSigner, type SigningRequest } from './signing-request.ts';
import { isHostName } from './surroundings.ts';

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

/** @returns undefined where the requestor is no node */
export function nodeNameOf({ username }: SigningRequest): string | undefined {
  if (!username.startsWith(userPrefix)) return undefined;
  const name = username.slice(userPrefix.length);
  return isHostName(name) && name === name.toLowerCase() ? name : undefined;
}

/**
 * The signer takes these usages and no others. A key that is not RSA enciphers no keys.
 * https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
 */
export function usagesProblem({ usages }: SigningRequest): Problem {
  const required = ['digital signature', 'server auth'];
  const permitted = [required, [...required, 'key encipherment']];
  return permitted.some((one) => holdsTheSame(usages, one))
    ? undefined
    : `its usages are ${shownList(usages)}, not digital signature, server auth and perhaps key encipherment`;
}

/** Compares in any order, one by one: joined, the usage `a,b` would be the same as `a` and `b`. */
function holdsTheSame(found: readonly string[], wanted: readonly string[]): boolean {
  const rest = [...wanted].sort();
  return found.length === rest.length && [...found].sort().every((one, index) => one === rest[index]);
}

// Go's TLS (crypto/tls) takes no larger key from a peer: such a certificate could not be used.
const rsaBits = { least: 2048, most: 8192 };
// The least is that of FIPS 186-5, 5.4 (with 1, everybody could sign). Go reads no exponent above the most.
const exponents = { least: 65_537n, most: 2n ** 31n - 1n };

export function keyProblem({ key }: ForeignRequest): Problem {
  if (key.kind === 'ec') return undefined;
  const wanted = 'RSA of 2048 bits or more, ECDSA P-256 or ECDSA P-384';
  if (key.kind === 'other' || key.bits < rsaBits.least)
    return `its key is ${describeKey(key)}, not ${wanted}`;
  if (key.bits > rsaBits.most)
    return `its key is ${describeKey(key)}, larger than TLS peers take (8192 bits)`;
  return key.exponent < exponents.least || key.exponent > exponents.most
    ? `its RSA key has the public exponent ${shown(String(key.exponent))}, not one from 65537 to 2147483647`
    : undefined;
}

export function signatureProblem({ signature }: ForeignRequest): Problem {
  const problems = {
    valid: undefined,
    invalid: 'its signature is not that of its key',
    unsound: 'it is not signed by its key with SHA-256, SHA-384 or SHA-512',
  };
  return problems[signature];
}

export function commonNameProblem({ subject }: ForeignRequest, username: string): Problem {
  const names = valuesOf(subject, 'CN');
  return names.length === 1 && names[0] === username
    ? undefined
    : `its common name is ${shownList(names)}, not that of its requestor ${shown(username)}`;
}

export function organizationProblem({ subject }: ForeignRequest): Problem {
  const organizations = valuesOf(subject, 'O');
  return organizations.length === 1 && organizations[0] === 'system:nodes'
    ? undefined
    : `its organization is ${shownList(organizations)}, not "system:nodes" alone`;
}

export function subjectProblem({ subject }: ForeignRequest): Problem {
  const others = subject.filter((attribute) => !/^(?:CN|O)=/.test(attribute));
  return others.length === 0 ? undefined : `its subject has more than CN and O: ${shownList(others)}`;
}

/**
 * Kubelets ask for the SAN alone. Key usages, even those that the signer gives anyway, belong into the object's `usages`, and a
 * requestor that asks for basicConstraints is no kubelet.
 */
export function extensionsProblem({ extensions, otherAttributes }: ForeignRequest): Problem {
  const others = extensions
    .filter(({ id }) => id !== extensionIds.subjectAltName)
    .map(({ id }) => nameOf(id));
  if (others.length > 0) return `it asks for other extensions than the SAN: ${others.slice(0, 5).join(', ')}`;
  if (extensions.length > 1) return 'it asks for the SAN more than once';
  return otherAttributes.length === 0
    ? undefined
    : 'it has attributes beside the extensions that it asks for';
}

function valuesOf(subject: readonly string[], type: string): string[] {
  return subject.filter((one) => one.startsWith(`${type}=`)).map((one) => one.slice(type.length + 1));
}

function nameOf(id: string): string {
  return Object.entries(extensionIds).find(([, one]) => one === id)?.[0] ?? `OID ${shown(id)}`;
}
