import { basename } from 'node:path';
import { kubeletKubeconfig, type Component } from '../../catalog/catalog.ts';
import { replaceFile, type FileChange, type FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import type { CertificateEntry } from '../../inventory/inventory.ts';
import { findAuthority, present } from '../../inventory/look-ups.ts';
import { rewriteKubeconfig } from '../../kubeconfig/rewrite.ts';
import {
  certificateBlocks,
  encodeCertificates,
  type Certificate,
} from '../../pki/certificate/certificate.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { encodePrivateKey, publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { splitManifest, withSigningFile } from './manifest.ts';
import type { RotatedAuthority, Stage } from './plan.ts';
import { lacksCross, type RotationFiles } from './state.ts';
import { wantedAuthorities } from './wanted.ts';

/** Where the rotation keeps the key of a CA that is not in the cert dir. */
export interface KeptKeys {
  readonly next: FileTarget;
  readonly old: FileTarget;
}

/**
 * The CA that signs requests, in a file that holds nothing else. Where kube-controller-manager signs with ca.crt, it signs with a file of
 * its own from now on, so that ca.crt can hold two CAs.
 */
export function signWith(authority: Certificate, { signing }: RotationFiles): FileChange[] {
  if (signing === undefined) return [];
  const pem = encodeCertificates([authority]);
  if (signing.kind !== 'authority') return [replaceFile(signing.target, pem, 0o644)];
  return [
    replaceFile(signing.split, pem, 0o644),
    replaceFile(signing.manifest, splitManifest(signing), 0o600),
  ];
}

/** ca.crt holds one CA again, and kube-controller-manager signs with it, as kubeadm has it. */
export function joinSigning({ next }: RotatedAuthority, files: RotationFiles): FileChange[] {
  const { signing, inventory } = files;
  const authority = findAuthority(inventory, 'ca');
  if (signing === undefined || authority === undefined) return [];
  if (signing.kind === 'own') return signWith(next, files);
  if (signing.kind === 'authority') return [];
  return [
    replaceFile(signing.manifest, withSigningFile(signing, basename(authority.certificatePath)), 0o600),
  ];
}

/** @throws KubepkiError the reason why the file could not be read */
export function authorityFile(
  stage: Stage,
  authority: RotatedAuthority,
  { inventory }: RotationFiles,
): FileChange[] {
  const entry = findAuthority(inventory, authority.name);
  if (entry?.file === undefined) return [];
  const wanted = wantedAuthorities(stage, authority, present(entry.bundle));
  return [replaceFile(entry.file, encodeCertificates(wanted), 0o644)];
}

/**
 * The CAs by which the kubeconfigs of this node judge the API server.
 * @throws KubepkiError bad-kubeconfig
 */
export function trustedByKubeconfigs(
  stage: Stage,
  authority: RotatedAuthority,
  { inventory }: RotationFiles,
): FileChange[] {
  if (authority.name !== 'ca') return [];
  return inventory.certificates.flatMap((entry) => {
    if (stage !== 'prepare') requireFollowed(authority, inventory, entry);
    const found = trustedIn(entry);
    return found === undefined
      ? []
      : rewritten(entry, { authorities: wantedAuthorities<Der>(stage, authority, found) });
  });
}

/**
 * A kubeconfig may name a file for the CAs. The CA's own is kept up to date by each stage, and another one by none.
 * @throws KubepkiError bad-kubeconfig
 */
function requireFollowed(
  { next }: RotatedAuthority,
  inventory: RotationFiles['inventory'],
  { kind, state }: CertificateEntry,
): void {
  if (kind !== 'kubeconfig' || state.status !== 'present') return;
  const { file, authorityFile: named } = state.value;
  const own = findAuthority(inventory, 'ca')?.file;
  if (named?.content.status !== 'present' || named.target.resolvedPath === own?.resolvedPath) return;
  if (named.content.value.some(({ der }) => der.equals(next.der))) return;
  throw new KubepkiError(
    'bad-kubeconfig',
    `names ${named.target.path} for its CA, which lacks the new one, and which no stage changes`,
    {
      file: file.path,
      hint: `have it name ${own?.path ?? 'ca.crt'}, which each stage keeps up to date`,
    },
  );
}

/** The new CA signs from now on. The old key is kept apart: for the way back, and to prove later that nothing trusts it any more. */
export function exchangeKeys(
  rotated: RotatedAuthority,
  { inventory, keys }: RotationFiles,
  kept: KeptKeys,
  next: PrivateKey,
): FileChange[] {
  const slot = keys.get(rotated.name);
  if (slot === undefined || findAuthority(inventory, rotated.name) === undefined) return [];
  const old = present(slot.content);
  // A run that went before has done it.
  if (isSameKey(publicKeyOf(old), rotated.next.publicKey)) return [];
  requireOwn(slot.target);
  return [
    replaceFile(kept.old, encodePrivateKey(old), 0o600),
    replaceFile(closed(slot.target), encodePrivateKey(next), 0o600),
    ...(kept.next.before === undefined ? [] : [{ target: kept.next, after: undefined }]),
  ];
}

/** A file keeps its owner, who would have the new key with it. @throws KubepkiError no-permission */
function requireOwn({ path, before }: FileTarget): void {
  if (before?.foreign !== true) return;
  throw new KubepkiError(
    'no-permission',
    `belongs to user ${String(before.uid)}, who would get the key of the new CA`,
    {
      file: path,
      hint: `make it root's, as kubeadm has it: chown root:root ${shellWord(path)}`,
    },
  );
}

/** A key that all may read is no secret, and the new one is to be. */
function closed(target: FileTarget): FileTarget {
  const { before } = target;
  return before === undefined ? target : { ...target, before: { ...before, mode: before.mode & 0o700 } };
}

/** Leaf files and kubeconfigs without the cross-certificate, which nothing needs any more. The kubelet's own file is the kubelet's. */
export function withoutCross(authority: RotatedAuthority, { inventory }: RotationFiles): FileChange[] {
  return inventory.certificates
    .filter(({ spec }) => spec.caName === authority.name)
    .flatMap((entry) => strippedOf(entry, authority));
}

/**
 * What the new CA has signed already, with the cross-certificate behind it, and both CAs in a kubeconfig: so are the certificates that are
 * made anew.
 * @throws KubepkiError bad-kubeconfig
 */
export function completedBySwitch(authority: RotatedAuthority, { inventory }: RotationFiles): FileChange[] {
  return inventory.certificates.flatMap((entry) => {
    if (entry.spec.caName !== authority.name || entry.state.status !== 'present') return [];
    const [leaf, ...others] = entry.state.value.chain;
    if (!isIssuedBy(leaf, authority.next)) return [];
    const trusted = trustedIn(entry);
    const isTrustedAlone =
      trusted !== undefined && ![authority.old, authority.next].every((one) => isAmong(trusted, one));
    return rewritten(entry, {
      ...(lacksCross(authority, entry) ? { chain: [leaf, authority.cross, ...others] } : {}),
      ...(isTrustedAlone ? { authorities: wantedAuthorities<Der>('switch', authority, trusted) } : {}),
    });
  });
}

/** The components whose kubeconfigs are among these: each reads its own when it starts. */
export function readersOf(edits: readonly FileChange[], { inventory }: RotationFiles): readonly Component[] {
  const changed = new Set(edits.map(({ target }) => target.path));
  return inventory.certificates.flatMap(({ kind, spec, state }) =>
    kind === 'kubeconfig' && state.status === 'present' && changed.has(state.value.file.path)
      ? spec.components
      : [],
  );
}

function strippedOf(entry: CertificateEntry, { cross }: RotatedAuthority): FileChange[] {
  if (entry.state.status !== 'present' || entry.spec === kubeletKubeconfig) return [];
  const { chain } = entry.state.value;
  const left = chain.filter(({ der }) => !der.equals(cross.der));
  return left.length === chain.length ? [] : rewritten(entry, { chain: left });
}

type Der = Pick<Certificate, 'der'>;

function isAmong(certificates: readonly Der[], { der }: Der): boolean {
  return certificates.some((one) => one.der.equals(der));
}

/** The CAs in a kubeconfig; undefined: it holds none. */
function trustedIn({ kind, state }: CertificateEntry): readonly Der[] | undefined {
  if (kind !== 'kubeconfig' || state.status !== 'present') return undefined;
  const { clusterCa } = state.value.kubeconfig;
  return clusterCa.kind === 'data' ? certificateBlocks(clusterCa.bytes).map((der) => ({ der })) : undefined;
}

/** The file of a certificate with another chain; of a kubeconfig, with other CAs too. */
function rewritten(
  entry: CertificateEntry,
  { chain, authorities }: { readonly chain?: readonly Der[]; readonly authorities?: readonly Der[] },
): FileChange[] {
  const pem = chain && encodeCertificates(chain);
  if (entry.kind === 'leaf') {
    return pem === undefined ? [] : [replaceFile(present(entry.state).file, pem, 0o644)];
  }
  const { file, kubeconfig, certificateFile } = present(entry.state);
  const isHeld = certificateFile === undefined;
  const text = naming(file.path, () =>
    rewriteKubeconfig(kubeconfig, {
      ...(pem !== undefined && isHeld ? { clientCertificatePem: pem } : {}),
      ...(authorities === undefined ? {} : { clusterCaPem: encodeCertificates(authorities) }),
    }),
  );
  return [
    ...(pem !== undefined && !isHeld ? [replaceFile(certificateFile, pem, 0o644)] : []),
    ...(text === kubeconfig.text ? [] : [replaceFile(file, text, 0o600)]),
  ];
}
