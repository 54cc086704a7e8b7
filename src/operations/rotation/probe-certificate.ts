import { encodeCertificates } from '../../pki/certificate/certificate.ts';
import { issueCertificate } from '../../pki/issue/issue.ts';
import type { LocalIssuer } from '../../pki/issue/issuer.ts';
import { newProfile } from '../../pki/issue/profile.ts';
import { encodePrivateKey, publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import { validityOf } from '../issuing/validity.ts';

const probeValidityMs = 10 * 60 * 1000;

/** A client that shows whether a server trusts a CA. It is kept in memory only. */
export interface ProbeCertificate {
  /** A name that no one has, and so without any rights: what a server says of it, it has from the certificate. */
  readonly commonName: string;
  /** PEM. */
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** The moments between which it proves something, by the server's clock. */
  readonly notBefore: Date;
  readonly notAfter: Date;
}

interface Chance {
  /** Sixteen lower-case hex digits. */
  readonly name: string;
  readonly privateKey: PrivateKey;
  /** Content bytes of the INTEGER. */
  readonly serialNumber: Buffer;
}

/**
 * A certificate of this very CA, for ten minutes. No cross-certificate stands behind it: that would lead to a second CA, and prove
 * nothing of the first. It has no organization, which would be a group of Kubernetes; etcd's CA makes even such a client a ruler over all
 * data, so etcd is never sent a request with it.
 */
export function issueProbe(
  issuer: LocalIssuer,
  { name, privateKey, serialNumber }: Chance,
  now: Date,
): ProbeCertificate {
  const commonName = `kubepki-probe-${name}`;
  const { notBefore, notAfter } = validityOf(issuer, now, probeValidityMs);
  const certificate = issueCertificate(issuer, {
    profile: newProfile({
      commonName,
      organizations: [],
      usages: ['clientAuth'],
      dnsNames: [],
      ipAddresses: [],
    }),
    publicKey: publicKeyOf(privateKey),
    serialNumber,
    notBefore,
    notAfter,
  });
  return {
    commonName,
    certificate: Buffer.from(encodeCertificates([certificate])),
    key: Buffer.from(encodePrivateKey(privateKey)),
    notBefore,
    notAfter,
  };
}
