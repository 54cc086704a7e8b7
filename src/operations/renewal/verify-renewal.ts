import { KubepkiError } from '../../errors/error.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import { readKubeconfig } from '../../kubeconfig/read.ts';
import { parseCertificates, type Certificate } from '../../pki/certificate/certificate.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { validatePath } from '../../pki/path/path.ts';
import { parsePrivateKey, publicKeyOf } from '../../pki/key/private-key.ts';
import { profileOf, sameProfile } from '../../pki/issue/profile.ts';
import { isSameKey } from '../../pki/key/subject-key.ts';
import { trustsAsPlanned } from '../issuing/kubeconfig-authority.ts';
import { certificateFile } from './plan-renewal.ts';
import type { Renewed } from './renew.ts';

/** What stands on disk for a target now: the staged new file, or the untouched old one. */
type ReadBack = (target: FileTarget) => Buffer;

/**
 * Checks what was read back from disk against what was promised: it parses, chains to the CA, the key belongs to the
 * certificate, and subject, SANs, EKU and KeyUsage are the old ones, or the SANs those that were asked for.
 * @throws KubepkiError verification
 */
export function verifyRenewed({ renewable, certificate }: Renewed, readBack: ReadBack): void {
  const { place, issuer, profile, validity } = renewable;
  const pair = readPair(place, readBack);
  const [leaf] = parseCertificates(pair.certificate);
  const failed = [
    [leaf.der.equals(certificate.der), 'is not the certificate that was issued'],
    [isIssuedBy(leaf, issuer.certificate), 'does not chain to its CA'],
    [trusted(leaf, issuer), 'would be refused: its CA must not sign it'],
    // OpenSSL reads every extension for this; what is carried over is carried over as it is.
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
        file: certificateFile(place).path,
      });
    }
  }
}

/** At its beginning, when its CA is valid: what would expire too early has been capped. */
function trusted(leaf: Certificate, { bundle }: Renewed['renewable']['issuer']): boolean {
  return validatePath(leaf, [], bundle, leaf.notBefore).status === 'trusted';
}

function readPair(
  place: Renewed['renewable']['place'],
  readBack: ReadBack,
): { certificate: Buffer; key: Buffer; trusts: boolean } {
  if (place.kind === 'leaf') {
    return { certificate: readBack(place.state.file), key: readBack(place.keyFile), trusts: true };
  }
  const { clientCertificate, clientKey, clusterCa } = readKubeconfig(
    readBack(place.state.file).toString('utf8'),
  );
  const certificate = clientCertificate.kind === 'data' ? clientCertificate.bytes : undefined;
  const key = clientKey.kind === 'data' ? clientKey.bytes : undefined;
  return {
    certificate: certificate ?? readBack(certificateFile(place)),
    key: key ?? readBackKey(place.keyFile, readBack),
    trusts: trustsAsPlanned(clusterCa, place.state.kubeconfig, place.trusted),
  };
}

function readBackKey(keyFile: FileTarget | undefined, readBack: ReadBack): Buffer {
  if (keyFile === undefined) throw new KubepkiError('verification', 'the kubeconfig holds no key');
  return readBack(keyFile);
}
