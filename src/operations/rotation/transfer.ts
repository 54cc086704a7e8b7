import { realChanges, replaceFile, type FileChange, type FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import { encodeCertificates, type Certificate, type Chain } from '../../pki/certificate/certificate.ts';
import {
  encodePrivateKey,
  parsePrivateKey,
  publicKeyOf,
  type PrivateKey,
} from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import type { KeyToSeal } from '../../pki/key/sealed-keys.ts';
import { planText } from './plan-text.ts';
import type { PlannedAuthority, RotatedAuthority, RotationPlan } from './plan.ts';
import type { Rotation } from './rotation.ts';

type CaName = PlannedAuthority['name'];

/** What of a rotation travels between nodes. All of it is public, but for the keys, which are sealed. */
export interface Transfer {
  /** Nothing is accepted in it: the operator's word holds where it was given. */
  readonly plan: RotationPlan;
  /** In the plan's order. */
  readonly authorities: readonly TransferredAuthority[];
  readonly sealedKeys: Buffer | undefined;
}

export interface TransferredAuthority extends RotatedAuthority {
  /** What the CA's file of the node held that exported it. */
  readonly trusted: Trusted;
}

/** Which of the two CAs a file holds, the one that signs first. What else is in a file is its node's own, and does not travel. */
export const trustedForms = ['old', 'old-next', 'next-old', 'next'] as const;

export type Trusted = (typeof trustedForms)[number];

export function trustedCertificates(
  trusted: Trusted,
  { old, next }: RotatedAuthority,
): readonly Certificate[] {
  switch (trusted) {
    case 'old':
      return [old];
    case 'old-next':
      return [old, next];
    case 'next-old':
      return [next, old];
    case 'next':
      return [next];
  }
}

/** @returns undefined for a file that holds neither */
export function trustedIn(
  { old, next }: RotatedAuthority,
  certificates: readonly Pick<Certificate, 'der'>[],
): Trusted | undefined {
  const [ofOld, ofNext] = [old, next].map((one) => certificates.findIndex(({ der }) => der.equals(one.der)));
  if (ofOld === undefined || ofNext === undefined || (ofOld < 0 && ofNext < 0)) return undefined;
  if (ofNext < 0) return 'old';
  if (ofOld < 0) return 'next';
  return ofOld < ofNext ? 'old-next' : 'next-old';
}

/** The CA's file of a node. */
export interface AuthorityFile {
  /** Host path. */
  readonly path: string;
  readonly bundle: Chain;
}

/**
 * @param files of each CA of the plan
 * @throws KubepkiError conflict where a CA's file holds neither the old nor the new CA
 */
export function exportRotation(
  { plan, authorities }: Pick<Rotation, 'plan' | 'authorities'>,
  files: ReadonlyMap<CaName, AuthorityFile>,
  sealedKeys?: Buffer,
): Transfer {
  return {
    plan: { ...plan, accepted: [] },
    authorities: authorities.map(({ name, old, next, cross }) => {
      const authority = { name, old, next, cross };
      const file = requireFile(files, name);
      const trusted = trustedIn(authority, file.bundle);
      if (trusted !== undefined) return { ...authority, trusted };
      throw new KubepkiError('conflict', 'holds neither the old nor the new CA of the rotation', {
        file: file.path,
        hint: 'put the CA file of this rotation back in its place, from a backup or another control plane',
      });
    }),
    sealedKeys,
  };
}

/**
 * The keys that another control plane needs: those of the new CAs. It has the old ones.
 * @param keys of the new CAs
 * @throws KubepkiError not-found where a key is not here, bad-key where it is another's
 */
export function keysToSeal(
  authorities: readonly RotatedAuthority[],
  keys: ReadonlyMap<CaName, PrivateKey>,
): readonly KeyToSeal[] {
  return authorities.map(({ name, next }) => {
    const key = keys.get(name);
    if (key === undefined) {
      throw new KubepkiError('not-found', `the key of the new CA ${name} is not on this node`, {
        hint: 'export it on the control plane that has it, or leave the keys out',
      });
    }
    requireKeyOf(next, key, name);
    return { name: sealedName(name), pem: encodePrivateKey(key) };
  });
}

/**
 * What was sealed, by the CAs of the transfer that it came with.
 * @throws KubepkiError bad-key for a key that is none of theirs
 */
export function openedKeys(
  { authorities }: Pick<Transfer, 'authorities'>,
  opened: readonly KeyToSeal[],
): ReadonlyMap<CaName, PrivateKey> {
  return new Map(
    opened.map(({ name, pem }) => {
      const authority = authorities.find((one) => sealedName(one.name) === name);
      if (authority === undefined) {
        throw new KubepkiError('bad-key', `a key is sealed that is not of this rotation: ${name}`);
      }
      const key = parsePrivateKey(Buffer.from(pem));
      requireKeyOf(authority.next, key, authority.name);
      return [authority.name, key];
    }),
  );
}

/** What a node has that a rotation is brought to. */
export interface ReceivingNode {
  /** The CAs' files that are there. */
  readonly files: ReadonlyMap<CaName, AuthorityFile>;
  /** The keys in the cert dir. */
  readonly keys: ReadonlyMap<CaName, PrivateKey>;
  /** undefined: it knows of none yet. */
  readonly rotation: Rotation | undefined;
}

/** The files of the rotation in the state directory of a node, there or not. */
export interface RotationTargets {
  readonly plan: FileTarget;
  readonly of: (name: CaName, part: 'old.crt' | 'next.crt' | 'cross.crt' | 'next.key') => FileTarget;
}

/**
 * Whether a node may go by what another one has exported. It may where it knows the same rotation already, or trusts the old CAs: only
 * the holder of their keys can have made the cross-certificates. That it trusts the new one alone proves nothing: a certificate is
 * public, and anybody can put it in a plan as the new one, behind an old one of his own.
 * @throws KubepkiError bad-transfer, conflict
 */
export function requireTrustworthy(
  { plan, authorities }: Transfer,
  { files, rotation }: Pick<ReceivingNode, 'files' | 'rotation'>,
): void {
  if (rotation !== undefined) {
    requireSamePlan(plan, rotation);
    return;
  }
  const found = authorities.flatMap((authority) => {
    const file = files.get(authority.name);
    return file === undefined ? [] : [{ authority, file }];
  });
  if (found.length === 0) {
    throw new KubepkiError('bad-transfer', 'is about CAs of which this node has none');
  }
  for (const { authority, file } of found) {
    if (file.bundle.some(({ der }) => der.equals(authority.old.der))) continue;
    throw new KubepkiError('bad-transfer', `is about another CA than ${file.path} holds`, {
      hint: 'export it on a control plane of this cluster; a node that has left the old CA behind goes back with its own backup: kubepki ca rollback',
    });
  }
}

/**
 * The rotation as another control plane prepared it, for the state directory of this one.
 * @param keys opened; undefined: none came with it
 * @throws KubepkiError bad-transfer for another cluster, or a node that must not have the keys; conflict where another rotation is under way
 */
export function importRotation(
  transfer: Transfer,
  node: ReceivingNode,
  targets: RotationTargets,
  keys?: ReadonlyMap<CaName, PrivateKey>,
): readonly FileChange[] {
  requireTrustworthy(transfer, node);
  for (const authority of transfer.authorities) requireControlPlane(authority, node);
  const newKeys = transfer.authorities.flatMap(({ name, next }): FileChange[] => {
    const key = keys?.get(name);
    const own = node.keys.get(name);
    // Where the new key signs already, it is not kept beside.
    const isNeeded = own !== undefined && !isSameKey(publicKeyOf(own), next.publicKey);
    return key === undefined || !isNeeded
      ? []
      : [replaceFile(targets.of(name, 'next.key'), encodePrivateKey(key), 0o600)];
  });
  return [...keepRotation(transfer, node.rotation?.plan.accepted ?? [], targets), ...realChanges(newKeys)];
}

/** The plan and the certificates of a rotation in the state directory: all that a node without the CAs' keys has of it. */
export function keepRotation(
  { plan, authorities }: Pick<Transfer, 'plan' | 'authorities'>,
  accepted: RotationPlan['accepted'],
  targets: RotationTargets,
): FileChange[] {
  const certificates = authorities.flatMap((authority) =>
    (['old', 'next', 'cross'] as const).map((part) =>
      replaceFile(targets.of(authority.name, `${part}.crt`), encodeCertificates([authority[part]]), 0o600),
    ),
  );
  return [
    ...realChanges([replaceFile(targets.plan, planText({ ...plan, accepted }), 0o600), ...certificates]),
  ];
}

/** A plan names certificates by their fingerprints: the same plan is the same rotation. */
function requireSamePlan(plan: RotationPlan, known: Rotation): void {
  const isSame = planText({ ...known.plan, accepted: [] }) === planText({ ...plan, accepted: [] });
  if (isSame) return;
  throw new KubepkiError('conflict', 'is of another rotation than the one that this node knows of', {
    hint: `this node has the plan in ${known.planFile.path}: find out which of the two is the cluster's, then finish or go back from the other`,
  });
}

/** Only a node that has the old CA's key is a control plane that signs, and gets the new one. */
function requireControlPlane(
  { name, old, next }: RotatedAuthority,
  { files, keys }: Pick<ReceivingNode, 'files' | 'keys'>,
): void {
  requireFile(files, name);
  const key = keys.get(name);
  const publicKey = key && publicKeyOf(key);
  if (publicKey !== undefined && [old, next].some((one) => isSameKey(one.publicKey, publicKey))) return;
  throw new KubepkiError(
    'bad-transfer',
    `is for a control plane, and this node does not have the key of the CA ${name}`,
    {
      hint: 'on a node that only trusts the CA: kubepki ca trust FILE',
    },
  );
}

function requireFile(files: ReadonlyMap<CaName, AuthorityFile>, name: CaName): AuthorityFile {
  const file = files.get(name);
  if (file !== undefined) return file;
  throw new KubepkiError(
    'not-found',
    `this node has no certificate of the CA ${name}, which is being rotated`,
  );
}

function requireKeyOf(next: Certificate, key: PrivateKey, name: CaName): void {
  if (isSameKey(next.publicKey, publicKeyOf(key))) return;
  throw new KubepkiError('bad-key', `is not the key of the new CA ${name}`);
}

function sealedName(name: CaName): string {
  return `${name}.next.key`;
}
