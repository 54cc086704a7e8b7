import { statSync } from 'node:fs';
import { KubepkiError } from '../errors/error.ts';
import { exists } from '../filesystem/regular-file.ts';
import type { Typed } from '../flags/table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { Node } from './node-options.ts';

/** kubeadm wants it named; its documentation says what is done here. Host path. */
export function csrDirectory({ layout }: Node, { csrDir }: Typed<'csrDir'>): string {
  return csrDir === undefined ? layout.certDir : layout.root.locate(csrDir);
}

/** A directory that was named and is not there is a typing error, not one in which nothing waits. @throws KubepkiError not-found */
export function requireCsrDirectory(node: Node, options: Typed<'csrDir'>): void {
  if (options.csrDir === undefined) return;
  const directory = csrDirectory(node, options);
  if (exists(node.layout.root.resolve(directory), directory)) return;
  throw new KubepkiError('not-found', 'no such directory', {
    file: directory,
    hint: 'name the directory with the CSRs with --csr-dir',
  });
}

/** A user who may write to the directory may swap the files in it. */
export function warnOfOpenDirectory(node: Node, options: Typed<'csrDir'>, terminal: Terminal): void {
  const directory = csrDirectory(node, options);
  const stats = statSync(node.layout.root.resolve(directory), { throwIfNoEntry: false });
  if (stats === undefined || (stats.mode & 0o002) === 0) return;
  terminal.warning(`${directory}: every user of this machine may write to it: chmod o-w`);
}
