import type { ChangeSet } from '../../changeset/change-set.ts';
import {
  encodeCertificates,
  type Certificate,
  parseCertificates,
} from '../../pki/certificate/certificate.ts';
import { chainBehind } from '../../pki/path/path.ts';
import { KubepkiError } from '../../errors/error.ts';
import { issueCertificate } from '../../pki/issue/issue.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { profileOf, sameProfile } from '../../pki/issue/profile.ts';
import {
  encodePrivateKey,
  publicKeyOf,
  type PrivateKey,
  parsePrivateKey,
} from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { validatePath } from '../../pki/path/path.ts';
import type { NewCredentials, ReadBack } from '../places/place.ts';
import type { Renewable } from './plan-renewal.ts';

/** What chance gives to one certificate. */
export interface Fresh {
  readonly privateKey: PrivateKey;
  /** Content bytes of the INTEGER. */
  readonly serialNumber: Buffer;
}

/** A certificate that was issued but is not on disk yet. */
export interface Renewed {
  readonly renewable: Renewable;
  readonly certificate: Certificate;
  readonly credentials: NewCredentials;
  readonly changes: ChangeSet;
}

/** Issues the new certificate, and tells which files change. */
export function renew(renewable: Renewable, fresh: Fresh): Renewed {
  const { place, chain, issuer, profile, validity } = renewable;
  const { privateKey, serialNumber } = fresh;
  const { notBefore, notAfter } = validity;
  const publicKey = publicKeyOf(privateKey);
  const certificate = issueCertificate(issuer, { profile, publicKey, serialNumber, notBefore, notAfter });
  const credentials = {
    certificatePem: encodeCertificates([certificate, ...chainBehind(certificate, chain)]),
    keyPem: encodePrivateKey(privateKey),
  };
  return { renewable, certificate, credentials, changes: place.put(credentials) };
}

/**
 * Checks what was read back from disk against what was promised: it parses, chains to the CA, the key belongs to the
 * certificate, and subject, SANs, EKU and KeyUsage are the old ones, or the SANs those that were asked for.
 * @throws KubepkiError verification
 */
export function verifyRenewed({ renewable, certificate }: Renewed, readBack: ReadBack): void {
  const { place, issuer, profile, validity } = renewable;
  const pair = place.readBack(readBack);
  const [leaf] = parseCertificates(pair.certificate);
  const failed = [
    [leaf.der.equals(certificate.der), 'is not the certificate that was issued'],
    [isIssuedBy(leaf, issuer.certificate), 'does not chain to its CA'],
    // At its beginning its CA is valid, and its end has been capped to the CA's.
    [
      validatePath(leaf, [], issuer.bundle, leaf.notBefore).status === 'trusted',
      'would be refused: its CA must not sign it',
    ],
    // OpenSSL reads every extension for this. A malformed one is carried over as it is.
    [
      leaf.x509.checkIssued(issuer.certificate.x509),
      'is refused by OpenSSL: an extension that was carried over is malformed',
    ],
    [isSameKey(leaf.publicKey, publicKeyOf(parsePrivateKey(pair.key))), 'does not match its private key'],
    [
      sameProfile(profileOf(leaf), profile),
      'has another subject, other SANs or other usages than it was to have',
    ],
    [leaf.notBefore.getTime() === validity.notBefore.getTime(), 'begins at another time'],
    [leaf.notAfter.getTime() === validity.notAfter.getTime(), 'ends at another time'],
    [pair.trusts, 'embeds other CAs'],
  ] as const;
  for (const [holds, message] of failed) {
    if (!holds) {
      throw new KubepkiError('verification', `read back from disk, the new certificate ${message}`, {
        file: place.file.path,
      });
    }
  }
}
