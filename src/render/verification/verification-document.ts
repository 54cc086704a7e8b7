import type { NodeVerification } from '../../operations/verification/verification.ts';
import { renderDocument, type DocumentFormat } from '../document.ts';

/** Each check with what became of it, and each thing that it has found. Of several trees a list of the same. */
export function verificationDocument(
  nodes: readonly NodeVerification[],
  { format, now, isList }: { readonly format: DocumentFormat; readonly now: Date; readonly isList: boolean },
): string {
  const time = now.toISOString().replace(/\.\d{3}Z$/, 'Z');
  const [first] = nodes;
  if (!isList && first !== undefined)
    return renderDocument('NodeVerification', { time, ...bodyOf(first) }, format);
  return renderDocument(
    'NodeVerificationList',
    { time, items: nodes.map((node) => ({ node: node.node, ...bodyOf(node) })) },
    format,
  );
}

function bodyOf({ results, error, verdict }: NodeVerification): object {
  return {
    verdict,
    ...(error === undefined ? {} : { error: error.oneLine }),
    checks: results.map(({ id, title, status, looked, troubles }) => ({
      id,
      title,
      status,
      looked,
      findings: troubles.map(({ grade, name, file, message, hint }) => ({
        severity: grade,
        name,
        file,
        message,
        hint: hint ?? null,
      })),
    })),
  };
}
