import type { ChangeSet } from '../../changeset/change-set.ts';
import { encodeCertificates, type Certificate } from '../../pki/certificate/certificate.ts';
import { chainBehind } from '../../pki/path/path.ts';
import { issueCertificate } from '../../pki/issue/issue.ts';
import { encodePrivateKey, publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import type { Renewable } from './plan-renewal.ts';

/** The chance that goes into one certificate. */
export interface Fresh {
  readonly privateKey: PrivateKey;
  /** Content bytes of the INTEGER. */
  readonly serialNumber: Buffer;
}

/** A certificate that was issued but is not on disk yet. */
export interface Renewed {
  readonly renewable: Renewable;
  readonly certificate: Certificate;
  readonly changes: ChangeSet;
}

/** Issues the new certificate and says which files change. */
export function renew(renewable: Renewable, fresh: Fresh): Renewed {
  const { place, chain, issuer, profile, validity } = renewable;
  const certificate = issueCertificate(issuer, {
    profile,
    publicKey: publicKeyOf(fresh.privateKey),
    serialNumber: fresh.serialNumber,
    notBefore: validity.notBefore,
    notAfter: validity.notAfter,
  });
  const certificatePem = encodeCertificates([certificate, ...chainBehind(certificate, chain)]);
  const keyPem = encodePrivateKey(fresh.privateKey);
  return { renewable, certificate, changes: place.put({ certificatePem, keyPem }) };
}
