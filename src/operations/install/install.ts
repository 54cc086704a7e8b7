import type { CertificateRecord, ChangeSet, FileChange, SigningFiles } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { signingFiles } from '../../inventory/look-ups.ts';
import { encodeCertificates, parseCertificates } from '../../pki/certificate/certificate.ts';
import { encodePrivateKey, parsePrivateKey, publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { factsOf } from '../change/certificate-facts.ts';
import { factsInUse } from '../change/facts-in-use.ts';
import { type KeysInUse, certificatePaths } from '../issuing/keys-in-use.ts';
import type { ReadBack } from '../places/place.ts';
import type { Installable } from './plan-install.ts';

interface InstallContext {
  readonly inventory: Inventory;
  readonly keysInUse: KeysInUse;
  /** Files that stay, without symlinks: the operator's bundle, and what other requests still need. */
  readonly notCleared: ReadonlySet<string>;
}

interface Installation {
  readonly changes: ChangeSet;
  readonly signedBy: readonly SigningFiles[];
  readonly certificates: readonly CertificateRecord[];
  /** @throws KubepkiError verification */
  readonly verify: (readBack: ReadBack) => void;
}

/** The change that brings signed certificates home, from files or from the certificates API. */
export function install(installables: readonly Installable[], context: InstallContext): Installation {
  const { inventory } = context;
  return {
    changes: changesFor(installables, context),
    signedBy: signingFiles(inventory, installables),
    certificates: installables.map(({ spec, chain: [leaf] }) => ({
      name: spec.name,
      old: factsInUse(inventory, spec),
      new: factsOf(leaf),
    })),
    verify: (readBack) => {
      for (const one of installables) verifyInstalled(one, readBack);
    },
  };
}

/**
 * Puts certificates and keys in their places, and clears the files away that waited. A file that is itself a place, or in use
 * for anything else, stays: the CSR dir may be the cert dir, and a link in it may lead anywhere.
 */
function changesFor(
  installables: readonly Installable[],
  { inventory, keysInUse, notCleared }: InstallContext,
): ChangeSet {
  const placed = installables.flatMap(changesOf);
  const kept = new Set([
    ...installables.flatMap(({ place }) => place.targets).map(({ resolvedPath }) => resolvedPath),
    ...inventory.protectedPaths,
    ...notCleared,
    ...certificatePaths(inventory),
  ]);
  const cleared = new Map(
    installables
      .flatMap(({ pending, source }) => [pending.requestFile, pending.keyFile, source])
      .filter((target) => target !== undefined)
      .filter((target) => !kept.has(target.resolvedPath) && !keysInUse.isFile(target))
      .map((target) => [target.resolvedPath, target] as const),
  );
  return [...placed, ...[...cleared.values()].map((target): FileChange => ({ target, after: undefined }))];
}

function changesOf({ place, pending, chain }: Installable): FileChange[] {
  const credentials = { certificatePem: encodeCertificates(chain), keyPem: encodePrivateKey(pending.key) };
  const keyStays = place.key?.resolvedPath === pending.keyFile.resolvedPath;
  return place.put(credentials).filter(({ target }) => !(keyStays && target === place.key));
}

/**
 * Checks what was read back from disk: the certificate is the one that was checked, the key is its own, and a kubeconfig
 * trusts what was planned.
 * @throws KubepkiError verification
 */
function verifyInstalled({ place, chain: [leaf] }: Installable, readBack: ReadBack): void {
  const { certificate, key, trusts } = place.readBack(readBack);
  const [found] = parseCertificates(certificate);
  const isPair = found.der.equals(leaf.der) && isSameKey(leaf.publicKey, publicKeyOf(parsePrivateKey(key)));
  if (isPair && trusts) return;
  throw new KubepkiError('verification', 'read back from disk, it is not the certificate that was signed', {
    file: place.file.path,
  });
}
