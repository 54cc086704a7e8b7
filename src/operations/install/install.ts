import { replaceFile, type ChangeSet, type FileChange, type FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { readKubeconfig } from '../../kubeconfig/read.ts';
import { encodeCertificates, parseCertificates } from '../../pki/certificate/certificate.ts';
import { encodePrivateKey, parsePrivateKey, publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/subject-key.ts';
import type { KeysInUse } from '../issuing/keys-in-use.ts';
import { trustsAsPlanned, type TrustingKubeconfig } from '../issuing/kubeconfig-authority.ts';
import { kubeconfigChanges } from '../issuing/kubeconfig-changes.ts';
import { placeTargets, type Installable } from './plan-install.ts';

interface InstallContext {
  readonly inventory: Inventory;
  readonly keysInUse: KeysInUse;
  /** Host paths without symlinks: the operator's bundle, and what other requests still need. */
  readonly notCleared: ReadonlySet<string>;
}

/**
 * Puts certificates and keys in their places, and clears away what waited. Never a file that is itself a place, or in use
 * for anything else: a CSR dir may be the cert dir, and a link in it may lead anywhere.
 */
export function install(
  installables: readonly Installable[],
  { inventory, keysInUse, notCleared }: InstallContext,
): ChangeSet {
  const placed = installables.flatMap(changesOf);
  const kept = new Set([
    ...installables.flatMap(({ place }) => placeTargets(place)).map(({ resolvedPath }) => resolvedPath),
    ...inventory.protectedPaths,
    ...notCleared,
    ...inventory.certificates.flatMap(({ state }) =>
      state.status === 'present' ? [state.value.file.resolvedPath] : [],
    ),
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

/** The kubeconfigs among them, with the CAs they trust. */
export function trustingKubeconfigs(
  placed: readonly Pick<Installable, 'place' | 'caFile' | 'authorities'>[],
): TrustingKubeconfig[] {
  return placed.flatMap(({ place, caFile, authorities: bundle }) => {
    if (place.kind === 'leaf') return [];
    const { file, kubeconfig, trusted, authorityFile } = place;
    const { clusterName } = kubeconfig;
    return [{ file: file.path, clusterName, trusted, authorityFile, caFile, bundle }];
  });
}

function changesOf({ place, pending, chain }: Installable): FileChange[] {
  const certificatePem = encodeCertificates(chain);
  const keyPem = encodePrivateKey(pending.key);
  const keyStays = place.key?.resolvedPath === pending.keyFile.resolvedPath;
  // Modes of new files are kubeadm's: 0600 for keys, 0644 for certificates.
  const changes =
    place.kind === 'leaf'
      ? [replaceFile(place.key, keyPem, 0o600), replaceFile(place.certificate, certificatePem, 0o644)]
      : kubeconfigChanges(place, { certificatePem, keyPem });
  return changes.filter(({ target }) => !(keyStays && target === place.key));
}

/**
 * Checks what was read back from disk: the certificate is the one that was checked, the key is its own, and a kubeconfig
 * trusts what was planned.
 * @throws KubepkiError verification
 */
export function verifyInstalled(
  { place, chain: [leaf] }: Installable,
  readBack: (target: FileTarget) => Buffer,
): void {
  const [file] = placeTargets(place);
  const { certificate, key, trusts } = pairIn(place, readBack);
  const [found] = parseCertificates(certificate);
  const isPair = found.der.equals(leaf.der) && isSameKey(leaf.publicKey, publicKeyOf(parsePrivateKey(key)));
  if (isPair && trusts) return;
  throw new KubepkiError('verification', 'read back from disk, it is not the certificate that was signed', {
    file: file?.path,
  });
}

function pairIn(
  place: Installable['place'],
  readBack: (target: FileTarget) => Buffer,
): { certificate: Buffer; key: Buffer; trusts: boolean } {
  if (place.kind === 'leaf') {
    return { certificate: readBack(place.certificate), key: readBack(place.key), trusts: true };
  }
  const { clientCertificate, clientKey, clusterCa } = readKubeconfig(readBack(place.file).toString('utf8'));
  const certificate = clientCertificate.kind === 'data' ? clientCertificate.bytes : undefined;
  const key = clientKey.kind === 'data' ? clientKey.bytes : undefined;
  return {
    certificate: certificate ?? readBack(requireFile(place.certificate)),
    key: key ?? readBack(requireFile(place.key)),
    trusts: trustsAsPlanned(clusterCa, place.kubeconfig, place.trusted),
  };
}

function requireFile(target: FileTarget | undefined): FileTarget {
  if (target === undefined) throw new KubepkiError('verification', 'the kubeconfig is not complete');
  return target;
}
