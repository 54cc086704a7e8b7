import type { JudgeName } from '../judge.ts';

/** The extended key usages a CA is told to put in. */
export type Usages = readonly ('serverAuth' | 'clientAuth')[];

export type KeyKind = 'rsa' | 'ecdsa';

/** One CA of its own, with its key where kubepki never sees it. */
export interface Signer {
  /** PEM file. */
  readonly certificate: string;
  /** Signs a CSR; the certificate is written as PEM. */
  readonly sign: (request: string, certificate: string, usages: Usages, days: number) => void;
}

/** @param directory empty, and the CA's own */
export type CreateSigner = (
  program: string,
  directory: string,
  commonName: string,
  keyKind: KeyKind,
) => Signer;

/** A program that people run CAs with. */
export interface SigningProgram {
  readonly judge: JudgeName;
  /** Makes a CA with it. */
  readonly create: CreateSigner;
  /** The same CA, misconfigured: it forgets what the CSR asks for. */
  readonly forgetful: CreateSigner;
  /** What the refusal tells its operator to do. */
  readonly remedy: RegExp;
}
