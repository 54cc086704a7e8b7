import { humanDuration } from '../human-duration.ts';
import { kubeadmDate } from '../kubeadm-date.ts';

interface Row {
  readonly name: string;
  readonly notAfter: Date;
  readonly residualMs: number;
}

/** What is about to be renewed, and the question whether to; ends without a newline, where the answer is typed. */
export function renewalQuestion(rows: readonly Row[]): string {
  const longest = Math.max(...rows.map(({ name }) => name.length));
  const list = rows.map(
    ({ name, notAfter, residualMs }) =>
      `  ${name.padEnd(longest)}  ends ${kubeadmDate(notAfter)} (${humanDuration(residualMs)})\n`,
  );
  const what = rows.length === 1 ? 'this certificate' : `these ${String(rows.length)} certificates`;
  return `Each gets a new key and a new certificate:\n${list.join('')}Renew ${what}? [y/N] `;
}
