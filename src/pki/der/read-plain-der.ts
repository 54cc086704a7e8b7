import type { Asn1 } from 'node-forge/lib/asn1.js';

// A certificate needs ten.
const maxDepth = 24;
const integer = 2;
const bmpString = 30;
const longTag = 31;

/**
 * What forge makes of DER, in a tenth of its time, where there is nothing to it that could be read in two ways: each length
 * in as few bytes as it takes (X.690, 10.1), no tag of more than one byte, integers as short as they can be (8.3.2).
 * @returns undefined for anything else, which may be DER as well
 */
export function readPlainDer(der: Buffer): Asn1 | undefined {
  const reader = new PlainReader(der.toString('latin1'));
  const value = reader.value(der.length, 0);
  return reader.position === der.length ? value : undefined;
}

class PlainReader {
  position = 0;
  /** A character for each byte, as forge's values are, which are parts of it. */
  readonly #bytes: string;

  constructor(bytes: string) {
    this.#bytes = bytes;
  }

  /** @param end of what this value is a part of */
  value(end: number, depth: number): Asn1 | undefined {
    const tag = this.#byte();
    const length = this.#length();
    const type = tag & 0x1f;
    const constructed = (tag & 0x20) !== 0;
    if (length === undefined || this.position + length > end || type === longTag) return undefined;
    const value = constructed
      ? this.#parts(this.position + length, depth + 1)
      : this.#content(type, this.position + length);
    return value === undefined ? undefined : { tagClass: tag & 0xc0, type, constructed, value };
  }

  #parts(end: number, depth: number): readonly Asn1[] | undefined {
    if (depth > maxDepth) return undefined;
    const parts: Asn1[] = [];
    while (this.position < end) {
      const part = this.value(end, depth);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return parts;
  }

  #content(type: number, end: number): string | undefined {
    const start = this.position;
    if (type === bmpString || (type === integer && !this.#isShortest(start, end))) return undefined;
    this.position = end;
    return this.#bytes.slice(start, end);
  }

  #isShortest(start: number, end: number): boolean {
    if (end - start < 2) return start < end;
    const isNegative = (this.#bytes.charCodeAt(start + 1) & 0x80) !== 0;
    return this.#bytes.charCodeAt(start) !== (isNegative ? 0xff : 0);
  }

  #length(): number | undefined {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 3) return undefined;
    let length = 0;
    for (let index = 0; index < count; index += 1) length = length * 0x100 + this.#byte();
    return length >= (count === 1 ? 0x80 : 0x100 ** (count - 1)) ? length : undefined;
  }

  /** @returns NaN beyond the end: a length of which nothing is true */
  #byte(): number {
    const byte = this.#bytes.charCodeAt(this.position);
    this.position += 1;
    return byte;
  }
}
