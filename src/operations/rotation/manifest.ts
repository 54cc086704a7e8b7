import { posix } from 'node:path';
import { KubepkiError } from '../../errors/error.ts';
import { signingFlag, splitFileName, type SigningFile } from './signing-file.ts';

/**
 * The manifest of kube-controller-manager with another file for `--cluster-signing-cert-file`, beside the one that it names: all of it is
 * mounted there. Not one other byte changes.
 * @throws KubepkiError bad-manifest where the flag is not a word of its own
 */
export function withSigningFile(
  { manifest, manifestText, flagValue }: SigningFile,
  fileName: string,
): string {
  const next = posix.join(posix.dirname(flagValue), fileName);
  const word = new RegExp(`(--${signingFlag}=)${escaped(flagValue)}(?=["']?[ \\t]*(?:#.*)?$)`, 'gm');
  const found = [...manifestText.matchAll(word)];
  if (found.length !== 1) {
    throw new KubepkiError('bad-manifest', `has no line of its own with --${signingFlag}=${flagValue}`, {
      file: manifest.path,
      hint: `have the manifest name the flag once, as kubeadm writes it: - --${signingFlag}=${flagValue}`,
    });
  }
  return manifestText.replace(word, `$1${next.replaceAll('$', '$$$$')}`);
}

export function splitManifest(signing: SigningFile): string {
  return withSigningFile(signing, splitFileName);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
}
