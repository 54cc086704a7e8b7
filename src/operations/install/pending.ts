import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { KeySlot, PendingFiles } from '../../inventory/request-files.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import { findExtension } from '../../pki/extension/extension.ts';
import { algorithmOf, describeAlgorithm, publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import type { Asked } from './check-signed.ts';
import type { KeysInUse } from '../issuing/keys-in-use.ts';

/** A certificate that was asked for, with the key that was made for it. */
export interface Pending {
  readonly spec: CertificateSpec;
  /** undefined: the CSR is gone, and there is no certificate in use to say what was asked for. */
  readonly asked: Asked | undefined;
  readonly key: PrivateKey;
  readonly keyFile: FileTarget;
  /** Another user decides which file is there. */
  readonly isInReach: boolean;
  /** undefined: the CSR is gone, and what was asked for is what the certificate in use says. */
  readonly requestFile: FileTarget | undefined;
  /** Host path at which the signed certificate is expected. */
  readonly certificatePath: string;
  /** Host paths beside it that will do as well. */
  readonly otherPaths: readonly string[];
}

/**
 * What waits in one place.
 * @returns undefined: nothing does
 * @throws KubepkiError when something is there that cannot be used
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
  const entry = inventory.certificates.find((candidate) => candidate.spec === spec);
  if (entry?.state.status !== 'present') return undefined;
  const [leaf] = entry.state.value.chain;
  return { subject: leaf.subject, subjectAltName: findExtension(leaf.extensions, 'subjectAltName') };
}

type PresentKey = Pick<Pending, 'key' | 'keyFile' | 'certificatePath' | 'isInReach'>;

function present({ target, content, certificatePath, isInReach }: KeySlot): PresentKey[] {
  return content.status === 'present'
    ? [{ key: content.value, keyFile: target, certificatePath, isInReach }]
    : [];
}
