import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { CertificateFile } from '../../inventory/certificate-files.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { KeySlot, PendingFiles } from '../../inventory/request-files.ts';
import { findExtension } from '../../pki/extension/extension.ts';
import { algorithmOf, describeAlgorithm, publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import type { Asked } from './check-signed.ts';
import type { Places } from '../../inventory/places.ts';
import type { PrivateKeys } from '../../inventory/private-keys.ts';
import { type Certificate, isCa, type Chain } from '../../pki/certificate/certificate.ts';
import { attributesOf } from '../../pki/der/name.ts';
import { certificateInUse } from '../change/facts-in-use.ts';
import type { KeysInUse } from '../issuing/keys-in-use.ts';
import type { KeySettings } from '../owners/key-owner.ts';

/** The node's files by which it is decided what is installed. */
export interface InstallSettings extends KeySettings {
  /** Those of a rotation under way: each stands behind the leaves of its CA, for those that know the old CA alone. */
  readonly crosses: readonly Certificate[];
  readonly now: Date;
  readonly allowChanges: boolean;
  readonly keysInUse: KeysInUse;
  readonly keys: PrivateKeys;
  /** The requests that wait, of every certificate, whichever are to be installed. */
  readonly waiting: readonly PendingFiles[];
  readonly files: readonly CertificateFile[];
  /** The path, without symlinks, of the operator's file that may hold any certificate. */
  readonly bundle: string | undefined;
  readonly places: Places;
}

/** A certificate that was asked for, with the key that was made for it. */
export interface Pending {
  readonly spec: CertificateSpec;
  /** undefined: the CSR is gone, and there is no certificate in use to say what was asked for. */
  readonly asked: Asked | undefined;
  readonly key: PrivateKey;
  readonly keyFile: FileTarget;
  /** Another user decides which file is at the key's path. */
  readonly isInReach: boolean;
  /** undefined: the CSR is gone, and the certificate in use says what was asked for. */
  readonly requestFile: FileTarget | undefined;
  /** Host path at which the signed certificate is expected. */
  readonly certificatePath: string;
  /** Host paths beside it at which the certificate may be as well. */
  readonly otherPaths: readonly string[];
}

/**
 * The request that waits in one place.
 * @returns undefined: none does
 * @throws KubepkiError when the place holds something that cannot be used
 */
export function pendingIn(
  { spec, request, keys, otherPaths }: PendingFiles,
  inventory: Inventory,
  { keysInUse, command }: { readonly keysInUse: KeysInUse; readonly command: CommandLine },
): Pending | undefined {
  if (request.content.status === 'unreadable') throw request.content.error;
  if (request.content.status === 'missing') {
    const asked = askedByCertificateInUse(inventory, spec);
    const [key] = keys.flatMap(present).filter((one) => !keysInUse.isLive(publicKeyOf(one.key)));
    if (key === undefined || keysInUse.isFile(key.keyFile)) return undefined;
    requireUsable(key);
    return { spec, asked, ...key, otherPaths, requestFile: undefined };
  }
  const { publicKey, subject, extensions } = request.content.value;
  const key = keys.flatMap(present).find((one) => isSameKey(publicKeyOf(one.key), publicKey));
  if (key === undefined) {
    for (const { content } of keys) if (content.status === 'unreadable') throw content.error;
    throw new KubepkiError('conflict', 'was made with a key that is not beside it', {
      file: request.target.path,
      hint: `bring the key back, or make a new request: ${command(`renew ${spec.name} --csr-only --force`)}`,
    });
  }
  requireUsable(key);
  return {
    spec,
    asked: { subject, subjectAltName: findExtension(extensions, 'subjectAltName') },
    ...key,
    otherPaths,
    requestFile: request.target,
  };
}

/**
 * Refuses a key of a kind that kubepki does not use: the operator may have put another key there.
 * @throws KubepkiError unsupported-key
 */
function requireUsable({ key, keyFile }: PresentKey): void {
  const algorithm = algorithmOf(key);
  if (algorithm.type !== 'other') return;
  throw new KubepkiError('unsupported-key', `is a key of the kind ${describeAlgorithm(algorithm)}`, {
    file: keyFile.path,
    hint: 'use RSA, or ECDSA on P-256 or P-384: other kinds are not supported',
  });
}

function askedByCertificateInUse(inventory: Inventory, spec: CertificateSpec): Asked | undefined {
  const leaf = certificateInUse(inventory, spec);
  return leaf && { subject: leaf.subject, subjectAltName: findExtension(leaf.extensions, 'subjectAltName') };
}

type PresentKey = Pick<Pending, 'key' | 'keyFile' | 'certificatePath' | 'isInReach'>;

function present({ target, content, certificatePath, isInReach }: KeySlot): PresentKey[] {
  return content.status === 'present'
    ? [{ key: content.value, keyFile: target, certificatePath, isInReach }]
    : [];
}

/** A certificate that was signed for a key that waits. */
export interface Match {
  readonly pending: Pending;
  readonly leaf: Certificate;
  /** The certificates beside the leaf in its file. */
  readonly others: readonly Certificate[];
  readonly source: FileTarget;
  /** It is the certificate that is in use already, with its key in place. */
  readonly inUse: boolean;
}

/** Every certificate for the key that waits, the one that ends last first. */
export function matchesFor(
  pending: Pending,
  inventory: Inventory,
  { files, keysInUse }: InstallSettings,
): Match[] {
  const publicKey = publicKeyOf(pending.key);
  const live = keysInUse.isLive(publicKey) ? certificateInUse(inventory, pending.spec) : undefined;
  return files
    .flatMap(({ target, content }): Match[] => {
      if (content.status !== 'present') return [];
      const leaf = content.value.find((certificate) => isSameKey(certificate.publicKey, publicKey));
      if (leaf === undefined) return [];
      const others = content.value.filter((certificate) => certificate !== leaf);
      const inUse = live?.der.equals(leaf.der) === true;
      return [{ pending, leaf, others, source: target, inUse }];
    })
    .sort((a, b) => b.leaf.notAfter.getTime() - a.leaf.notAfter.getTime());
}

/** Whether it is the first match of its request. */
export function isBest({ pending }: Match, index: number, matches: readonly Match[]): boolean {
  return matches.findIndex((one) => one.pending === pending) === index;
}

/** Whether the file is the certificate's own place: after `generate-csr` it is expected there, beside its key. */
export function isPlace({ resolvedPath }: FileTarget, inventory: Inventory, spec: CertificateSpec): boolean {
  const entry = inventory.certificates.find((candidate) => candidate.spec === spec);
  return (
    entry?.kind === 'leaf' &&
    entry.state.status === 'present' &&
    entry.state.value.file.resolvedPath === resolvedPath
  );
}

/**
 * The errors about certificates that a person has put there for us, and that belong to no request. A certificate of a key in
 * use, or of a CA on disk, is no stranger: those lie in the cert dir anyway.
 */
export function strangers(
  inventory: Inventory,
  { waiting, files, keysInUse }: InstallSettings,
): KubepkiError[] {
  const keys = waiting.flatMap(({ keys: slots }) =>
    slots.flatMap(({ content }) => (content.status === 'present' ? [publicKeyOf(content.value)] : [])),
  );
  const authorities = inventory.authorities.flatMap(({ bundle }) =>
    bundle.status === 'present' ? bundle.value : [],
  );
  const known = ({ publicKey }: Certificate): boolean =>
    keysInUse.holds(publicKey) ||
    [...keys, ...authorities.map((authority) => authority.publicKey)].some((key) =>
      isSameKey(key, publicKey),
    );
  return files.flatMap(({ target, content }) => {
    if (content.status === 'unreadable') return [content.error];
    return content.status === 'missing'
      ? []
      : unknownIn(content.value, known).map((one) => stranger(one, target));
  });
}

/** CA certificates beside one of ours are its chain. */
function unknownIn(chain: Chain, known: (certificate: Certificate) => boolean): Certificate[] {
  const leaves = chain.filter((certificate) => !known(certificate) && !isCa(certificate));
  return leaves.length > 0 || chain.some(known) ? leaves : [chain[0]];
}

function stranger(certificate: Certificate, { path }: FileTarget): KubepkiError {
  const subject = attributesOf(certificate.subject).join(', ');
  return new KubepkiError(
    'bad-certificate',
    `the certificate of "${subject}" belongs to no key that a certificate was asked for with`,
    {
      file: path,
      hint: isCa(certificate)
        ? 'put the certificate of an intermediate CA behind the leaf in the same file; move away what is not needed'
        : 'the CA must sign the CSR that is here now; if this certificate has nothing to do with it, move it away',
    },
  );
}
