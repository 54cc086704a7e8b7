import type { CertificateRecord, ChangeSet } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { AuthorityCopy } from '../../inventory/authority-copies.ts';
import { hasNegativeSerial, parseCertificates, type Certificate } from '../../pki/certificate/certificate.ts';
import { reissueAuthority } from '../../pki/issue/issue.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { isReissueOf } from '../../pki/issue/reissue.ts';
import { profileOf, sameProfile } from '../../pki/issue/profile.ts';
import { unfitSigner } from '../../pki/path/path.ts';
import { factsOf } from '../change/certificate-facts.ts';
import type { ReadBack } from '../places/place.ts';
import type { KnownCertificate, RenewableAuthority } from './plan-authority-renewal.ts';
import { replaceAuthorities, verifyReplaced, type ChangedCopy } from './replace-authority.ts';

/** CAs that were renewed and are not on disk yet. */
export interface RenewedAuthorities {
  readonly renewed: readonly RenewedAuthority[];
  readonly changed: readonly ChangedCopy[];
  readonly changes: ChangeSet;
  readonly records: readonly CertificateRecord[];
}

export interface RenewedAuthority {
  readonly renewable: RenewableAuthority;
  readonly next: Certificate;
}

/**
 * Makes the next certificates, and tells which files change. Where two CAs of the catalog are one, in one file or in two, they stay
 * one.
 * @param serialNumber another one for each
 */
export function renewAuthorities(
  renewables: readonly RenewableAuthority[],
  copies: readonly AuthorityCopy[],
  { now, serialNumber }: { readonly now: Date; readonly serialNumber: () => Buffer },
): RenewedAuthorities {
  const renewed: RenewedAuthority[] = [];
  for (const renewable of renewables) {
    const same = renewed.find((one) => one.renewable.old.der.equals(renewable.old.der));
    renewed.push({ renewable, next: same?.next ?? reissue(renewable, serialNumber) });
  }
  const changed = replaceAuthorities(copies, replacementsOf(renewed), now);
  return {
    renewed,
    changed,
    changes: changed.map(({ change }) => change),
    records: renewed.map(({ renewable: { spec, old }, next }) => ({
      name: spec.name,
      old: factsOf(old),
      new: factsOf(next),
    })),
  };
}

/** OpenSSL compares key identifiers and serial numbers too. A negative one is given up, and the plan has said so. */
function isLost({ x509 }: Certificate, old: Certificate, next: Certificate): boolean {
  return !hasNegativeSerial(old) && x509.checkIssued(old.x509) && !x509.checkIssued(next.x509);
}

function reissue(
  { old, privateKey, serial, notBefore, notAfter }: RenewableAuthority,
  serialNumber: () => Buffer,
): Certificate {
  return reissueAuthority(old, privateKey, {
    serialNumber: serial.kind === 'kept' ? old.serialNumber : serialNumber(),
    notBefore,
    notAfter,
  });
}

function replacementsOf(
  renewed: readonly RenewedAuthority[],
): { readonly old: Certificate; readonly next: Certificate }[] {
  return renewed.map(({ renewable: { old }, next }) => ({ old, next }));
}

/**
 * Checks what was read back from disk against what was promised: each CA's file holds its next certificate, which is of the same CA and
 * says the same of it, and all that the old one has signed, as far as it is known here, verifies by it.
 * @throws KubepkiError verification
 */
export function verifyRenewedAuthorities(
  { renewed, changed }: Pick<RenewedAuthorities, 'renewed' | 'changed'>,
  known: readonly KnownCertificate[],
  read: ReadBack,
): void {
  verifyReplaced(changed, replacementsOf(renewed), read);
  for (const { renewable, next } of renewed) {
    const { file, old, notBefore, notAfter } = renewable;
    const found = parseCertificates(read(file)).find(({ der }) => der.equals(next.der));
    const signed = known.filter(({ certificate }) => isIssuedBy(certificate, old));
    const lost = signed.find(
      ({ certificate }) => !isIssuedBy(certificate, next) || isLost(certificate, old, next),
    );
    const failed = [
      [found !== undefined, 'is not there'],
      [isReissueOf(old, next), 'is of another CA'],
      [next.subject.equals(next.issuer) && isIssuedBy(next, next), 'does not verify'],
      [sameProfile(profileOf(old), profileOf(next)), 'says something else of the CA'],
      [unfitSigner(next) === undefined, 'must not sign certificates'],
      [next.notBefore.getTime() === notBefore.getTime(), 'begins at another time'],
      [next.notAfter.getTime() === notAfter.getTime(), 'ends at another time'],
      [lost === undefined, `does not verify what the old one has signed: ${lost?.name ?? ''}`],
    ] as const;
    for (const [holds, message] of failed) {
      if (holds) continue;
      throw new KubepkiError('verification', `read back from disk, the renewed CA certificate ${message}`, {
        file: file.path,
      });
    }
  }
}
