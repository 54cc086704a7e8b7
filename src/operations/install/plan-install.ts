import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { CertificateFile } from '../../inventory/certificate-files.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { Places } from '../../inventory/places.ts';
import type { Certificate, Chain } from '../../pki/certificate/certificate.ts';
import { assertsKeyUsage } from '../../pki/extension/key-usage.ts';
import { publicKeyOf } from '../../pki/key/private-key.ts';
import { validatePath } from '../../pki/path/path.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { faultsOf, type Fault } from './check-signed.ts';
import { heldIn, holderOf } from '../owners/holder.ts';
import { catalogText, identityOf, identityText, isOfCatalog } from '../owners/identity.ts';
import { requireOwnKey } from '../owners/key-owner.ts';
import {
  isBest,
  isPlace,
  matchesFor,
  type Match,
  pendingIn,
  type Pending,
  type InstallSettings,
} from './pending.ts';
import { missingAuthority } from '../examination/external-authority.ts';
import { requireReplaceable } from '../change/replaceable.ts';
import { type Place, type PlaceAuthority, placeOf } from '../places/place.ts';
import { certificateInUse } from '../change/facts-in-use.ts';
import { findAuthority, present } from '../../inventory/look-ups.ts';

/** A signed certificate that has been checked and can take its place. */
export interface Installable {
  readonly spec: CertificateSpec;
  readonly pending: Pending;
  readonly place: Place;
  /** The leaf, then the intermediates over which it leads to its CA. */
  readonly chain: Chain;
  /** The file it came in. */
  readonly source: FileTarget;
  /** The certificate has been put in its place by hand. */
  readonly inPlace: boolean;
  readonly warnings: readonly string[];
}

export type PlannedInstall =
  | { readonly status: 'installable'; readonly spec: CertificateSpec; readonly installable: Installable }
  | { readonly status: 'pending'; readonly spec: CertificateSpec; readonly certificatePath: string }
  /** No request waits. */
  | { readonly status: 'idle'; readonly spec: CertificateSpec }
  | { readonly status: 'refused'; readonly spec: CertificateSpec; readonly errors: readonly KubepkiError[] };

/** Pairs signed certificates with the requests that wait, always by the public key, and checks each. */
export function planInstall(
  inventory: Inventory,
  specs: readonly CertificateSpec[],
  settings: InstallSettings,
): PlannedInstall[] {
  return specs.map((spec) => {
    try {
      return planOne(inventory, spec, settings);
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      return { status: 'refused', spec, errors: [error] };
    }
  });
}

function planOne(inventory: Inventory, spec: CertificateSpec, settings: InstallSettings): PlannedInstall {
  const pendings = settings.waiting
    .filter((files) => files.spec === spec)
    .flatMap((files) => pendingIn(files, inventory, settings) ?? []);
  const [first] = pendings;
  if (first === undefined) return { status: 'idle', spec };
  const matches = pendings.flatMap((pending) => matchesFor(pending, inventory, settings));
  const fresh = matches.filter(({ inUse }) => !inUse);
  const [match, another] = fresh.filter(isBest);
  if (another !== undefined) {
    throw new KubepkiError('conflict', `two requests for ${spec.name} have been signed`, {
      file: another.source.path,
      hint: 'move the one away that is not wanted, with its CSR and key',
    });
  }
  if (match !== undefined) return check(inventory, match, settings, notTaken(match, fresh));
  const inPlace = matches.find(({ source }) => isPlace(source, inventory, spec));
  // The answer to a CSR does not come expired: an expired certificate is the one that the CSR is to replace.
  if (inPlace !== undefined && inPlace.leaf.notAfter.getTime() >= settings.now.getTime()) {
    return check(inventory, inPlace, settings);
  }
  const unsigned =
    pendings.find((pending) => !matches.some((one) => one.pending === pending)) ?? inPlace?.pending;
  if (unsigned?.asked === undefined) return { status: 'idle', spec };
  requireReadable(unsigned, settings.files);
  return { status: 'pending', spec, certificatePath: unsigned.certificatePath };
}

/** Where the file in the expected place cannot be read, the certificate is not one that is still to come. */
function requireReadable({ certificatePath, otherPaths }: Pending, files: readonly CertificateFile[]): void {
  const paths = [certificatePath, ...otherPaths];
  for (const { target, content } of files) {
    if (content.status === 'unreadable' && paths.includes(target.path)) throw content.error;
  }
}

/** The files with another certificate for the same key: an earlier answer, or one in another format. */
function notTaken({ pending, leaf, source }: Match, fresh: readonly Match[]): readonly string[] {
  return fresh
    .filter((one) => one.pending === pending && one.source.resolvedPath !== source.resolvedPath)
    .filter((one) => !one.leaf.der.equals(leaf.der))
    .map((one) => one.source.path);
}

function check(
  inventory: Inventory,
  { pending, leaf, others, source, inUse }: Match,
  settings: InstallSettings,
  passedOver: readonly string[] = [],
): PlannedInstall {
  const { now, allowChanges, command } = settings;
  const { spec, asked } = pending;
  if (asked === undefined) {
    throw new KubepkiError(
      'conflict',
      `is signed, but the CSR for ${spec.name} is gone, and no certificate in use says what was asked for`,
      {
        file: source.path,
        hint: `bring the CSR back beside its key, or ask again: ${command(`renew ${spec.name} --csr-only --force`)}`,
      },
    );
  }
  const authority = findAuthority(inventory, spec.caName);
  if (authority === undefined) return { status: 'idle', spec };
  if (authority.bundle.status === 'unreadable') throw authority.bundle.error;
  if (authority.bundle.status === 'missing') throw missingAuthority(authority);
  const bundle = authority.bundle.value;
  const caFile = authority.certificatePath;
  const path = validatePath(leaf, others, bundle, now);
  const replaces = certificateInUse(inventory, spec);
  const faults = faultsOf(asked, { spec, chain: [leaf, ...others], path, caFile, replaces, now })
    // A certificate that is in its place already was put there by hand, and replaces nothing any more.
    .filter(({ kind }) => kind !== 'end' || !inUse);
  const allowed = (fault: Fault): boolean => allowChanges && fault.kind === 'names';
  const refused = faults.filter((fault) => !allowed(fault));
  if (refused.length > 0) {
    const errors = refused.map(({ message, hint }) => {
      const details = { file: source.path, hint };
      return new KubepkiError('bad-certificate', `the certificate for ${spec.name} ${message}`, details);
    });
    return { status: 'refused', spec, errors };
  }
  const place = installPlace(spec, settings.places, { caFile, bundle });
  requireReplaceable(inventory, place.targets);
  requireOwnKey(spec, pending, place.targets, settings);
  requireHolder(inventory, pending, place, leaf, settings);
  place.requireRewritable();
  const identity = identityOf(leaf);
  return {
    status: 'installable',
    spec,
    installable: {
      spec,
      pending,
      place,
      chain: withCross(leaf, path.status === 'trusted' ? path.intermediates : [], settings.crosses),
      source,
      inPlace: inUse,
      warnings: [
        ...[
          ...(inUse ? [] : earlierEnd(leaf, replaces)),
          ...faults.filter(allowed).map(({ message }) => message),
          ...(isOfCatalog(spec, identity)
            ? []
            : [`is made out to ${identityText(identity)}, where kubeadm has ${catalogText(spec)}`]),
          // RFC 8446, 4.4.2.2. Go does not look at it.
          ...(assertsKeyUsage(leaf, 'digitalSignature') === false
            ? ['has a keyUsage without digitalSignature, which some TLS clients refuse']
            : []),
          ...passedOver.map((path) => `is taken, and not the one in ${path}, which ends no later`),
        ].map((text) => `${source.path}: the certificate for ${spec.name} ${text}`),
        ...(isExpected(source, pending) || source.resolvedPath === settings.bundle
          ? []
          : [`${source.path}: holds the certificate for ${spec.name}, by its key`]),
      ],
    },
  };
}

/**
 * A certificate that goes into another user's file takes the place of one that this user holds, and is made out to the same name.
 * @throws KubepkiError no-permission
 */
function requireHolder(
  inventory: Inventory,
  { spec, keyFile }: Pending,
  { targets }: Place,
  leaf: Certificate,
  { keys, command }: InstallSettings,
): void {
  const foreign = targets.find(({ before }) => before?.foreign === true);
  if (foreign === undefined) return;
  const refused = (reason: string): KubepkiError =>
    new KubepkiError('no-permission', `belongs to uid ${String(foreign.before?.uid)}, ${reason}`, {
      file: foreign.path,
      hint: 'move it away, and put a file of your own in its place',
    });
  const identity = identityOf(leaf);
  if (!isOfCatalog(spec, identity)) {
    throw refused(
      `and the new certificate is made out to ${identityText(identity)}, not to ${catalogText(spec)}`,
    );
  }
  // The owner of the file knows the key already.
  const keyStays = targets.some(({ resolvedPath }) => resolvedPath === keyFile.resolvedPath);
  if (keyStays || keyFile.before?.uid === foreign.before?.uid) return;
  const held = heldIn(inventory, spec, keys);
  if (held === undefined) throw refused(`who has no certificate ${spec.name} that another could replace`);
  holderOf(held, command);
}

/** @throws KubepkiError when the place cannot be looked at, or there is no kubeconfig to put it into */
export function installPlace(spec: CertificateSpec, places: Places, authority: PlaceAuthority): Place {
  return placeOf(present(places.get(spec.name)), authority);
}

/** The certificate in use may have been renewed since the request was made. */
function earlierEnd({ notAfter }: Certificate, old: Certificate | undefined): string[] {
  return old === undefined || notAfter.getTime() >= old.notAfter.getTime()
    ? []
    : [`ends on ${isoSeconds(notAfter)}, before the one in use (${isoSeconds(old.notAfter)})`];
}

/** By its name a file is known to be the expected one: `apiserver.crt.new`, `apiserver.crt` or `apiserver.pem`. */
function isExpected({ path }: FileTarget, { certificatePath, otherPaths }: Pending): boolean {
  return path === certificatePath || `${path}.new` === certificatePath || otherPaths.includes(path);
}

/** The files, without symlinks, that hold a certificate for a request that goes on waiting: a bundle may hold several. */
export function stillNeeded(
  plan: readonly PlannedInstall[],
  { waiting, files, keysInUse }: InstallSettings,
): ReadonlySet<string> {
  const installed = new Set(plan.flatMap(({ status, spec }) => (status === 'installable' ? [spec] : [])));
  const keys = waiting
    .filter(({ spec }) => !installed.has(spec))
    .flatMap(({ keys: slots }) => slots)
    .flatMap(({ content }) => (content.status === 'present' ? [publicKeyOf(content.value)] : []))
    .filter((key) => !keysInUse.isLive(key));
  return new Set(
    files.flatMap(({ target, content }) =>
      content.status === 'present' &&
      content.value.some(({ publicKey }) => keys.some((key) => isSameKey(key, publicKey)))
        ? [target.resolvedPath]
        : [],
    ),
  );
}

function withCross(
  leaf: Certificate,
  behind: readonly Certificate[],
  crosses: readonly Certificate[],
): Chain {
  const own = crosses.filter(
    (cross) => isIssuedBy(leaf, cross) && !behind.some(({ der }) => der.equals(cross.der)),
  );
  return [leaf, ...behind, ...own];
}
