// Only forge's ASN.1 is bundled, not its cryptography, which is never used. The types stand here, as those of @types/node-forge will not do:
// that knows no single module, and takes a context-specific tag for one of the universal types.
declare module 'node-forge/lib/asn1.js' {
  export interface Asn1 {
    readonly tagClass: number;
    readonly type: number;
    readonly constructed: boolean;
    /** Content bytes as a binary string, or the parts. */
    readonly value: string | readonly Asn1[];
  }
  interface FromDerOptions {
    readonly strict: boolean;
    readonly parseAllBytes: boolean;
    readonly decodeBitStrings: boolean;
  }
  interface ByteBuffer {
    getBytes(): string;
  }
  const asn1: {
    create(tagClass: number, type: number, constructed: boolean, value: string | readonly Asn1[]): Asn1;
    fromDer(bytes: string, options: FromDerOptions): Asn1;
    toDer(value: Asn1): ByteBuffer;
  };
  export default asn1;
}
