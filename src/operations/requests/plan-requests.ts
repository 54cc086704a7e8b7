import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import type { CertificateFile } from '../../inventory/certificate-files.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { PrivateKeys } from '../../inventory/private-keys.ts';
import type { Slot } from '../../inventory/reading.ts';
import type { KeySlot, RequestFiles } from '../../inventory/request-files.ts';
import { nameKey } from '../../pki/extension/edit-subject-alt-name.ts';
import { findExtension, type Extension } from '../../pki/extension/extension.ts';
import { isNameless, parseSubjectAltName, type GeneralName } from '../../pki/extension/subject-alt-name.ts';
import { publicKeyOf, type KeyAlgorithm, type PrivateKey } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { chooseKey, type NamedAlgorithm } from '../issuing/key-choice.ts';
import { changeSans, type SanChange } from '../names/change-sans.ts';
import { holderByCatalog, holderOf } from '../owners/holder.ts';
import type { CertificationRequest } from '../../pki/request/certification-request.ts';
import { requireReplaceable } from '../change/replaceable.ts';
import { certificatePaths, type KeysInUse } from '../issuing/keys-in-use.ts';
import { requireHeld } from '../owners/holder.ts';
import { requireOwnKey, type KeySettings } from '../owners/key-owner.ts';
import { restOf, type Resting, type RestSettings } from '../renewal/resting.ts';

/** A request that will be made: every decision that needs no key. */
export interface Requestable {
  readonly spec: CertificateSpec;
  /** DER of the Name. */
  readonly subject: Buffer;
  readonly subjectAltName: Extension | undefined;
  /** undefined: the command line asks for no SANs but the certificate's. */
  readonly sans: SanChange | undefined;
  /** It is for a server's certificate, and the CSR has no name among its SANs. */
  readonly nameless: boolean;
  readonly keyAlgorithm: KeyAlgorithm;
  readonly warnings: readonly string[];
  readonly files: WaitingPlace;
  /** Certificates that were signed for the replaced request: no key would belong to them any more. */
  readonly stale: readonly FileTarget[];
}

/** Where a request waits for its certificate. */
export interface WaitingPlace {
  readonly request: FileTarget;
  readonly key: FileTarget;
  /** Host path at which the signed certificate is expected. */
  readonly certificatePath: string;
  /** `<name>.key` beside the new key is in use, and stays. */
  readonly besideKeyInUse: boolean;
}

export type PlannedRequest =
  | { readonly status: 'requestable'; readonly spec: CertificateSpec; readonly requestable: Requestable }
  | { readonly status: 'pending'; readonly spec: CertificateSpec; readonly files: WaitingPlace }
  | { readonly status: 'missing'; readonly spec: CertificateSpec }
  | Resting
  | { readonly status: 'refused'; readonly spec: CertificateSpec; readonly error: KubepkiError };

interface RequestSettings extends RestSettings, KeySettings {
  readonly encryptionAlgorithm: NamedAlgorithm | undefined;
  readonly keysInUse: KeysInUse;
  readonly keys: PrivateKeys;
  readonly signer: 'by-hand' | 'cluster';
  /** A request that waits is replaced. */
  readonly force: boolean;
  /** The files in which certificates for the requests are looked for. */
  readonly answers: readonly CertificateFile[];
}

const hint = 'move it away, or replace it (a backup is kept): --force';

/** Decides for each certificate whether and how a signature is asked for. */
export function planRequests(
  inventory: Inventory,
  requestFiles: readonly RequestFiles[],
  settings: RequestSettings,
): PlannedRequest[] {
  return requestFiles.map((files) => {
    try {
      return planRequest(inventory, files, settings);
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      return { status: 'refused', spec: files.spec, error };
    }
  });
}

function planRequest(inventory: Inventory, files: RequestFiles, settings: RequestSettings): PlannedRequest {
  const { spec } = files;
  const entry = inventory.certificates.find((candidate) => candidate.spec === spec);
  if (entry === undefined || entry.state.status === 'missing') return { status: 'missing', spec };
  if (entry.state.status === 'unreadable') throw entry.state.error;
  const resting = restOf(entry, settings);
  if (resting !== undefined && resting.status !== 'same-sans') return resting;
  const { encryptionAlgorithm, sans: wanted, keysInUse, force, answers } = settings;
  const { chain, file } = entry.state.value;
  const [leaf] = chain;
  const held = requireHeld(inventory, spec, settings.keys);
  const found = holderOf(held, settings.command);
  // A person who signs by hand looks at the CSR; the cluster's signer does not.
  const holder = found.verifies || settings.signer === 'by-hand' ? found : holderByCatalog(held, settings);
  const sans = wanted && changeSans(spec, leaf, file.path, wanted);
  const subjectAltName = sans?.edit?.extension ?? findExtension(leaf.extensions, 'subjectAltName');
  const key = keySlot(files, keysInUse);
  const request = withoutThoseInUse(files.request, keysInUse);
  const waits = request.content.status !== 'missing' || key.content.status !== 'missing';
  // Where a request waits, its SANs count, and not the certificate's.
  if (resting !== undefined && !waits) return resting;
  const { target, certificatePath } = key;
  const besideKeyInUse = key === files.newKey;
  const pending: WaitingPlace = {
    request: files.request.target,
    key: target,
    certificatePath,
    besideKeyInUse,
  };
  if (!force) {
    const state = stateOf(request, key);
    if (state === 'pending') {
      const { content } = files.request;
      if (key.content.status === 'present') {
        const { isInReach } = key;
        requireOwnKey(spec, { key: key.content.value, keyFile: target, isInReach }, [], settings);
      }
      if (wanted !== undefined && content.status === 'present') {
        naming(files.request.target.path, () => {
          requireSameSans(content.value, subjectAltName);
        });
      }
      return { status: 'pending', spec, files: pending };
    }
    if (state !== undefined) throw state;
  }
  requireUnused(inventory, keysInUse, [pending.request, pending.key]);
  return {
    status: 'requestable',
    spec,
    requestable: {
      spec,
      subject: holder.subject,
      warnings: holder.warnings,
      subjectAltName,
      sans,
      nameless: isNameless(spec, subjectAltName),
      keyAlgorithm: chooseKey(leaf, encryptionAlgorithm, file.path).algorithm,
      files: pending,
      stale: force
        ? answers
            .filter((answer) => [certificatePath, ...files.otherPaths].includes(answer.target.path))
            .flatMap((answer) => staleCertificate(files, keysInUse, answer))
        : [],
    },
  };
}

/**
 * A link in the CSR dir may lead anywhere, and `--force` replaces what it leads to.
 * @throws KubepkiError conflict
 */
function requireUnused(inventory: Inventory, keysInUse: KeysInUse, targets: readonly FileTarget[]): void {
  requireReplaceable(inventory, targets);
  const inUse = certificatePaths(inventory);
  const target = targets.find((one) => inUse.includes(one.resolvedPath) || keysInUse.isFile(one));
  if (target === undefined) return;
  throw new KubepkiError('conflict', 'leads to a file that is in use, and is never replaced', {
    file: target.path,
    hint: 'remove the symbolic link, or name another directory with --csr-dir',
  });
}

/** The file for the new key: `<name>.key`, or the one beside it where `<name>.key` is, or holds, a key in use. */
function keySlot({ key, newKey }: RequestFiles, keysInUse: KeysInUse): KeySlot {
  if (keysInUse.isFile(key.target)) return newKey;
  const used = key.content.status === 'present' && keysInUse.holds(publicKeyOf(key.content.value));
  return used ? newKey : key;
}

/** A CSR for the key in use, such as `generate-csr` leaves, asks for nothing any more. */
function withoutThoseInUse(request: RequestFiles['request'], keysInUse: KeysInUse): RequestFiles['request'] {
  return request.content.status === 'present' && keysInUse.holds(request.content.value.publicKey)
    ? { ...request, content: { status: 'missing' } }
    : request;
}

function staleCertificate(
  { request }: RequestFiles,
  keysInUse: KeysInUse,
  { target, content }: CertificateFile,
): FileTarget[] {
  if (request.content.status !== 'present' || content.status !== 'present') return [];
  const { publicKey } = request.content.value;
  const [leaf] = content.value;
  return isSameKey(leaf.publicKey, publicKey) && !keysInUse.holds(publicKey) ? [target] : [];
}

/**
 * What the files of a request hold already.
 * @returns `pending`: a request waits, with its key; an error: files that must not be lost; undefined: nothing
 */
function stateOf(
  request: RequestFiles['request'],
  key: Slot<PrivateKey>,
): 'pending' | KubepkiError | undefined {
  const error = (slot: Slot<unknown>, message: string): KubepkiError =>
    new KubepkiError('conflict', message, { file: slot.target.path, hint });
  if (request.content.status === 'missing' && key.content.status === 'missing') return undefined;
  if (request.content.status === 'unreadable') return error(request, request.content.error.message);
  if (key.content.status === 'unreadable') return error(key, key.content.error.message);
  if (key.content.status === 'missing') return error(request, 'is there, but not the key it was made with');
  if (request.content.status === 'missing')
    return error(key, 'is there, but no request that was made with it');
  return isSameKey(request.content.value.publicKey, publicKeyOf(key.content.value))
    ? 'pending'
    : error(request, `was not made with the key ${key.target.path}`);
}

/**
 * A request that waits is kept only where it asks for the SANs of the command line.
 * @throws KubepkiError conflict, without a file
 */
function requireSameSans(waiting: CertificationRequest, wanted: Extension | undefined): void {
  const found = parseSubjectAltName(findExtension(waiting.extensions, 'subjectAltName'));
  const names = parseSubjectAltName(wanted);
  const [missing, extra] = [without(names, found), without(found, names)];
  const differences = [
    ...(missing.length === 0 ? [] : [`not for ${missing.join(', ')}`]),
    ...(extra.length === 0 ? [] : [`also for ${extra.join(', ')}`]),
  ];
  if (differences.length === 0) return;
  throw new KubepkiError('conflict', `waits already, and asks for other SANs: ${differences.join('; ')}`, {
    hint,
  });
}

function without(names: readonly GeneralName[], others: readonly GeneralName[]): GeneralName[] {
  const keys = new Set(others.map(nameKey));
  return names.filter((name) => !keys.has(nameKey(name)));
}
