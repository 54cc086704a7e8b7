import { generatePrivateKey, type KeyAlgorithm, type PrivateKey } from '../pki/key/private-key.ts';
import type { Terminal } from '../terminal/terminal.ts';

/**
 * Keys for all of a set at once, so that every core works; on a terminal with progress, as RSA-4096 takes a while.
 * @param use what is made of each key as it arrives, while the others are still being generated
 * @returns that, in the order of the items
 */
export async function generateKeys<I, T>(
  items: readonly I[],
  algorithmOf: (item: I) => KeyAlgorithm,
  use: (item: I, key: PrivateKey) => T,
  terminal: Terminal,
): Promise<readonly T[]> {
  let done = 0;
  const said = (): string => `generating keys: ${String(done)} of ${String(items.length)}`;
  const progress = terminal.progress(said());
  try {
    return await Promise.all(
      items.map(async (item) => {
        const made = use(item, await generatePrivateKey(algorithmOf(item)));
        done += 1;
        progress.update(said());
        return made;
      }),
    );
  } finally {
    progress.end();
  }
}

/** The same without the work: one key stands for all of them, and nothing of it is ever written. */
export async function placeholderKeys<I, T>(
  items: readonly I[],
  _algorithmOf: (item: I) => KeyAlgorithm,
  use: (item: I, key: PrivateKey) => T,
): Promise<readonly T[]> {
  const key = await generatePrivateKey({ type: 'ec', curve: 'P-256' });
  return items.map((item) => use(item, key));
}
