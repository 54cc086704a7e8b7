import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { KubepkiError } from '../errors/error.ts';
import { renewalQuestion } from '../render/change/renewal.ts';

/**
 * Lists what would be renewed and asks.
 * @param again the command that does not ask
 * @param each what each of them gets; undefined: a key and a certificate
 * @throws KubepkiError declined unless the answer is yes
 */
export async function confirmRenewal(
  renewed: readonly { readonly name: string; readonly notAfter: Date }[],
  now: Date,
  again: string,
  each?: string,
): Promise<void> {
  if (renewed.length === 0) return;
  const rows = renewed.map(({ name, notAfter }) => {
    return { name, notAfter, residualMs: notAfter.getTime() - now.getTime() };
  });
  process.stderr.write(renewalQuestion(rows, each));
  // Not readline's own line editor: it would swallow Ctrl-C.
  const lines = createInterface({ input: process.stdin, terminal: false });
  try {
    const answer = await Promise.race([
      once(lines, 'line').then(([line]: unknown[]) => String(line)),
      // Ctrl-D: no answer is no.
      once(lines, 'close').then(() => undefined),
    ]);
    if (answer === undefined) process.stderr.write('\n');
    if (/^y(es)?$/i.test(answer?.trim() ?? '')) return;
  } finally {
    lines.close();
  }
  throw new KubepkiError('declined', 'nothing was renewed: the answer was not yes', {
    hint: `this asks nothing: ${again}`,
  });
}
