// Only forge's ASN.1 is bundled, not its cryptography, which is never used.
declare module 'node-forge/lib/asn1.js' {
  import type { asn1 } from 'node-forge';

  interface FromDerOptions {
    strict: boolean;
    parseAllBytes: boolean;
    decodeBitStrings: boolean;
  }
  const module: Omit<typeof asn1, 'fromDer'> & {
    fromDer(bytes: string, options: FromDerOptions): asn1.Asn1;
  };
  export default module;
}
