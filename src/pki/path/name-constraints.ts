import type { Certificate } from '../certificate/certificate.ts';
import { contentOf, isContext, parseDer, partsOf, type Asn1 } from '../der/der.ts';
import { findExtension } from '../extension/extension.ts';

/** RFC 5280, 4.2.1.6: tags of the GeneralNames that a leaf of Kubernetes has. */
const kinds = { 1: 'email', 2: 'DNS', 6: 'URI', 7: 'IP' } as const;
const directoryName = 4;

interface Subtree {
  readonly tag: number;
  readonly base: Buffer;
}

/**
 * Why a CA must not sign for these names (RFC 5280, 4.2.1.10). DNS names and IP addresses are judged as crypto/x509 does. No
 * certificate of kubeadm's has e-mail addresses or URIs, and they are not judged.
 * @returns undefined: the CA may sign for them
 */
export function constraintProblem(
  signer: Certificate,
  leaf: Pick<Certificate, 'extensions'>,
): string | undefined {
  const { critical, permitted, excluded } = constraintsOf(signer);
  if (critical && [...permitted, ...excluded].some(({ tag }) => !(tag in kinds))) {
    return 'which has a critical name constraint of a kind that Go does not know';
  }
  const refused = namesOf(leaf).find(
    (name) =>
      excluded.some((subtree) => covers(subtree, name)) ||
      (permitted.some(({ tag }) => tag === name.tag) && !permitted.some((subtree) => covers(subtree, name))),
  );
  return refused && `which must not sign for ${shown(refused)} (nameConstraints)`;
}

/** Whether a CA is constrained in the subjects that it may sign for, and not only in what a SAN holds. */
export function constrainsSubjects(signer: Certificate): boolean {
  const { permitted, excluded } = constraintsOf(signer);
  return [...permitted, ...excluded].some(({ tag }) => tag === directoryName);
}

function constraintsOf({ extensions }: Certificate): {
  readonly critical: boolean;
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
} {
  const extension = findExtension(extensions, 'nameConstraints');
  const lists = extension === undefined ? [] : partsOf(parseDer(extension.value));
  return {
    critical: extension?.critical ?? false,
    permitted: subtreesOf(lists.find((list) => isContext(list, 0))),
    excluded: subtreesOf(lists.find((list) => isContext(list, 1))),
  };
}

// GeneralSubtree ::= SEQUENCE { base GeneralName, minimum [0] DEFAULT 0, maximum [1] OPTIONAL }
function subtreesOf(list: Asn1 | undefined): Subtree[] {
  if (list === undefined) return [];
  return partsOf(list).flatMap((subtree) => {
    const [base] = partsOf(subtree);
    return base === undefined ? [] : [nameOf(base)];
  });
}

function namesOf({ extensions }: Pick<Certificate, 'extensions'>): Subtree[] {
  const extension = findExtension(extensions, 'subjectAltName');
  return extension === undefined ? [] : partsOf(parseDer(extension.value)).map(nameOf);
}

function nameOf(name: Asn1): Subtree {
  return { tag: name.type, base: typeof name.value === 'string' ? contentOf(name) : Buffer.alloc(0) };
}

function covers(subtree: Subtree, name: Subtree): boolean {
  if (subtree.tag !== name.tag) return false;
  if (name.tag === 2) return coversDns(text(subtree), text(name));
  return name.tag === 7 && coversAddress(subtree.base, name.base);
}

/** `example.com` is itself and everything below; with a dot in front, as Go takes it, only what is below. */
function coversDns(constraint: string, name: string): boolean {
  if (constraint === '') return true;
  const below = constraint.startsWith('.') ? constraint : `.${constraint}`;
  return name.endsWith(below) || name === constraint;
}

/** The constraint is an address and a mask, each as long as the address. */
function coversAddress(constraint: Buffer, address: Buffer): boolean {
  if (constraint.length !== 2 * address.length) return false;
  const mask = constraint.subarray(address.length);
  return address.every((byte, index) => ((byte ^ (constraint[index] ?? 0)) & (mask[index] ?? 0)) === 0);
}

function text({ base }: Subtree): string {
  return base.toString('latin1').toLowerCase();
}

function shown(name: Subtree): string {
  return name.tag === 7 ? `IP ${[...name.base].join('.')}` : text(name);
}
