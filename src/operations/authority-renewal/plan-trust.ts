import { certificateAuthorities, type CaSpec } from '../../catalog/catalog.ts';
import type { CertificateRecord, ChangeSet } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { AuthorityCopy } from '../../inventory/authority-copies.ts';
import type { Certificate, Chain } from '../../pki/certificate/certificate.ts';
import { attributesOf } from '../../pki/der/name.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { isIssuedBy, lastingLongest } from '../../pki/issue/issuer.ts';
import { isReissueOf } from '../../pki/issue/reissue.ts';
import { signerProblem } from '../../pki/path/path.ts';
import { factsOf } from '../change/certificate-facts.ts';
import { replaceAuthorities, replacedIn, type ChangedCopy, type Replacement } from './replace-authority.ts';

/** A CA of this node, and the certificate of it that is to be trusted from now on. */
export interface TrustedAuthority {
  readonly spec: CaSpec;
  /** The certificate that ends first of those that it replaces; undefined: every copy has it already. */
  readonly old: Certificate | undefined;
  readonly next: Certificate;
}

export interface TrustPlan {
  readonly errors: readonly KubepkiError[];
  readonly trusted: readonly TrustedAuthority[];
  readonly replacements: readonly Replacement[];
  readonly changed: readonly ChangedCopy[];
  readonly changes: ChangeSet;
  readonly records: readonly CertificateRecord[];
}

interface TrustSettings {
  /** Host path of the file with `given`, for messages. */
  readonly file: string;
  readonly now: Date;
}

/**
 * Each certificate of the file takes the place of what the node has of the same CA: name, key and subject key identifier. So no CA is
 * trusted afterwards that was not before, whoever has made the file, and nothing goes back to a certificate that ends earlier.
 */
export function planTrust(
  given: Chain,
  copies: readonly AuthorityCopy[],
  settings: TrustSettings,
): TrustPlan {
  const { now } = settings;
  const authorities = authoritiesIn(given, now);
  const errors = authorities.flatMap((next) => problemsOf(next, copies, settings));
  const replacements: Replacement[] =
    errors.length > 0 ? [] : authorities.map((next) => ({ old: undefined, next }));
  const changed = replaceAuthorities(copies, replacements, now);
  const trusted = errors.length > 0 ? [] : told(authorities.map((next) => trustedOf(next, copies, now)));
  return {
    errors,
    trusted,
    replacements,
    changed,
    changes: changed.map(({ change }) => change),
    records: trusted.flatMap(({ spec, old, next }) =>
      old === undefined ? [] : [{ name: spec.name, old: factsOf(old), new: factsOf(next) }],
    ),
  };
}

/** The file of a CA may hold an earlier certificate of it too. */
function authoritiesIn(given: Chain, now: Date): Certificate[] {
  const latest = given.map(
    (one) =>
      lastingLongest(
        given.filter((other) => isReissueOf(one, other)),
        now,
      ) ?? one,
  );
  return [...new Set(latest)];
}

function problemsOf(
  next: Certificate,
  copies: readonly AuthorityCopy[],
  { file, now }: TrustSettings,
): KubepkiError[] {
  const refused = (message: string, hint?: string): KubepkiError[] => [
    new KubepkiError('bad-issuer', `holds ${nameOf(next)}, ${message}`, { file, hint }),
  ];
  const held = copies.flatMap(({ certificates }) => certificates.filter((one) => isReissueOf(one, next)));
  if (held.length === 0) {
    return refused(
      'and this node has no CA of that name, key and subject key identifier',
      'this only takes renewed certificates of CAs that the node trusts already: a new CA comes with a rotation (kubepki ca rotate)',
    );
  }
  // What every copy has already is not taken, and may be as it is: others in the same file are renewed beside it.
  const goes = copies.flatMap((copy) => replacedIn(copy, { old: undefined, next }, now) ?? []);
  if (goes.length === 0) return [];
  const problem = signerProblem(next, now);
  if (problem !== undefined) return refused(problem);
  if (isOwnIssuer(next) && !isIssuedBy(next, next)) {
    return refused('which claims to have signed itself and has not');
  }
  // Nothing here tells whether that is true: all that it takes to make one is the CA's name and public key.
  if (!isOwnIssuer(next) && goes.some(isOwnIssuer)) {
    return refused('which another CA has signed, and the one in its place has signed itself');
  }
  const later = copies.find((copy) => {
    const replaced = replacedIn(copy, { old: undefined, next }, now);
    return replaced !== undefined && replaced.notAfter >= next.notAfter;
  });
  if (later === undefined) return [];
  const inUse = replacedIn(later, { old: undefined, next }, now);
  return refused(
    `which ends on ${isoSeconds(next.notAfter)}, no later than the one in ${later.target.path} (${isoSeconds(inUse?.notAfter ?? next.notAfter)})`,
    'take the file from the node on which the CA was renewed last',
  );
}

function isOwnIssuer({ subject, issuer }: Certificate): boolean {
  return subject.equals(issuer);
}

function trustedOf(next: Certificate, copies: readonly AuthorityCopy[], now: Date): TrustedAuthority {
  const replaced = copies.flatMap((copy) => replacedIn(copy, { old: undefined, next }, now) ?? []);
  const [old] = [...replaced].sort((a, b) => a.notAfter.getTime() - b.notAfter.getTime());
  return {
    spec: specOf(next, copies),
    old,
    next,
  };
}

/** Of one CA of the catalog the certificates that are taken, else the one that ends last: its file may hold others, of earlier days. */
function told(all: readonly TrustedAuthority[]): TrustedAuthority[] {
  return all.filter(
    ({ spec, old, next }) =>
      old !== undefined ||
      all.every(
        (other) => other.spec !== spec || (other.old === undefined && other.next.notAfter <= next.notAfter),
      ),
  );
}

/** A kubeconfig is of the cluster's CA. */
function specOf(next: Certificate, copies: readonly AuthorityCopy[]): CaSpec {
  const holding = copies.filter(({ certificates }) => certificates.some((one) => isReissueOf(one, next)));
  const file = holding.find(({ kind }) => kind === 'file');
  const spec = certificateAuthorities.find(({ name }) => name === (file?.name ?? 'ca'));
  if (spec === undefined) throw new TypeError('a CA that is not in the catalog');
  return spec;
}

function nameOf({ subject, x509 }: Certificate): string {
  return `"${attributesOf(subject).join(', ')}" (serial number ${x509.serialNumber})`;
}
