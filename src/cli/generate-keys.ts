import { generatePrivateKey, type KeyAlgorithm, type PrivateKey } from '../pki/private-key.ts';
import type { Terminal } from './terminal.ts';

/** All keys of a set at once, so that every core works; on a terminal with progress, as RSA-4096 takes a while. */
export async function generateKeys(
  algorithms: readonly KeyAlgorithm[],
  terminal: Terminal,
): Promise<readonly PrivateKey[]> {
  const total = algorithms.length;
  let done = 0;
  const said = (): string => `generating keys: ${String(done)} of ${String(total)}`;
  const progress = await terminal.progress(said());
  try {
    return await Promise.all(
      algorithms.map(async (algorithm) => {
        const key = await generatePrivateKey(algorithm);
        done += 1;
        progress.update(said());
        return key;
      }),
    );
  } finally {
    progress.end();
  }
}
