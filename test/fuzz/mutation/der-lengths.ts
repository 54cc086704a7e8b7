// As deep as a certificate nests, and then some; a chance pattern may nest much deeper.
const maxDepth = 50;

/** Where the first length byte of each value stands; what is not DER has some by chance, or none. */
export function lengthOffsets(der: Buffer): number[] {
  const offsets: number[] = [];
  const walk = (start: number, end: number, depth: number): void => {
    let tag = start;
    while (tag + 1 < end) {
      offsets.push(tag + 1);
      const { content, length } = readLength(der, tag + 1);
      if (depth < maxDepth && holdsValues(der, tag, content)) {
        walk(content, Math.min(end, content + length), depth + 1);
      }
      tag = content + length;
    }
  };
  walk(0, der.length, 0);
  return offsets;
}

/** Constructed, or the OCTET STRING around an extension's SEQUENCE. */
function holdsValues(der: Buffer, tag: number, content: number): boolean {
  const type = der[tag] ?? 0;
  return (type & 0x20) !== 0 || (type === 0x04 && der[content] === 0x30);
}

// X.690, 8.1.3: below 0x80 the length itself, above it the number of bytes that hold it.
function readLength(der: Buffer, offset: number): { content: number; length: number } {
  const first = der[offset] ?? 0;
  if (first < 0x80) return { content: offset + 1, length: first };
  const bytes = Math.max(0, Math.min(first & 0x7f, 6, der.length - offset - 1));
  return { content: offset + 1 + bytes, length: bytes === 0 ? 0 : der.readUIntBE(offset + 1, bytes) };
}
