import { KubepkiError } from '../../errors/error.ts';
import {
  hasNegativeSerial,
  isCa,
  serialOf,
  type Certificate,
  type Chain,
} from '../certificate/certificate.ts';
import { assertsKeyUsage } from '../extension/key-usage.ts';
import { algorithmOf, describeAlgorithm, publicKeyOf, type PrivateKey } from '../key/private-key.ts';
import { ForeignKey, isSameKey } from '../key/public-key.ts';
import { isoSeconds } from '../der/time.ts';
import { isSigningKey } from './signature.ts';

/** A CA whose key is here. Only {@link localIssuer} makes one, so everything that signs has been checked. */
export interface LocalIssuer {
  readonly kind: 'local';
  readonly certificate: Certificate;
  readonly privateKey: PrivateKey;
  /** All certificates in the CA file: any of them may verify. */
  readonly bundle: Chain;
}

/** A CA whose key is elsewhere: it cannot sign here. */
interface ExternalIssuer {
  readonly kind: 'external';
  readonly bundle: Chain;
}

/** Host paths, for messages. */
interface AuthorityFiles {
  readonly certificate: string;
  readonly key: string;
  /** The next step where the CA can have another certificate for its key; undefined: it is said elsewhere. */
  readonly remedy?: ((certificate: Certificate) => string) | undefined;
}

export type Issuer = LocalIssuer | ExternalIssuer;

/**
 * The certificate of a CA file that a key belongs to. Where a CA was renewed with its key, several match, and
 * {@link lastingLongest} chooses.
 */
export function certificateOfKey(bundle: Chain, privateKey: PrivateKey, now: Date): Certificate | undefined {
  const publicKey = publicKeyOf(privateKey);
  return lastingLongest(
    bundle.filter((certificate) => isSameKey(certificate.publicKey, publicKey)),
    now,
  );
}

/** Chooses among certificates of one CA: the one that ends last, of those that Go reads and that are valid, if there are any. */
export function lastingLongest(certificates: readonly Certificate[], now: Date): Certificate | undefined {
  const ordered = [...certificates].sort((a, b) => b.notAfter.getTime() - a.notAfter.getTime());
  const valid = ordered.filter((certificate) => isValidAt(certificate, now));
  return valid.find((certificate) => !hasNegativeSerial(certificate)) ?? valid[0] ?? ordered[0];
}

/**
 * The certificate of the bundle that the key belongs to signs.
 * @throws KubepkiError bad-issuer, unsupported-key, with `file` naming the key or the certificate
 */
export function localIssuer(
  bundle: Chain,
  privateKey: PrivateKey,
  now: Date,
  files: AuthorityFiles,
): LocalIssuer {
  const candidate = certificateOfKey(bundle, privateKey, now);
  if (candidate === undefined) {
    throw new KubepkiError('bad-issuer', `does not belong to the CA certificate ${files.certificate}`, {
      file: files.key,
      hint: 'put the key and the certificate of the same CA in place, from a backup or another control-plane node',
    });
  }
  requireSigningCertificate(candidate, now, files);
  requireSigningKey(privateKey, files.key);
  return { kind: 'local', certificate: candidate, privateKey, bundle };
}

/**
 * RFC 5280, 6.1.3: name and key of the issuer must fit. The name alone says nothing: every kubeadm CA is called `kubernetes`.
 */
export function isIssuedBy(certificate: Certificate, authority: Certificate): boolean {
  return certificate.issuer.equals(authority.subject) && hasSigned(authority, certificate);
}

/**
 * Only the signature counts, and not the name that the certificate gives its issuer. A foreign key has signed nothing: Go
 * verifies nothing with one either.
 */
export function hasSigned({ publicKey }: Certificate, certificate: Certificate): boolean {
  return !(publicKey instanceof ForeignKey) && certificate.x509.verify(publicKey);
}

function requireSigningCertificate(certificate: Certificate, now: Date, files: AuthorityFiles): void {
  const file = files.certificate;
  // RFC 5280, 4.2.1.9: without cA TRUE the key must not be used to verify certificate signatures.
  if (!isCa(certificate)) {
    throw new KubepkiError('bad-issuer', 'is not a CA certificate (basicConstraints lacks CA:TRUE)', {
      file,
      hint: 'put the CA certificate of this cluster in place, from a backup or another control-plane node',
    });
  }
  // RFC 5280, 4.2.1.3: keyCertSign must be asserted where keyUsage is present.
  if (assertsKeyUsage(certificate, 'keyCertSign') === false) {
    throw new KubepkiError('bad-issuer', 'must not sign certificates (keyUsage lacks keyCertSign)', { file });
  }
  // RFC 5280, 4.1.2.2. An old kubeadm signs all the same, and no client of a current Kubernetes reads the CA.
  if (hasNegativeSerial(certificate)) {
    throw new KubepkiError(
      'bad-issuer',
      `the CA has a negative serial number (${serialOf(certificate)}), and Kubernetes no longer reads such a CA`,
      { file, hint: files.remedy?.(certificate) },
    );
  }
  // kubeadm signs all the same and says so in a warning; nothing would trust the result.
  if (certificate.notAfter.getTime() < now.getTime()) {
    throw new KubepkiError('bad-issuer', `the CA expired on ${isoSeconds(certificate.notAfter)}`, {
      file,
      hint: files.remedy?.(certificate),
    });
  }
  if (certificate.notBefore.getTime() > now.getTime()) {
    throw new KubepkiError('bad-issuer', `the CA is not valid before ${isoSeconds(certificate.notBefore)}`, {
      file,
      hint: "check this machine's clock",
    });
  }
}

// kubeadm signs with any RSA or ECDSA key that Go reads; RSA below 2048 bits is too weak for a CA (NIST SP 800-131A).
export function isStrongKey(key: PrivateKey): boolean {
  const algorithm = algorithmOf(key);
  return isSigningKey(key) && !(algorithm.type === 'rsa' && algorithm.bits < 2048);
}

function requireSigningKey(privateKey: PrivateKey, file: string): void {
  if (isStrongKey(privateKey)) return;
  throw new KubepkiError(
    'unsupported-key',
    `a CA key of the kind ${describeAlgorithm(algorithmOf(privateKey))} is not supported`,
    { file, hint: 'use RSA of at least 2048 bits, or ECDSA on P-256, P-384 or P-521' },
  );
}

function isValidAt(certificate: Certificate, now: Date): boolean {
  return certificate.notBefore.getTime() <= now.getTime() && now.getTime() <= certificate.notAfter.getTime();
}
