import { KubepkiError } from '../errors/error.ts';
import { isCa, type Certificate, type Chain } from './certificate.ts';
import { assertsKeyUsage } from './key-usage.ts';
import { algorithmOf, describeAlgorithm, publicKeyOf, type PrivateKey } from './private-key.ts';
import { ForeignKey, isSameKey } from './subject-key.ts';
import { isoSeconds } from './time.ts';

/** A CA whose key is here. Only {@link localIssuer} makes one, so everything that signs has been checked. */
export interface LocalIssuer {
  readonly kind: 'local';
  readonly certificate: Certificate;
  readonly privateKey: PrivateKey;
  /** Everything in the CA file: any of them may verify. */
  readonly bundle: Chain;
}

/** A CA whose key is somewhere else: it cannot sign here. */
export interface ExternalIssuer {
  readonly kind: 'external';
  readonly bundle: Chain;
}

export type Issuer = LocalIssuer | ExternalIssuer;

/**
 * The certificate of a CA file that a key belongs to. Where a CA was renewed with its key, several match: the valid one
 * that ends last.
 */
export function certificateOfKey(bundle: Chain, privateKey: PrivateKey, now: Date): Certificate | undefined {
  const publicKey = publicKeyOf(privateKey);
  return lastingLongest(
    bundle.filter((certificate) => isSameKey(certificate.publicKey, publicKey)),
    now,
  );
}

/** Of several certificates of one CA. */
export function lastingLongest(certificates: readonly Certificate[], now: Date): Certificate | undefined {
  const ordered = [...certificates].sort((a, b) => b.notAfter.getTime() - a.notAfter.getTime());
  return ordered.find((certificate) => isValidAt(certificate, now)) ?? ordered[0];
}

/**
 * The certificate of the bundle that the key belongs to signs.
 * @throws KubepkiError bad-issuer, unsupported-key, with `file` naming the key or the certificate
 */
export function localIssuer(
  bundle: Chain,
  privateKey: PrivateKey,
  now: Date,
  files: { readonly certificate: string; readonly key: string },
): LocalIssuer {
  const candidate = certificateOfKey(bundle, privateKey, now);
  if (candidate === undefined) {
    throw new KubepkiError('bad-issuer', `does not belong to the CA certificate ${files.certificate}`, {
      file: files.key,
      hint: 'put the key and the certificate of the same CA in place, from a backup or another control-plane node',
    });
  }
  requireSigningCertificate(candidate, now, files.certificate);
  requireSigningKey(privateKey, files.key);
  return { kind: 'local', certificate: candidate, privateKey, bundle };
}

/**
 * RFC 5280, 6.1.3: the issuer's name and key, not its name alone: every kubeadm CA is called `kubernetes`. By a key that is
 * foreign nothing is: Go verifies nothing with one either.
 */
export function isIssuedBy(certificate: Certificate, { subject, publicKey }: Certificate): boolean {
  if (publicKey instanceof ForeignKey) return false;
  return certificate.issuer.equals(subject) && certificate.x509.verify(publicKey);
}

function requireSigningCertificate(certificate: Certificate, now: Date, file: string): void {
  const newCa =
    'a new CA is needed: see "Manual rotation of CA certificates" in the Kubernetes documentation';
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
  // kubeadm signs all the same and says so in a warning; nothing would trust the result.
  if (certificate.notAfter.getTime() < now.getTime()) {
    throw new KubepkiError('bad-issuer', `the CA expired on ${isoSeconds(certificate.notAfter)}`, {
      file,
      hint: newCa,
    });
  }
  if (certificate.notBefore.getTime() > now.getTime()) {
    throw new KubepkiError('bad-issuer', `the CA is not valid before ${isoSeconds(certificate.notBefore)}`, {
      file,
      hint: "check this machine's clock",
    });
  }
}

function requireSigningKey(privateKey: PrivateKey, file: string): void {
  const algorithm = algorithmOf(privateKey);
  if (algorithm.type === 'other' || (algorithm.type === 'rsa' && algorithm.bits < 2048)) {
    throw new KubepkiError(
      'unsupported-key',
      `a CA key of the kind ${describeAlgorithm(algorithm)} is not supported`,
      {
        file,
        hint: 'use RSA of at least 2048 bits, or ECDSA on P-256 or P-384',
      },
    );
  }
}

function isValidAt(certificate: Certificate, now: Date): boolean {
  return certificate.notBefore.getTime() <= now.getTime() && now.getTime() <= certificate.notAfter.getTime();
}
