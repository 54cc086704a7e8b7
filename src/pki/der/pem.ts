import { KubepkiError } from '../../errors/error.ts';

export interface PemBlock {
  readonly label: string;
  /** RFC 1421 headers such as `Proc-Type: 4,ENCRYPTED` stand before the data. */
  readonly hasHeaders: boolean;
  readonly der: Buffer;
  /** Where it stands in the file: the offset of its first byte, and of the one behind its last, which is no line end. */
  readonly start: number;
  readonly end: number;
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
  let start = 0;
  let next = 0;
  for (const line of Buffer.from(bytes).toString('latin1').split('\n')) {
    const offset = next;
    next += line.length + 1;
    const isBoundary = line.startsWith('-----');
    const opened = isBoundary ? begin.exec(line)?.[1] : undefined;
    const closed = isBoundary ? end.exec(line)?.[1] : undefined;
    if (opened !== undefined) {
      label = opened;
      lines = [];
      start = offset;
    } else if (closed !== undefined) {
      const block = closed === label ? decodeBlock(closed, lines) : undefined;
      if (block !== undefined) blocks.push({ ...block, start, end: offset + line.trimEnd().length });
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
 * The file with other blocks in the place of some of its own, and every other byte as it is.
 * @param replacement the DER in the place of a block's; undefined: the block stays
 */
export function replaceBlocks(bytes: Buffer, replacement: (block: PemBlock) => Buffer | undefined): Buffer {
  const lineEnd = bytes.includes('\r\n') ? '\r\n' : '\n';
  const parts: Buffer[] = [];
  let copied = 0;
  for (const block of pemBlocks(bytes)) {
    const der = replacement(block);
    if (der === undefined) continue;
    const pem = encodePem(block.label, der).trimEnd().replaceAll('\n', lineEnd);
    parts.push(bytes.subarray(copied, block.start), Buffer.from(pem));
    copied = block.end;
  }
  return Buffer.concat([...parts, bytes.subarray(copied)]);
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

function decodeBlock(label: string, lines: readonly string[]): Omit<PemBlock, 'start' | 'end'> | undefined {
  const hasHeaders = lines[0]?.includes(':') ?? false;
  const body = hasHeaders ? lines.slice(lines.indexOf('') + 1) : lines;
  const text = body.join('');
  if (!base64.test(text) || text.length % 4 !== 0) return undefined;
  return { label, hasHeaders, der: Buffer.from(text, 'base64') };
}
