import { hasNegativeSerial, isCa, type Certificate } from '../certificate/certificate.ts';
import { namesBySerial } from '../extension/authority-key-identifier.ts';
import { findExtension } from '../extension/extension.ts';
import { assertsKeyUsage } from '../extension/key-usage.ts';
import { ForeignKey, isSameKey } from '../key/public-key.ts';
import { isIssuedBy, isStrongKey } from './issuer.ts';

/**
 * Why a CA cannot have another certificate for the key it has:
 * - `no-ca`: it must not sign certificates as it is, and the next one would say the same
 * - `intermediate`: another CA has signed it, and would have to again
 * - `weak-key`: a key that should not last any longer
 * - `serial`: it names its own serial number, which no current Kubernetes reads
 */
export type ReissueObstacle = 'no-ca' | 'intermediate' | 'weak-key' | 'serial';

/** @returns undefined where the CA's key can sign its next certificate (`reissueAuthority`) */
export function reissueObstacle(certificate: Certificate): ReissueObstacle | undefined {
  const { publicKey } = certificate;
  if (!isCa(certificate) || assertsKeyUsage(certificate, 'keyCertSign') === false) return 'no-ca';
  if (publicKey instanceof ForeignKey || !isStrongKey(publicKey)) return 'weak-key';
  if (!isIssuedBy(certificate, certificate)) return 'intermediate';
  if (hasNegativeSerial(certificate) && namesBySerial(certificate, certificate)) return 'serial';
  return undefined;
}

/**
 * Whether two certificates are of one CA: the same name, key and subject key identifier, byte for byte. What the CA has signed then
 * verifies by either of them, as long as that is valid.
 */
export function isReissueOf(one: Certificate, other: Certificate): boolean {
  return (
    one.subject.equals(other.subject) &&
    isSameKey(one.publicKey, other.publicKey) &&
    identifierOf(one).equals(identifierOf(other))
  );
}

function identifierOf({ extensions }: Certificate): Buffer {
  return findExtension(extensions, 'subjectKeyIdentifier')?.value ?? Buffer.alloc(0);
}
