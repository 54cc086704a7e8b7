import { kubeletKubeconfig, type CertificateSpec } from '../../catalog/catalog.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { AuthorityEntry, Inventory, KubeconfigState, LeafState } from '../../inventory/inventory.ts';
import type { Issuers } from '../../inventory/issuers.ts';
import type { PrivateKeys } from '../../inventory/private-keys.ts';
import { isCa, type Certificate, type Chain } from '../../pki/certificate/certificate.ts';
import { findExtension } from '../../pki/extension/extension.ts';
import type { Issuer, LocalIssuer } from '../../pki/issue/issuer.ts';
import { assertsKeyUsage } from '../../pki/extension/key-usage.ts';
import { constraintProblem } from '../../pki/path/name-constraints.ts';
import type { KeyAlgorithm } from '../../pki/key/private-key.ts';
import { profileOf, withExtension, type CertificateProfile } from '../../pki/issue/profile.ts';
import { changeSans, changesNames, type SanChange } from '../names/change-sans.ts';
import { isDue, type DueWindow } from '../expiration/expiration-report.ts';
import { holderByCatalog, holderOf, requireHeld } from '../owners/holder.ts';
import { catalogText, identityOf, identityText, isOfCatalog } from '../owners/identity.ts';
import { requireIssuable } from '../issuing/issuable.ts';
import type { CheckId, Finding } from '../examination/finding.ts';
import { chooseKey, type NamedAlgorithm } from '../issuing/key-choice.ts';
import { remedyFor } from '../examination/authority-remedy.ts';
import { missingAuthority } from '../examination/external-authority.ts';
import { isNameless } from '../../pki/extension/subject-alt-name.ts';
import { requireReplaceable } from '../change/replaceable.ts';
import { type Place, placeOf } from '../places/place.ts';
import { faultsOf, restOf, type Resting, type RestSettings } from './resting.ts';
import { validityOf, type Validity } from '../issuing/validity.ts';
import { findAuthority, placeIn, present } from '../../inventory/look-ups.ts';

/** A certificate that will be renewed: all that is decided about the next one before there is a key. */
export interface Renewable {
  readonly spec: CertificateSpec;
  readonly place: Place;
  /** What is in use now, the leaf first. */
  readonly chain: Chain;
  readonly issuer: LocalIssuer;
  /** The file with the issuer's certificate, for messages. */
  readonly caFile: string;
  /** The next step where the issuer ends too soon. */
  readonly caRemedy: string;
  readonly keyAlgorithm: KeyAlgorithm;
  /** What the next certificate says of its holder: the same as the old one, but for its SANs. */
  readonly profile: CertificateProfile;
  /** undefined: the command line asks for no other SANs. */
  readonly sans: SanChange | undefined;
  /** It is a server's certificate, and will have no name among its SANs. */
  readonly nameless: boolean;
  readonly validity: Validity;
  readonly warnings: readonly string[];
  /** The faults that a renewal carries over into the next certificate. */
  readonly kept: readonly Finding[];
}

/** External CAs and missing files are outcomes. `refused` is an error, for which nothing of the set is renewed. */
export type PlannedRenewal =
  | { readonly status: 'renewable'; readonly spec: CertificateSpec; readonly renewable: Renewable }
  | { readonly status: 'missing'; readonly spec: CertificateSpec }
  | Resting
  | { readonly status: 'ca-ends-first'; readonly spec: CertificateSpec; readonly end: AuthorityEnd }
  | { readonly status: 'external-ca'; readonly spec: CertificateSpec; readonly caBaseName: string }
  | { readonly status: 'refused'; readonly spec: CertificateSpec; readonly error: KubepkiError };

/** A certificate that a renewal could not make last longer, as no certificate outlives its CA. */
interface AuthorityEnd {
  readonly leafNotAfter: Date;
  readonly caNotAfter: Date;
  readonly caFile: string;
  readonly caRemedy: string;
}

interface RenewalSettings extends RestSettings {
  readonly now: Date;
  readonly validityMs: number;
  /** undefined: each certificate keeps its own. */
  readonly encryptionAlgorithm: NamedAlgorithm | undefined;
  readonly issuers: Issuers;
  readonly keys: PrivateKeys;
  readonly command: CommandLine;
}

/** A renewal is lossless: the next certificate has the same usages and extensions. Names can be added: see `nameless`. */
const carriedOver: ReadonlySet<CheckId> = new Set(['usages', 'extensions']);

/** Decides for each certificate whether and how it is renewed. */
export function planRenewals(
  inventory: Inventory,
  specs: readonly CertificateSpec[],
  settings: RenewalSettings,
): PlannedRenewal[] {
  return specs.map((spec) => {
    try {
      return planRenewal(inventory, spec, settings);
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      return { status: 'refused', spec, error };
    }
  });
}

function planRenewal(inventory: Inventory, spec: CertificateSpec, settings: RenewalSettings): PlannedRenewal {
  const entry = inventory.certificates.find((candidate) => candidate.spec === spec);
  const authority = findAuthority(inventory, spec.caName);
  // As for kubeadm, missing comes before external. With an external etcd its certificates are missing.
  if (entry === undefined || authority === undefined || entry.state.status === 'missing') {
    return { status: 'missing', spec };
  }
  // This comes before all that might refuse: a certificate that is not due stops nothing.
  const resting = restOf(entry, settings);
  if (resting !== undefined) return resting;
  const issuer = requireIssuer(authority, settings.issuers);
  const { chain } = present<LeafState | KubeconfigState>(entry.state);
  if (issuer.kind === 'external') {
    return { status: 'external-ca', spec, caBaseName: authority.spec.baseName };
  }
  const [leaf] = chain;
  const caFile = authority.certificatePath;
  const caRemedy = remedyFor(authority, issuer.certificate, settings.command);
  const place = placeOf(placeIn(entry, settings.keys), { caFile, bundle: issuer.bundle });
  const { file } = place;
  // RFC 5280, 4.2.1.3: what the old one asserts (keyCertSign) must not stand in a certificate that is no CA.
  if (isCa(leaf))
    throw new KubepkiError('bad-certificate', 'is a CA certificate, not a leaf', {
      file: file.path,
      hint: 'put the leaf first in its file, or another certificate in place',
    });
  if (assertsKeyUsage(leaf, 'keyCertSign') === true) {
    throw new KubepkiError('bad-certificate', 'asserts keyCertSign without being a CA', { file: file.path });
  }
  // The key's file comes first, so that an error names it rather than the certificate's.
  const targets = [...new Set([place.key ?? file, ...place.targets])];
  requireReplaceable(inventory, targets);
  if (spec === kubeletKubeconfig) requireKubelets(leaf, file.path, settings.command);
  const held = requireHeld(inventory, spec, settings.keys);
  const holder = holderOf(held, settings.command);
  const { verifies } = holder;
  if (!verifies) refuseUnaskedKubeconfig(inventory, place, authority);
  const { subject, warnings: ofHolder } = verifies ? holder : holderByCatalog(held, settings);
  const key = chooseKey(leaf, settings.encryptionAlgorithm, file.path);
  const sans = settings.sans && changeSans(spec, leaf, file.path, settings.sans);
  const validity = validityOf(issuer, settings.now, settings.validityMs);
  // A timer would renew it every day from now on, and restart what uses it, without any gain.
  const gainless =
    validity.capped &&
    validity.notAfter <= leaf.notAfter &&
    faultsOf(spec.name, settings.findings).length === 0;
  if (settings.due !== undefined && gainless && verifies && !(sans && changesNames(sans))) {
    const end = { leafNotAfter: leaf.notAfter, caNotAfter: validity.notAfter, caFile, caRemedy };
    return { status: 'ca-ends-first', spec, end };
  }
  const old = { ...profileOf(leaf), subject };
  const profile = sans?.edit === undefined ? old : withExtension(old, sans.edit.extension);
  if (sans?.edit !== undefined) requireMaySign(issuer, profile, caFile);
  const asked = { name: spec.name, profile, validity, file: file.path, at: validity.notBefore };
  requireIssuable(issuer, asked, settings.command);
  place.requireRewritable();
  const warnings = [
    ...(key.warning === undefined ? [] : [`${file.path}: ${key.warning}`]),
    ...ofHolder,
    ...targets
      .filter(({ before }) => (before?.links ?? 1) > 1)
      .map(({ path }) => `${path}: has other names (hard links), which keep the old content`),
  ];
  return {
    status: 'renewable',
    spec,
    renewable: {
      spec,
      place,
      chain,
      issuer,
      caFile,
      caRemedy,
      keyAlgorithm: key.algorithm,
      profile,
      sans,
      nameless: isNameless(spec, findExtension(profile.extensions, 'subjectAltName')),
      validity,
      warnings,
      kept: faultsOf(spec.name, settings.findings).filter(({ check }) => carriedOver.has(check)),
    },
  };
}

/**
 * Anything may lie where the kubelet rotates its certificate, and kubelet.conf may name anything: what is made there is a node's.
 * @throws KubepkiError conflict
 */
function requireKubelets(leaf: Certificate, file: string, command: CommandLine): void {
  const identity = identityOf(leaf);
  if (isOfCatalog(kubeletKubeconfig, identity)) return;
  throw new KubepkiError('conflict', `is made out to ${identityText(identity)}, and so is no kubelet's`, {
    file,
    hint: `a kubelet's is made out to ${catalogText(kubeletKubeconfig)}: put it there again; or move kubelet.conf and this file away, then: ${command('generate kubelet.conf')}`,
  });
}

/** Whether a certificate that was due is due again once the plan is carried out, because its CA ends soon. */
export function staysDue(plan: readonly PlannedRenewal[], due: DueWindow | undefined): boolean {
  if (due === undefined) return false;
  return plan.some((planned) => {
    if (planned.status !== 'renewable') return planned.status === 'ca-ends-first';
    const { capped, notAfter } = planned.renewable.validity;
    return capped && isDue(notAfter, due);
  });
}

/**
 * The CA's name constraints (RFC 5280, 4.2.1.10) may exclude a new name: with that name the whole certificate would be useless.
 * @throws KubepkiError bad-issuer
 */
function requireMaySign({ certificate }: LocalIssuer, profile: CertificateProfile, caFile: string): void {
  const problem = constraintProblem(certificate, profile);
  if (problem === undefined) return;
  throw new KubepkiError('bad-issuer', `the CA ${problem.replace(/^which /, '')}`, { file: caFile });
}

function requireIssuer(authority: AuthorityEntry, issuers: Issuers): Issuer {
  const issuer = issuers.get(authority.spec.name);
  switch (issuer?.status) {
    case 'present':
      return issuer.value;
    case 'unreadable':
      throw issuer.error;
    case 'missing':
    case undefined:
      throw missingAuthority(authority);
  }
}

/**
 * The renewal of a restored or copied PKI directory must not re-sign the kubeconfigs of the live node on which it lies, whose
 * directory the command line does not name. (Where that is named, or beside the PKI, the kubeconfig is renewed, as kubeadm does
 * after a CA change.)
 */
function refuseUnaskedKubeconfig(inventory: Inventory, { trusting }: Place, authority: AuthorityEntry): void {
  if (trusting === undefined || inventory.layout.kubeconfigDirOrigin !== 'default') return;
  throw new KubepkiError('foreign-issuer', `was signed by another CA than ${authority.certificatePath}`, {
    file: trusting.file,
    hint: `if it is to be signed by this CA, name its directory: --kubeconfig-dir ${inventory.layout.root.display(inventory.layout.kubeconfigDir)}`,
  });
}
