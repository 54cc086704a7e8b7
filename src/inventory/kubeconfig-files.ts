import { dirname, join } from 'node:path';
import type { FileTarget } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import type { MaybeEmbedded, PartialKubeconfig } from '../kubeconfig/kubeconfig.ts';
import { readPartialKubeconfig, readUsers } from '../kubeconfig/read.ts';
import { parseCertificates, type Chain } from '../pki/certificate/certificate.ts';
import type { Layout } from './layout.ts';
import { readSlot, reading, type Slot } from './reading.ts';

export function readKubeconfigSlot({ root, kubeconfigDir }: Layout, name: string): Slot<PartialKubeconfig> {
  return readSlot(root, join(kubeconfigDir, name), (bytes) => readPartialKubeconfig(textOf(bytes)));
}

/** The users of a kubeconfig anywhere, each as one of its contexts sees it. Never throws for a bad file. */
export function readUsersSlot(root: FileSystemRoot, path: string): Slot<readonly PartialKubeconfig[]> {
  return readSlot(root, path, (bytes) => readUsers(textOf(bytes)));
}

/**
 * A rewrite replaces a few characters and must give back every other byte.
 * @throws KubepkiError bad-kubeconfig
 */
export function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) throw new KubepkiError('bad-kubeconfig', 'is not UTF-8');
  return text;
}

/** clientcmd: a relative path in a kubeconfig starts at the kubeconfig's own directory. */
export function locateBeside(root: FileSystemRoot, kubeconfig: FileTarget, path: string): string {
  return root.locate(path, dirname(kubeconfig.path));
}

/** Reads what a kubeconfig holds, or the file that it names. Never throws for a bad file. */
export function readHeld<T>(
  root: FileSystemRoot,
  kubeconfig: FileTarget,
  held: MaybeEmbedded,
  parse: (bytes: Buffer) => T,
): Slot<T> {
  switch (held.kind) {
    case 'absent':
      return { target: kubeconfig, content: { status: 'missing' } };
    case 'data':
      return { target: kubeconfig, content: reading(kubeconfig.path, () => parse(held.bytes)) };
    case 'file':
      return readSlot(root, locateBeside(root, kubeconfig, held.path), parse);
  }
}

/** The CAs in the file that a kubeconfig names for them; undefined: it names none. */
export function readAuthorityFile(
  root: FileSystemRoot,
  kubeconfig: FileTarget,
  { clusterCa }: PartialKubeconfig,
): Slot<Chain> | undefined {
  return clusterCa.kind === 'file' ? readHeld(root, kubeconfig, clusterCa, parseCertificates) : undefined;
}
