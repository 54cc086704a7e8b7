import { KubepkiError } from '../../errors/error.ts';
import { parseCertificate, type Certificate } from '../../pki/certificate/certificate.ts';

/** A certificate takes some 300 bytes at least. */
const tokens = /[A-Za-z0-9+/]{300,}={0,2}/g;
const armoured = /-----BEGINCERTIFICATE-----([A-Za-z0-9+/]+={0,2})-----ENDCERTIFICATE-----/g;
const begins = '-----BEGIN CERTIFICATE-----';
/** A kubeconfig in a Secret: the base64 of its value is gone by then, and that of its CA is left. One more for what programs pack. */
const deepest = 2;

/**
 * The certificates that a text holds, however they stand there: as PEM, with indentation or with line breaks as JSON writes them, and as base64
 * of PEM or of DER, as in a kubeconfig. What is packed otherwise is not found.
 */
export function certificatesIn(text: string): Certificate[] {
  const found = new Map<string, Certificate>();
  for (const der of encodedIn(text, 0)) {
    const id = der.toString('base64');
    const certificate = found.has(id) ? undefined : readable(der);
    if (certificate !== undefined) found.set(id, certificate);
  }
  return [...found.values()];
}

function encodedIn(text: string, depth: number): Buffer[] {
  const joined = text.replaceAll(/\s|\\[nrt]/g, '');
  const pem = [...joined.matchAll(armoured)].map(([, body = '']) => Buffer.from(body, 'base64'));
  if (depth === deepest) return pem;
  // Base64 may be folded; joined, it may run into the word before it.
  const words = new Set([...(text.match(tokens) ?? []), ...(joined.match(tokens) ?? [])]);
  return [...pem, ...[...words].flatMap((word) => decodedIn(Buffer.from(word, 'base64'), depth + 1))];
}

function decodedIn(bytes: Buffer, depth: number): Buffer[] {
  const text = bytes.toString('latin1');
  if (text.includes(begins)) return encodedIn(text, depth);
  // SEQUENCE, with a length in two bytes. What stands behind it is not of it.
  if (bytes[0] === 0x30 && bytes[1] === 0x82) return [bytes.subarray(0, 4 + bytes.readUInt16BE(2))];
  return /^[\t\n\r -~]*$/.test(text.slice(0, 200)) ? encodedIn(text, depth) : [];
}

/** A stranger's text may only look like a certificate. */
function readable(der: Buffer): Certificate | undefined {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (error instanceof KubepkiError) return undefined;
    throw error;
  }
}

/** Whether a text is PEM of certificates and nothing else, so that another such text may take its place. */
export function isOnlyPem(text: string): boolean {
  return text.replaceAll(/\s/g, '').replaceAll(armoured, '') === '';
}
