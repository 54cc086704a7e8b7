import { KubepkiError } from '../errors/error.ts';

/**
 * A rewrite replaces a few characters and must give back every other byte.
 * @throws KubepkiError bad-kubeconfig
 */
export function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) throw new KubepkiError('bad-kubeconfig', 'is not UTF-8');
  return text;
}
