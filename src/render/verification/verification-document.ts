import type { NodeVerification } from '../../operations/verification/verification.ts';
import { renderDocument, type DocumentFormat } from '../document.ts';
import { dateOf, toldInfo } from '../expiration/certificate-info.ts';

/** Each check with what became of it, and each thing that it has found. Of several trees a list of the same. */
export function verificationDocument(
  nodes: readonly NodeVerification[],
  { format, now, isList }: { readonly format: DocumentFormat; readonly now: Date; readonly isList: boolean },
): string {
  const time = dateOf(now);
  const [first] = nodes;
  if (!isList && first !== undefined) {
    const own = { time, node: first.document?.name ?? null };
    return renderDocument('NodeVerification', { ...own, ...bodyOf(first) }, format);
  }
  const items = nodes.map((node) => ({ node: node.node, ...timeOf(node), ...bodyOf(node) }));
  return renderDocument('NodeVerificationList', { time, items }, format);
}

/** What another machine has printed has a time of its own, or none. */
function timeOf({ document }: NodeVerification): object {
  return { time: document?.time === undefined ? null : dateOf(document.time) };
}

function bodyOf({ results, error, verdict, document }: NodeVerification): object {
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
    // Without them a reader must not take it for a node that has none.
    ...(document && { certificates: toldInfo(document) }),
  };
}
