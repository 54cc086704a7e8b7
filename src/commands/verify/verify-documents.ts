import { verificationFormat } from '../../documents/printed-verification.ts';
import type { Period } from '../../flags/values.ts';
import type { Typed } from '../../flags/table.ts';
import { gatherDocuments, type DocumentOptions } from '../../node/gather-documents.ts';
import { gatheredVerification } from '../../operations/gathered/gathered-verification.ts';
import type { NodeVerification } from '../../operations/verification/verification.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** `verify` of what other nodes have printed. A node of which no document counts is wrong, as one of which nothing can be read. */
export async function verifyDocuments(
  options: DocumentOptions & Required<Typed<'from'>> & { readonly within: Period },
  now: Date,
  terminal: Terminal,
): Promise<readonly NodeVerification[]> {
  const gathered = await gatherDocuments(options, verificationFormat, now, terminal);
  return gathered.map((one) => gatheredVerification(one, { now, withinMs: options.within.milliseconds }));
}
