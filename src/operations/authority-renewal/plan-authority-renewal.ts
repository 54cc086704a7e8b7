import type { CaName, CaSpec } from '../../catalog/catalog.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { AuthorityCopy } from '../../inventory/authority-copies.ts';
import type { AuthorityEntry, Inventory } from '../../inventory/inventory.ts';
import { findAuthority } from '../../inventory/look-ups.ts';
import type { Reading } from '../../inventory/reading.ts';
import {
  hasNegativeSerial,
  serialOf,
  type Certificate,
  type Chain,
} from '../../pki/certificate/certificate.ts';
import { attributesOf } from '../../pki/der/name.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { namesBySerial } from '../../pki/extension/authority-key-identifier.ts';
import { reissueAuthority } from '../../pki/issue/issue.ts';
import { isIssuedBy, lastingLongest } from '../../pki/issue/issuer.ts';
import { reissueObstacle, type ReissueObstacle } from '../../pki/issue/reissue.ts';
import { algorithmOf, describeAlgorithm, publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { unhandledExtension } from '../../pki/path/path.ts';
import { missingAuthority } from '../examination/external-authority.ts';
import { authorityRemedy } from '../examination/authority-remedy.ts';
import { authorityValidity } from '../issuing/validity.ts';
import { replaceAuthorities } from './replace-authority.ts';

/** A CA that will have another certificate for the key it has: all that is decided before there is a serial number. */
export interface RenewableAuthority {
  readonly spec: CaSpec;
  readonly file: FileTarget;
  /** The certificate in use, which is replaced. */
  readonly old: Certificate;
  readonly privateKey: PrivateKey;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly serial: SerialChoice;
  readonly warnings: readonly string[];
}

/** `kept`: certificates name the CA's by its serial number, and OpenSSL would refuse them under another. */
export type SerialChoice =
  { readonly kind: 'new' } | { readonly kind: 'kept'; readonly namedBy: readonly string[] };

export type PlannedAuthority =
  | { readonly status: 'renewable'; readonly spec: CaSpec; readonly renewable: RenewableAuthority }
  /** Not among those named: its certificate is not here, its key is not, or it is an external etcd's. */
  | { readonly status: 'missing' | 'external-ca' | 'unmanaged'; readonly spec: CaSpec }
  /** Not among those named, and it lasts as long as a renewed one would. */
  | { readonly status: 'unchanged'; readonly spec: CaSpec; readonly notAfter: Date }
  | { readonly status: 'refused'; readonly spec: CaSpec; readonly error: KubepkiError };

/** A certificate that is known here, and may name its CA's serial number. */
export interface KnownCertificate {
  readonly name: string;
  readonly certificate: Certificate;
}

export interface AuthorityRenewalSettings {
  readonly now: Date;
  readonly validityMs: number;
  /** Each was named on the command line, and what cannot be renewed is an error. */
  readonly named: boolean;
  /** The keys may be known to others. */
  readonly compromised: boolean;
  readonly keys: ReadonlyMap<CaName, Reading<PrivateKey>>;
  /** All files of the node with CA certificates. */
  readonly copies: readonly AuthorityCopy[];
  readonly known: readonly KnownCertificate[];
  readonly command: CommandLine;
}

/** Decides for each CA whether and how it is renewed. */
export function planAuthorityRenewals(
  inventory: Inventory,
  specs: readonly CaSpec[],
  settings: AuthorityRenewalSettings,
): PlannedAuthority[] {
  return specs.map((spec): PlannedAuthority => {
    try {
      return planAuthorityRenewal(findAuthority(inventory, spec.name), spec, settings);
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      return { status: 'refused', spec, error };
    }
  });
}

function planAuthorityRenewal(
  entry: AuthorityEntry | undefined,
  spec: CaSpec,
  settings: AuthorityRenewalSettings,
): PlannedAuthority {
  const { now, named, command, copies } = settings;
  if (entry === undefined) {
    if (!named) return { status: 'unmanaged', spec };
    throw new KubepkiError(
      'not-found',
      `the CA ${spec.name} is not this node's: etcd is not run by kubeadm here`,
      {
        hint: "renew it where etcd's own CA is",
      },
    );
  }
  const { bundle, file, certificatePath, keyPath } = entry;
  if (bundle.status === 'unreadable') throw bundle.error;
  if (bundle.status === 'missing' || file === undefined) {
    if (!named) return { status: 'missing', spec };
    throw missingAuthority(entry);
  }
  if (settings.compromised) throw compromised(entry, command);
  const key = settings.keys.get(spec.name);
  if (key?.status === 'unreadable') throw key.error;
  if (key?.status !== 'present') {
    if (!named) return { status: 'external-ca', spec };
    throw external(entry, bundle.value, settings);
  }
  const old = certificateToRenew(bundle.value, key.value, now);
  if (old === undefined) {
    throw new KubepkiError('bad-issuer', `does not belong to the CA certificate ${certificatePath}`, {
      file: keyPath,
      hint: 'put the key and the certificate of the same CA in place, from a backup or another control-plane node',
    });
  }
  requireReissuable(old, entry, settings);
  const { notBefore, notAfter } = authorityValidity(now, settings.validityMs);
  if (notAfter <= old.notAfter) {
    if (!named) return { status: 'unchanged', spec, notAfter: old.notAfter };
    throw new KubepkiError(
      'bad-issuer',
      `the CA ends on ${isoSeconds(old.notAfter)}, and a renewed one would no later: on ${isoSeconds(notAfter)}`,
      { file: certificatePath, hint: 'make it longer: --validity' },
    );
  }
  const { serial, warnings } = serialOfNext(old, entry, settings);
  const renewable = {
    ...{ spec, file, old, privateKey: key.value, notBefore, notAfter, serial },
    warnings: [...warnings, ...hardLinks(file)],
  };
  // Whatever the change would be refused for is refused now: one is made on trial, and thrown away.
  const next = reissueAuthority(old, key.value, { serialNumber: old.serialNumber, notBefore, notAfter });
  replaceAuthorities(copies, [{ old, next }], now);
  return { status: 'renewable', spec, renewable };
}

/**
 * Of several certificates for this key the one in use: it signs itself, is valid if any of them is, and ends last. The others stay in
 * the file.
 */
function certificateToRenew(bundle: Chain, privateKey: PrivateKey, now: Date): Certificate | undefined {
  const publicKey = publicKeyOf(privateKey);
  const ofKey = bundle.filter((one) => isSameKey(one.publicKey, publicKey));
  return (
    lastingLongest(
      ofKey.filter((one) => reissueObstacle(one) === undefined),
      now,
    ) ?? lastingLongest(ofKey, now)
  );
}

/** @throws KubepkiError bad-issuer, unsupported-key */
function requireReissuable(
  old: Certificate,
  { spec: { name }, certificatePath: file, keyPath }: AuthorityEntry,
  { now, command }: AuthorityRenewalSettings,
): void {
  const obstacle = reissueObstacle(old);
  if (obstacle !== undefined) {
    const hint = authorityRemedy(old, { name, isKeyHere: true, command });
    const weak = obstacle === 'weak-key';
    throw new KubepkiError(weak ? 'unsupported-key' : 'bad-issuer', obstacleText(obstacle, old), {
      file: weak ? keyPath : file,
      hint,
    });
  }
  const unhandled = unhandledExtension(old);
  if (unhandled !== undefined) {
    throw new KubepkiError('bad-issuer', `the CA has ${unhandled}, and a renewed one would have it too`, {
      file,
      hint: `replace it, key and all: ${command('ca rotate')}`,
    });
  }
  // A clock that is wrong makes dates that are wrong.
  if (old.notBefore.getTime() > now.getTime()) {
    throw new KubepkiError('bad-issuer', `the CA is not valid before ${isoSeconds(old.notBefore)}`, {
      file,
      hint: "check this machine's clock: a renewed CA would begin by it",
    });
  }
}

function obstacleText(obstacle: ReissueObstacle, old: Certificate): string {
  switch (obstacle) {
    case 'no-ca':
      return 'is not a CA certificate that may sign (basicConstraints with CA:TRUE, keyUsage with keyCertSign)';
    case 'intermediate':
      return `the CA is an intermediate: ${attributesOf(old.issuer).join(', ')} has signed it, and must sign the next one`;
    case 'weak-key':
      return `a CA key of the kind ${describeAlgorithm(algorithmOf(old.publicKey))} must not last any longer`;
    case 'serial':
      return `the CA has a negative serial number (${serialOf(old)}), which it names itself (authorityKeyIdentifier), so that it cannot have another`;
  }
}

function compromised({ keyPath }: AuthorityEntry, command: CommandLine): KubepkiError {
  return new KubepkiError(
    'bad-issuer',
    'a key that others may know is not renewed: whatever they sign with it would be trusted for as long as the renewed CA is',
    { file: keyPath, hint: `replace the CA, key and all: ${command('ca rotate')}` },
  );
}

function external(
  { spec: { name }, keyPath }: AuthorityEntry,
  bundle: Chain,
  { now, command }: AuthorityRenewalSettings,
): KubepkiError {
  const certificate = lastingLongest(bundle, now) ?? bundle[0];
  return new KubepkiError('not-found', 'no such file: the key of the CA is not here (external CA)', {
    file: keyPath,
    hint: `it is on another control-plane node, or with your own CA: ${authorityRemedy(certificate, { name, isKeyHere: false, command })}`,
  });
}

/**
 * Two certificates of one issuer should not have one serial number (RFC 5280, 4.1.2.2). But where certificates name the CA's
 * certificate by it, no other will do.
 */
function serialOfNext(
  old: Certificate,
  { certificatePath }: AuthorityEntry,
  { known }: AuthorityRenewalSettings,
): { readonly serial: SerialChoice; readonly warnings: readonly string[] } {
  const namedBy = [
    ...(namesBySerial(old, old) ? [certificatePath] : []),
    ...known
      .filter(({ certificate }) => namesBySerial(certificate, old) && isIssuedBy(certificate, old))
      .map(({ name }) => name),
  ];
  const unique = [...new Set(namedBy)];
  if (unique.length === 0) return { serial: { kind: 'new' }, warnings: [] };
  if (!hasNegativeSerial(old)) return { serial: { kind: 'kept', namedBy: unique }, warnings: [] };
  // Kubernetes reads no CA with such a number, so OpenSSL's clients are the lesser loss.
  const text = `${certificatePath}: gets a positive serial number, and these name the negative one: renew them too: ${unique.join(', ')}`;
  return { serial: { kind: 'new' }, warnings: [text] };
}

function hardLinks({ path, before }: FileTarget): string[] {
  return (before?.links ?? 1) > 1
    ? [`${path}: has other names (hard links), which keep the old content`]
    : [];
}
