import { kubeletKubeconfig } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { CertificateEntry, Inventory } from '../../inventory/inventory.ts';
import { findAuthority } from '../../inventory/look-ups.ts';
import type { PrivateKeys } from '../../inventory/private-keys.ts';
import type { Reading } from '../../inventory/reading.ts';
import { certificateBlocks, type Certificate, type Chain } from '../../pki/certificate/certificate.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { stages, type RotatedAuthority, type Stage } from './plan.ts';
import type { SigningFile } from './signing-file.ts';

/** The files of a node that a rotation changes, as they were read once. */
export interface RotationFiles {
  /** With the kubelet's certificate. On a worker nearly all of it is missing. */
  readonly inventory: Inventory;
  /** Those of the CAs among them. */
  readonly keys: PrivateKeys;
  /** undefined: no kube-controller-manager of this node signs requests with a file. */
  readonly signing: SigningFile | undefined;
}

/** A file, and the stages at which it is as it should be: from the first to the last of them. */
export interface Fit {
  /** Host path. */
  readonly path: string;
  readonly first: Stage;
  readonly last: Stage;
  /** What it holds, in a few words. */
  readonly holds: string;
}

/** A file of which it cannot be told where it belongs: nothing is changed as long as there is one. */
export interface Misfit {
  /** Host path. */
  readonly path: string;
  readonly error: KubepkiError;
}

/** Where a node is with one CA, by its files alone. */
export type Reached =
  /** All files are right at each stage from the first to the last. */
  | { readonly kind: 'at'; readonly first: Stage; readonly last: Stage }
  /** Some files are at one stage, and some at a later one. */
  | {
      readonly kind: 'between';
      readonly from: Stage;
      readonly to: Stage;
      /** The files that are not at the later stage yet. */
      readonly behind: readonly Fit[];
    }
  | { readonly kind: 'unclear'; readonly misfits: readonly Misfit[] };

/** How far a stage is behind the first; so many stages lie between two. */
export function orderOf(stage: Stage): number {
  return stages.indexOf(stage);
}

export function reached(authority: RotatedAuthority, files: RotationFiles): Reached {
  const found = fitsOf(authority, files);
  const misfits = found.flatMap((one) => ('error' in one ? [one] : []));
  if (misfits.length > 0) return { kind: 'unclear', misfits };
  return reachedBy(found.flatMap((one) => ('error' in one ? [] : [one])));
}

/** @param fits of all files of one CA */
export function reachedBy(fits: readonly Fit[]): Reached {
  const first = stages.findLast((stage) => fits.some((one) => one.first === stage)) ?? 'prepare';
  const last = stages.find((stage) => fits.some((one) => one.last === stage)) ?? 'finish';
  if (orderOf(first) <= orderOf(last)) return { kind: 'at', first, last };
  return {
    kind: 'between',
    from: last,
    to: first,
    behind: fits.filter((one) => orderOf(one.last) < orderOf(first)),
  };
}

/** The stage that all files have reached at least, and the one that some have reached. */
export function boundsOf(
  found: Exclude<Reached, { kind: 'unclear' }>,
): readonly [lowest: number, highest: number] {
  return found.kind === 'at'
    ? [orderOf(found.last), orderOf(found.first)]
    : [orderOf(found.from), orderOf(found.to)];
}

/** Each file that the rotation of this CA changes, and that is there. */
export function fitsOf(authority: RotatedAuthority, files: RotationFiles): (Fit | Misfit)[] {
  const { inventory, signing } = files;
  const own = ownStage(authority, inventory);
  return [
    ...trustingFits(authority, files),
    ...inventory.certificates.flatMap((entry) =>
      entry.spec.caName === authority.name ? leafFits(authority, entry, own) : [],
    ),
    ...(authority.name === 'ca' && signing !== undefined ? signingFits(authority, signing) : []),
  ];
}

/** Of these the files that say which CAs are trusted, and the CA's key. */
export function trustingFits(authority: RotatedAuthority, files: RotationFiles): (Fit | Misfit)[] {
  const own = ownStage(authority, files.inventory);
  return [
    ...authorityFits(authority, files),
    ...(authority.name === 'ca'
      ? files.inventory.certificates.flatMap((entry) => trustFits(authority, entry, own))
      : []),
  ];
}

/**
 * The first stage at which the CA's own file is as it is now: only a stage changes it. Certificates and kubeconfigs are written by others
 * too, and what that leaves is judged by it. undefined: the file is missing, or is of no stage.
 */
function ownStage(authority: RotatedAuthority, inventory: Inventory): Stage | undefined {
  const bundle = findAuthority(inventory, authority.name)?.bundle;
  return bundle?.status === 'present' ? bundleFits(authority, bundle.value)?.[0] : undefined;
}

/**
 * Whether "kubeadm certs renew" has written it after the switch: the certificate alone, without the cross-certificate, and in a kubeconfig
 * the first CA of the file alone. Kube-controller-manager, which signs the kubelets' certificates, puts none behind them either, and
 * kubelets need none.
 */
export function lacksCross({ next, cross }: RotatedAuthority, { spec, state }: CertificateEntry): boolean {
  if (state.status !== 'present' || spec === kubeletKubeconfig) return false;
  const [leaf, ...others] = (state.value as { readonly chain: Chain }).chain;
  return isIssuedBy(leaf, next) && !others.some(({ der }) => der.equals(cross.der));
}

function authorityFits(authority: RotatedAuthority, { inventory, keys }: RotationFiles): (Fit | Misfit)[] {
  const entry = findAuthority(inventory, authority.name);
  if (entry === undefined) return [];
  const { certificatePath, keyPath, bundle } = entry;
  const key = keys.get(authority.name)?.content ?? { status: 'missing' };
  return [
    ...fit(certificatePath, bundle, (chain) => bundleFit(authority, chain)),
    ...fit(keyPath, key, (privateKey) => {
      const publicKey = publicKeyOf(privateKey);
      if (isSameKey(authority.old.publicKey, publicKey)) return ['prepare', 'trust', 'the old key'];
      if (isSameKey(authority.next.publicKey, publicKey)) return ['switch', 'finish', 'the new key'];
      throw new KubepkiError('conflict', 'is the key of neither the old nor the new CA');
    }),
  ];
}

type FoundFit = readonly [first: Stage, last: Stage, holds: string];

function bundleFit(authority: RotatedAuthority, chain: readonly Der[]): FoundFit {
  const found = bundleFits(authority, chain);
  if (found !== undefined) return found;
  throw new KubepkiError('conflict', 'holds neither the old nor the new CA');
}

/** kubeadm takes the first certificate of a CA file for the CA that signs, so the order counts. */
function bundleFits({ old, next }: RotatedAuthority, chain: readonly Der[]): FoundFit | undefined {
  const [ofOld, ofNext] = [old, next].map((one) => chain.findIndex(({ der }) => der.equals(one.der)));
  if (ofOld === undefined || ofNext === undefined || (ofOld < 0 && ofNext < 0)) return undefined;
  if (ofNext < 0) return ['prepare', 'prepare', 'the old CA'];
  if (ofOld < 0) return ['distrust', 'finish', 'the new CA'];
  return ofOld < ofNext
    ? ['trust', 'trust', 'the old CA, then the new one']
    : ['switch', 'switch', 'the new CA, then the old one'];
}

function leafFits(
  authority: RotatedAuthority,
  entry: CertificateEntry,
  own: Stage | undefined,
): (Fit | Misfit)[] {
  return fit(
    entry.certificatePath,
    entry.state as Reading<{ readonly chain: Chain }>,
    ({ chain: [leaf] }) => {
      if (isIssuedBy(leaf, authority.old)) return ['prepare', 'trust', 'a certificate of the old CA'];
      if (!isIssuedBy(leaf, authority.next)) {
        throw new KubepkiError('foreign-issuer', 'is signed by neither the old nor the new CA');
      }
      if (entry.spec === kubeletKubeconfig) return ['switch', 'finish', 'a certificate of the new CA'];
      if (!lacksCross(authority, entry)) {
        return ['switch', 'distrust', 'a certificate of the new CA, with the cross-certificate'];
      }
      return own === 'distrust'
        ? ['finish', 'finish', 'a certificate of the new CA']
        : ['trust', 'trust', 'a certificate of the new CA, without the cross-certificate'];
    },
  );
}

/** The CAs by which a kubeconfig judges the API server; their order does not count there. */
function trustFits(
  authority: RotatedAuthority,
  entry: CertificateEntry,
  own: Stage | undefined,
): (Fit | Misfit)[] {
  if (entry.kind !== 'kubeconfig' || entry.state.status !== 'present') return [];
  const { clusterCa } = entry.state.value.kubeconfig;
  // Where it names a file, that is most often the CA's own, which is judged by itself.
  if (clusterCa.kind !== 'data') return [];
  const blocks = certificateBlocks(clusterCa.bytes).map((der) => ({ der }));
  return fit(entry.certificatePath, { status: 'present', value: blocks }, (chain) => {
    const [first, last, holds] = bundleFit(authority, chain);
    if (first === 'trust' || first === 'switch') return ['trust', 'switch', 'the old and the new CA'];
    // Alone it is there from a backup, or by kubeadm: what is switched trusts both.
    const isAlone = first === 'prepare' || lacksCross(authority, entry);
    return own === 'switch' && isAlone ? ['trust', 'trust', `${holds} alone`] : [first, last, holds];
  });
}

/** What kube-controller-manager signs requests with: a file with one certificate, or nothing is signed. */
function signingFits(authority: RotatedAuthority, signing: SigningFile): (Fit | Misfit)[] {
  const { path, content, kind, manifest } = signing;
  if (kind === 'authority') return withAuthorityFits(authority, manifest.path, content);
  return fit(path, content, ([first]) => {
    if (first.der.equals(authority.old.der)) return ['prepare', 'trust', 'the old CA, which signs requests'];
    if (!first.der.equals(authority.next.der)) {
      throw new KubepkiError('conflict', 'signs requests, and is neither the old nor the new CA');
    }
    // Once the CA's file holds one CA again, it is what signs, as kubeadm has it.
    return ['switch', kind === 'split' ? 'switch' : 'finish', 'the new CA, which signs requests'];
  });
}

/** As kubeadm has it, and "kubeadm upgrade" has it again in the middle of a rotation. */
function withAuthorityFits(
  authority: RotatedAuthority,
  manifest: string,
  content: SigningFile['content'],
): (Fit | Misfit)[] {
  if (content.status !== 'present') return [];
  const [stage] = bundleFit(authority, content.value);
  if (stage !== 'trust' && stage !== 'switch') return [];
  const before = stage === 'trust' ? 'prepare' : 'trust';
  return [
    {
      path: manifest,
      first: before,
      last: before,
      holds: 'the CA file, of two CAs, with which nothing is signed',
    },
  ];
}

function fit<T>(path: string, reading: Reading<T>, judge: (value: T) => FoundFit): (Fit | Misfit)[] {
  switch (reading.status) {
    case 'missing':
      return [];
    case 'unreadable':
      return [{ path, error: reading.error }];
    case 'present':
      try {
        const [first, last, holds] = judge(reading.value);
        return [{ path, first, last, holds }];
      } catch (error) {
        if (!(error instanceof KubepkiError)) throw error;
        return [{ path, error: error.about(path) }];
      }
  }
}

type Der = Pick<Certificate, 'der'>;
