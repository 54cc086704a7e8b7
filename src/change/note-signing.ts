import { join } from 'node:path';
import { certificateAuthority, type CertificateSpec } from '../catalog/catalog.ts';
import type { Layout } from '../inventory/layout.ts';
import type { Typed } from '../flags/table.ts';
import { signingHints, type Signable } from '../render/requests/requests.ts';
import type { Terminal } from '../terminal/terminal.ts';

export interface WaitingRequest {
  readonly spec: CertificateSpec;
  /** Host paths: the CSR, and where its certificate is expected. */
  readonly request: string;
  readonly certificate: string;
}

/** The CA that must sign for a certificate, and where its files are or would be. */
export function signerOf(spec: CertificateSpec, { certDir }: Layout): Signable['ca'] {
  const { name, baseName } = certificateAuthority(spec.caName);
  return { name, certificate: join(certDir, `${baseName}.crt`), key: `${baseName}.key` };
}

/** Which CA must sign what, and how; said to people, and not beside a document. */
export function noteSigning(
  waiting: readonly WaitingRequest[],
  layout: Layout,
  { output }: Typed<'output'>,
  terminal: Terminal,
): void {
  if (output !== 'text') return;
  const signables = waiting.map(({ spec, request, certificate }): Signable => {
    return { name: spec.name, request, certificate, ca: signerOf(spec, layout), usages: spec.usages };
  });
  for (const hint of signingHints(signables)) terminal.hint(hint);
}
