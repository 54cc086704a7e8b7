import { KubepkiError } from '../../errors/error.ts';

export interface PemBlock {
  readonly label: string;
  /** RFC 1421 headers such as `Proc-Type: 4,ENCRYPTED` stand before the data. */
  readonly hasHeaders: boolean;
  readonly der: Buffer;
}

const begin = /^-----BEGIN ([A-Z0-9 ]+)-----\s*$/;
const end = /^-----END ([A-Z0-9 ]+)-----\s*$/;
/** 1.2.840.113549.1.7.2 */
const signedData = Buffer.from('06092a864886f70d010702', 'hex');
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * The PEM blocks of a file, in order. As Go's pem.Decode does, text around the blocks and blocks that are cut off or
 * not base64 are passed over. Runs once over the lines, so that no input makes it slow.
 */
export function pemBlocks(bytes: Uint8Array): PemBlock[] {
  const blocks: PemBlock[] = [];
  let label: string | undefined;
  let lines: string[] = [];
  for (const line of Buffer.from(bytes).toString('latin1').split(/\r?\n/)) {
    const isBoundary = line.startsWith('-----');
    const opened = isBoundary ? begin.exec(line)?.[1] : undefined;
    const closed = isBoundary ? end.exec(line)?.[1] : undefined;
    if (opened !== undefined) {
      label = opened;
      lines = [];
    } else if (closed !== undefined) {
      const block = closed === label ? decodeBlock(closed, lines) : undefined;
      if (block !== undefined) blocks.push(block);
      label = undefined;
    } else if (label !== undefined) {
      lines.push(line.trim());
    }
  }
  return blocks;
}

export function encodePem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/**
 * Why a file holds no block of the kind that was looked for.
 * @param wanted the kind, in words
 * @param derToPem the command that mends a DER file
 */
export function noSuchBlock(
  code: 'bad-certificate' | 'bad-key' | 'bad-request',
  bytes: Uint8Array,
  wanted: string,
  derToPem: string,
): KubepkiError {
  if (bytes.length === 0) return new KubepkiError(code, 'is empty');
  // DER starts with a SEQUENCE whose length takes two more bytes; PEM is text.
  if (bytes[0] === 0x30 && (bytes[1] === 0x82 || bytes[1] === 0x81)) {
    // RFC 5652, 3: ContentInfo begins with its type, here signed-data.
    if (Buffer.from(bytes.subarray(0, 20)).includes(signedData)) {
      return new KubepkiError(code, 'is PKCS#7 in DER, not PEM', {
        hint: 'unpack it: openssl pkcs7 -inform der -print_certs -in FILE -out FILE.pem',
      });
    }
    return new KubepkiError(code, `is DER, not PEM`, { hint: `convert it: ${derToPem}` });
  }
  const others = [...new Set(pemBlocks(bytes).map((block) => block.label))];
  return others.length > 0
    ? new KubepkiError(code, `holds no ${wanted}, but a PEM block ${others.join(', ')}`, {
        hint: others.includes('PKCS7')
          ? 'unpack it: openssl pkcs7 -print_certs -in FILE -out FILE.pem'
          : undefined,
      })
    : new KubepkiError('bad-pem', `is not PEM: no ${wanted} found`);
}

function decodeBlock(label: string, lines: readonly string[]): PemBlock | undefined {
  const hasHeaders = lines[0]?.includes(':') ?? false;
  const body = hasHeaders ? lines.slice(lines.indexOf('') + 1) : lines;
  const text = body.join('');
  if (!base64.test(text) || text.length % 4 !== 0) return undefined;
  return { label, hasHeaders, der: Buffer.from(text, 'base64') };
}
