import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import { issueCertificate } from '../../pki/issue/issue.ts';
import type { LocalIssuer } from '../../pki/issue/issuer.ts';
import { validatePath } from '../../pki/path/path.ts';
import { publicKeyOf } from '../../pki/key/private-key.ts';
import type { CertificateProfile } from '../../pki/issue/profile.ts';
import type { Validity } from './validity.ts';

interface ToBeIssued {
  readonly name: string;
  readonly profile: CertificateProfile;
  readonly validity: Pick<Validity, 'notBefore' | 'notAfter'>;
  /** The file that the certificate will be in. */
  readonly file: string;
  /** The moment at which a peer verifies it. */
  readonly at: Date;
}

/**
 * Whether a certificate that is going to be issued will be accepted. One is issued on trial for the CA's own key, and thrown
 * away: so the plan refuses whatever the change itself would have to refuse.
 * @throws KubepkiError bad-issuer, bad-certificate
 */
export function requireIssuable(
  issuer: LocalIssuer,
  { name, profile, validity: { notBefore, notAfter }, file, at }: ToBeIssued,
  command: CommandLine,
): void {
  const [publicKey, serialNumber] = [publicKeyOf(issuer.privateKey), Buffer.from([1])];
  const issued = naming(file, () =>
    issueCertificate(issuer, { profile, publicKey, serialNumber, notBefore, notAfter }),
  );
  const path = validatePath(issued, [], issuer.bundle, at);
  if (path.status !== 'trusted') {
    const reason = path.status === 'untrusted' ? path.reason : 'does not chain to its CA';
    throw new KubepkiError('bad-issuer', `a certificate for ${name} would be refused: it ${reason}`, {
      file,
      hint: 'put a CA in place that may sign it',
    });
  }
  // OpenSSL reads every extension for this. A malformed one is carried over as it is.
  if (issued.x509.checkIssued(issuer.certificate.x509)) return;
  throw new KubepkiError(
    'bad-certificate',
    'has a malformed extension: OpenSSL would refuse the next certificate, which has it too',
    { file, hint: `have it made anew: move it away with its key, then: ${command(`generate ${name}`)}` },
  );
}
