import type { CertificateSpec } from '../../catalog/catalog.ts';
import { type FileChange, type FileTarget, replaceFile } from '../../changeset/change-set.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { findAuthority, present } from '../../inventory/look-ups.ts';
import type { PrivateKeys } from '../../inventory/private-keys.ts';
import type { Slot } from '../../inventory/reading.ts';
import type { PartialKubeconfig } from '../../kubeconfig/kubeconfig.ts';
import { rewriteKubeconfig } from '../../kubeconfig/rewrite.ts';
import { encodeCertificates, parseCertificates, type Chain } from '../../pki/certificate/certificate.ts';
import { encodePrivateKey, parsePrivateKey, publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { chainsTo } from '../../pki/path/path.ts';
import { placeholder, type NewCredentials } from '../places/place.ts';

/** The kubeconfigs of people, who are told to copy one of these into their homes. */
const originalNames: readonly string[] = ['admin.conf', 'super-admin.conf'];

/** Those of these certificates of which people have copies. */
export function copiedSpecs(specs: readonly CertificateSpec[]): readonly CertificateSpec[] {
  return specs.filter(({ name }) => originalNames.includes(name));
}

/** A kubeconfig that was named as a copy: its users, each as one of its contexts sees it. */
export interface CopyFile extends Slot<readonly PartialKubeconfig[]> {
  /** Why root must not write there; undefined: it may. */
  readonly unsafe: KubepkiError | undefined;
}

/** A copy that gets the credentials that its original has, or will have. */
export interface StaleCopy {
  readonly file: FileTarget;
  readonly users: readonly CopiedUser[];
}

interface CopiedUser {
  readonly kubeconfig: PartialKubeconfig;
  readonly original: CertificateSpec;
}

/** `left`: a copy that is not brought up to date keeps nothing else from being renewed. */
export type PlannedCopy =
  | { readonly status: 'stale'; readonly copy: StaleCopy }
  | { readonly status: 'current' }
  | { readonly status: 'left'; readonly error: KubepkiError };

interface CopySettings {
  readonly inventory: Inventory;
  readonly keys: PrivateKeys;
  /** Those of which copies are brought up to date. */
  readonly originals: readonly CertificateSpec[];
  /** Those that will have another certificate. */
  readonly renewed: readonly CertificateSpec[];
}

/** Decides for each copy. */
export function planCopies(copies: readonly CopyFile[], settings: CopySettings): PlannedCopy[] {
  return copies.map((copy) => {
    try {
      return planCopy(copy, settings);
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      return { status: 'left', error: error.about(copy.target.path) };
    }
  });
}

function planCopy({ target, content, unsafe }: CopyFile, settings: CopySettings): PlannedCopy {
  if (content.status === 'missing') throw new KubepkiError('not-found', 'no such file');
  const found = present(content).flatMap((kubeconfig) => copiedUser(kubeconfig, settings));
  if (settings.originals.some((spec) => isItself(target, spec, settings))) return { status: 'current' };
  if (found.length === 0) {
    const names = settings.originals.map(({ name }) => name).join(' or ');
    throw new KubepkiError(
      'conflict',
      `is no copy of ${names}, as it is or older: no user of it has such a certificate`,
      {
        hint: 'a copy of what another CA has signed is to be made again',
      },
    );
  }
  const users = found.filter(({ isStale }) => isStale);
  if (users.length === 0) return { status: 'current' };
  if (unsafe !== undefined) throw unsafe;
  requireClosed(target);
  const copy = { file: target, users };
  // What cannot be rewritten is to be known before there are keys.
  changedCopy(copy, () => ({ certificatePem: placeholder, keyPem: placeholder }));
  return { status: 'stale', copy };
}

/** The file that a copy is to be like, by another name. */
function isItself(target: FileTarget, spec: CertificateSpec, { inventory }: CopySettings): boolean {
  const state = inventory.certificates.find((entry) => entry.spec === spec)?.state;
  return state?.status === 'present' && state.value.file.resolvedPath === target.resolvedPath;
}

/**
 * A user with the certificate of admin.conf, or with an older one that this CA has signed for the very same subject: after a renewal
 * that is over, by kubeadm perhaps, nothing else tells a copy. The key must be beside it: an owner of the file who does not have the
 * key of an admin must not be given one.
 * @throws KubepkiError for a user that is such a one, and cannot be given the next certificate
 */
function copiedUser(
  kubeconfig: PartialKubeconfig,
  settings: CopySettings,
): (CopiedUser & { readonly isStale: boolean })[] {
  const { clientCertificate, clientKey, userName } = kubeconfig;
  if (clientCertificate.kind !== 'data') return [];
  const chain = chainIn(clientCertificate.bytes);
  const original = chain && settings.originals.find((spec) => isCopyOf(chain, spec, settings));
  if (chain === undefined || original === undefined) return [];
  const isSame = chain[0].der.equals(chainOf(original, settings)?.[0].der ?? Buffer.alloc(0));
  const isStale = !isSame || settings.renewed.includes(original);
  if (!isStale) return [{ kubeconfig, original, isStale }];
  const key = clientKey.kind === 'data' ? parsePrivateKey(clientKey.bytes) : undefined;
  if (key === undefined || !isSameKey(publicKeyOf(key), chain[0].publicKey)) {
    throw new KubepkiError(
      'no-permission',
      `user ${userName} has a certificate of ${original.name} without its key, so that no other key is given to it`,
    );
  }
  if (!settings.renewed.includes(original)) credentialsInUse(original, settings);
  return [{ kubeconfig, original, isStale }];
}

function isCopyOf(chain: Chain, spec: CertificateSpec, settings: CopySettings): boolean {
  const [leaf] = chain;
  const now = chainOf(spec, settings)?.[0];
  return (
    now !== undefined &&
    leaf.subject.equals(now.subject) &&
    // Two that are capped to the CA's end may end together.
    leaf.notAfter.getTime() <= now.notAfter.getTime() &&
    isOfThisAuthority(chain, spec, settings)
  );
}

function chainOf(spec: CertificateSpec, { inventory }: CopySettings): Chain | undefined {
  const state = inventory.certificates.find((entry) => entry.spec === spec)?.state;
  return state?.status === 'present' ? state.value.chain : undefined;
}

/**
 * What an original holds that is not renewed.
 * @throws KubepkiError where another CA has signed it, or its key is not there: a copy is not made worse
 */
export function credentialsInUse(
  spec: CertificateSpec,
  settings: Pick<CopySettings, 'inventory' | 'keys'>,
): NewCredentials {
  const { inventory, keys } = settings;
  const chain = present(inventory.certificates.find((entry) => entry.spec === spec)?.state).chain;
  const key = keys.get(spec.name)?.content;
  if (!isOfThisAuthority(chain, spec, settings)) {
    throw new KubepkiError('foreign-issuer', `stays as it is, as ${spec.name} is not signed by this CA`);
  }
  if (key?.status !== 'present' || !isSameKey(publicKeyOf(key.value), chain[0].publicKey)) {
    throw new KubepkiError(
      'bad-key',
      `stays as it is, as ${spec.name} has no private key that fits its certificate`,
    );
  }
  return { certificatePem: encodeCertificates(chain), keyPem: encodePrivateKey(key.value) };
}

function isOfThisAuthority(
  chain: Chain,
  { caName }: CertificateSpec,
  { inventory }: Pick<CopySettings, 'inventory'>,
): boolean {
  const bundle = findAuthority(inventory, caName)?.bundle;
  return bundle?.status === 'present' && chainsTo(chain, bundle.value);
}

/** With the mode that the file has, nobody but its owner may read what is written into it. */
function requireClosed({ path, before }: FileTarget): void {
  if (((before?.mode ?? 0) & 0o077) === 0) return;
  throw new KubepkiError(
    'no-permission',
    "may be read by others than its owner, so that no admin's key is written into it",
    {
      hint: `chmod 0600 ${shellWord(path)}`,
    },
  );
}

/** The copy with its next credentials: nothing else in it changes. @throws KubepkiError bad-kubeconfig */
export function changedCopy(
  { file, users }: StaleCopy,
  credentialsOf: (original: CertificateSpec) => NewCredentials,
): FileChange {
  const text = users.reduce((before, { kubeconfig, original }) => {
    const { certificatePem, keyPem } = credentialsOf(original);
    const changes = { clientCertificatePem: certificatePem, clientKeyPem: keyPem };
    return naming(file.path, () => rewriteKubeconfig({ ...kubeconfig, text: before }, changes));
  }, users[0]?.kubeconfig.text ?? '');
  return replaceFile(file, text, 0o600);
}

function chainIn(bytes: Buffer): Chain | undefined {
  try {
    return parseCertificates(bytes);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return undefined;
  }
}
