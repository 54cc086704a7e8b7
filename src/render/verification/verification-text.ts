import type { CheckStatus, NodeVerification } from '../../operations/verification/verification.ts';
import { printable } from '../printable.ts';
import { tabWriter } from '../tab-writer.ts';

const words: Readonly<Record<CheckStatus, string>> = {
  error: 'ERROR',
  unchecked: 'UNCHECKED',
  warning: 'WARNING',
  note: 'NOTE',
  passed: 'OK',
  none: '-',
  'not-asked': '-',
};

/** A line for each check, or for each thing that it has found: the first word says how it is, so that grep and awk understand it. */
export function verificationText(nodes: readonly NodeVerification[]): string {
  const rows = nodes.flatMap(({ node, results, error }) => {
    const own = node === '' ? [] : [printable(node)];
    return [
      ...(error === undefined
        ? []
        : [[...own, words.error, 'node', printable(`${error.oneLine}${next(error.hint)}`)]]),
      ...results.flatMap(({ id, title, flag, status, looked, troubles }) => {
        if (status === 'none') return [[...own, words.none, id, `${title}: none here`]];
        if (status === 'not-asked') return [[...own, words[status], id, `${title}: only with ${flag ?? ''}`]];
        if (troubles.length === 0) return [[...own, words.passed, id, `${title} (${String(looked)})`]];
        return troubles.map(({ grade, file, message, hint }) => [
          ...own,
          words[grade],
          id,
          printable(`${file}: ${message}${next(hint)}`),
        ]);
      }),
    ];
  });
  return tabWriter(rows, { padding: 2 })
    .map((line) => `${line}\n`)
    .join('');
}

function next(hint: string | undefined): string {
  return hint === undefined ? '' : `; next: ${hint}`;
}
