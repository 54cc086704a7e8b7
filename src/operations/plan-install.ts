import type { CertificateSpec } from '../catalog/catalog.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import type { CommandLine } from '../errors/command-line.ts';
import { KubepkiError } from '../errors/error.ts';
import type { CertificateFile } from '../inventory/certificate-files.ts';
import { findAuthority, type Inventory } from '../inventory/inventory.ts';
import type { PendingFiles } from '../inventory/pending-files.ts';
import type { Place } from '../inventory/places.ts';
import { isCa, type Certificate, type Chain } from '../pki/certificate.ts';
import { assertsKeyUsage } from '../pki/key-usage.ts';
import { attributesOf } from '../pki/name.ts';
import { validatePath } from '../pki/path.ts';
import { publicKeyOf } from '../pki/private-key.ts';
import { faultsOf, type Fault } from './check-signed.ts';
import type { KeysInUse } from './keys-in-use.ts';
import { missingAuthority } from './missing-authority.ts';
import { pendingIn, type Pending } from './pending.ts';
import { requireReplaceable } from './replaceable.ts';

/** A signed certificate that has been checked and can take its place. */
export interface Installable {
  readonly spec: CertificateSpec;
  readonly pending: Pending;
  readonly place: Place;
  /** The leaf, then the intermediates over which it leads to its CA. */
  readonly chain: Chain;
  /** The certificates of the CA file, for a kubeconfig that lacks them. */
  readonly authorities: Chain;
  /** The file it came in. */
  readonly source: FileTarget;
  readonly warnings: readonly string[];
}

export type PlannedInstall =
  | { readonly status: 'installable'; readonly spec: CertificateSpec; readonly installable: Installable }
  /** Not signed yet. */
  | { readonly status: 'pending'; readonly spec: CertificateSpec; readonly certificatePath: string }
  /** Nothing was asked for. */
  | { readonly status: 'idle'; readonly spec: CertificateSpec }
  | { readonly status: 'refused'; readonly spec: CertificateSpec; readonly errors: readonly KubepkiError[] };

export interface InstallSettings {
  readonly now: Date;
  readonly allowChanges: boolean;
  readonly keysInUse: KeysInUse;
  readonly command: CommandLine;
  /** All that waits, of every certificate, whichever are to be installed. */
  readonly waiting: readonly PendingFiles[];
  readonly files: readonly CertificateFile[];
  /** Host path of the one among the files that may hold any certificate. */
  readonly bundle: string | undefined;
  readonly placeOf: (spec: CertificateSpec) => Place;
}

/** Pairs signed certificates with what was asked for, always by the public key, and checks each. */
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
  const matches = pendings.flatMap((pending) => {
    const found = signedFor(pending, settings.files);
    return found === undefined ? [] : [{ pending, ...found }];
  });
  const [match, another] = matches;
  if (another !== undefined) {
    throw new KubepkiError('conflict', `two requests for ${spec.name} have been signed`, {
      file: another.source.path,
      hint: 'move the one away that is not wanted, with its CSR and key',
    });
  }
  if (match === undefined) {
    requireReadable(first, settings.files);
    return { status: 'pending', spec, certificatePath: first.certificatePath };
  }
  return check(inventory, match, settings);
}

interface SignedCertificate {
  readonly leaf: Certificate;
  /** What came with it in the same file. */
  readonly others: readonly Certificate[];
}

interface Match {
  readonly pending: Pending;
  readonly signed: SignedCertificate;
  readonly source: FileTarget;
}

/** Of several certificates for one key, the one that ends last. */
function signedFor(
  pending: Pending,
  files: readonly CertificateFile[],
): Pick<Match, 'signed' | 'source'> | undefined {
  const publicKey = publicKeyOf(pending.key);
  const found = files.flatMap(({ target, content }) => {
    if (content.status !== 'present') return [];
    const leaf = content.value.find((certificate) => certificate.publicKey.equals(publicKey));
    if (leaf === undefined) return [];
    const others = content.value.filter((certificate) => certificate !== leaf);
    return [{ signed: { leaf, others }, source: target }];
  });
  return found.sort((a, b) => b.signed.leaf.notAfter.getTime() - a.signed.leaf.notAfter.getTime())[0];
}

/** A file in the expected place that cannot be read is no certificate that is still to come. */
function requireReadable({ certificatePath }: Pending, files: readonly CertificateFile[]): void {
  for (const { target, content } of files) {
    if (content.status === 'unreadable' && certificatePath === target.path) throw content.error;
  }
}

function check(
  inventory: Inventory,
  { pending, signed, source }: Match,
  { now, allowChanges, bundle, placeOf }: InstallSettings,
): PlannedInstall {
  const { spec } = pending;
  const authority = findAuthority(inventory, spec.caName);
  if (authority === undefined) return { status: 'idle', spec };
  if (authority.bundle.status === 'unreadable') throw authority.bundle.error;
  if (authority.bundle.status === 'missing') throw missingAuthority(authority);
  const authorities = authority.bundle.value;
  const path = validatePath(signed.leaf, signed.others, authorities, now);
  const faults = faultsOf(signed.leaf, pending.asked, {
    spec,
    path,
    caFile: authority.certificatePath,
    now,
  });
  const allowed = (fault: Fault): boolean => allowChanges && fault.kind === 'names';
  const refused = faults.filter((fault) => !allowed(fault));
  if (refused.length > 0) {
    return {
      status: 'refused',
      spec,
      errors: refused.map(
        ({ message, hint }) =>
          new KubepkiError('bad-certificate', `the certificate for ${spec.name} ${message}`, {
            file: source.path,
            hint,
          }),
      ),
    };
  }
  const place = placeOf(spec);
  requireReplaceable(inventory, placeTargets(place));
  return {
    status: 'installable',
    spec,
    installable: {
      spec,
      pending,
      place,
      chain: [signed.leaf, ...(path.status === 'trusted' ? path.intermediates : [])],
      authorities,
      source,
      warnings: [
        ...faults.filter(allowed).map(({ message }) => `${source.path}: ${message}`),
        // RFC 8446, 4.4.2.2. Go does not look at it.
        ...(assertsKeyUsage(signed.leaf, 'digitalSignature') === false
          ? [`${source.path}: keyUsage lacks digitalSignature, without which some TLS clients refuse it`]
          : []),
        ...(isExpected(source, pending) || source.path === bundle
          ? []
          : [`${source.path}: holds the certificate for ${spec.name}, by its key`]),
      ],
    },
  };
}

/** `apiserver.crt` will do where `apiserver.crt.new` is expected: the names tell whose it is. */
function isExpected({ path }: FileTarget, { certificatePath }: Pending): boolean {
  return path === certificatePath || `${path}.new` === certificatePath;
}

export function placeTargets(place: Place): FileTarget[] {
  const { certificate, key } = place;
  const targets = place.kind === 'leaf' ? [certificate, key] : [certificate, key, place.file];
  return targets.filter((target) => target !== undefined);
}

/**
 * Certificates that were put there for us and that nothing was asked for. One that belongs to a key in use, or to a CA on
 * disk, is none: those lie in the cert dir anyway.
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
    [...keys, ...authorities.map((authority) => authority.publicKey)].some((key) => key.equals(publicKey));
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
