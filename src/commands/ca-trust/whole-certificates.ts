import { KubepkiError } from '../../errors/error.ts';
import { certificateBlocks, parseCertificates, type Chain } from '../../pki/certificate/certificate.ts';

/**
 * All certificates of a file that came from another machine. A reader of PEM passes over a block that is cut off, and over two without a
 * line end between them, as `cat` leaves them behind a file that lacks its last one. Here a CA would be left out, and nothing told of it.
 * @throws KubepkiError bad-certificate, bad-pem
 */
export function parseWhole(bytes: Buffer): Chain {
  const begun = bytes.toString('latin1').split('-----BEGIN CERTIFICATE-----').length - 1;
  const whole = certificateBlocks(bytes).length;
  if (whole >= begun) return parseCertificates(bytes);
  throw new KubepkiError(
    'bad-pem',
    `begins ${String(begun)} certificates, of which ${String(whole)} can be read`,
    { hint: 'carry the files over once more, each with its last line end' },
  );
}
