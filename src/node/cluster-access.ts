import { dirname, join } from 'node:path';
import type { ApiAccess } from '../cluster/connection.ts';
import { KubepkiError, naming } from '../errors/error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import { shellWord } from '../errors/shell-word.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import type { Layout } from '../inventory/layout.ts';
import { readConnection } from '../kubeconfig/connection.ts';
import type { Embedded, MaybeEmbedded } from '../kubeconfig/kubeconfig.ts';

/**
 * What a kubeconfig says of its API server, with the files that it names.
 * @param path host path
 * @returns undefined when there is no such file
 * @throws KubepkiError naming a file
 */
export function readApiAccess(root: FileSystemRoot, path: string): ApiAccess | undefined {
  const file = readRegularFile(root.resolve(path), path);
  if (file === undefined) return undefined;
  const { server, serverName, ca, credentials } = naming(path, () =>
    readConnection(file.bytes.toString('utf8')),
  );
  const read = (embedded: Embedded): Buffer => bytesOf(root, path, embedded);
  return {
    server,
    serverName,
    ca: present(ca) ? read(ca) : undefined,
    credentials:
      credentials.kind === 'token'
        ? credentials
        : { kind: 'certificate', certificate: read(credentials.certificate), key: read(credentials.key) },
  };
}

/**
 * The owner of a kubeconfig, who decides which cluster is asked, and so what it answers.
 * @returns undefined where that is root or the caller, or there is no such file
 * @throws KubepkiError naming a file
 */
export function foreignOwnerOf(root: FileSystemRoot, path: string): number | undefined {
  const facts = readRegularFile(root.resolve(path), path)?.facts;
  return facts?.foreign === true ? facts.uid : undefined;
}

/** Of kubeadm's admin, on a node of the control plane. */
export const adminConf = '/etc/kubernetes/admin.conf';

/**
 * The same where there is no going on without it.
 * @param given undefined: the admin's
 * @throws KubepkiError naming a file
 */
export function requireApiAccess(root: FileSystemRoot, given: string | undefined): ApiAccess {
  const path = root.locate(given ?? adminConf);
  const access = readApiAccess(root, path);
  if (access !== undefined) return access;
  throw new KubepkiError('not-found', 'no such file, and it says how to reach the cluster', {
    file: path,
    hint: 'name the kubeconfig of somebody who may do this: --kubeconfig FILE',
  });
}

/**
 * The way to the cluster of this node, for answers that decide a change.
 * @param given undefined: the admin.conf of the node, unless another user owns it, who would decide which cluster answers
 * @throws KubepkiError naming a file
 */
export function requireNodeAccess(
  { root, kubeconfigDir }: Pick<Layout, 'root' | 'kubeconfigDir'>,
  given: string | undefined,
): ApiAccess {
  if (given !== undefined) return requireApiAccess(root, given);
  const path = join(kubeconfigDir, 'admin.conf');
  const owner = foreignOwnerOf(root, path);
  if (owner === undefined) return requireApiAccess(root, root.display(path));
  throw new KubepkiError(
    'no-permission',
    `belongs to uid ${String(owner)}, who would decide which cluster answers`,
    {
      file: path,
      hint: `if it is this cluster's, make it yours: chown root:root ${shellWord(path)}; or name it: --kubeconfig`,
    },
  );
}

function present(embedded: MaybeEmbedded): embedded is Embedded {
  return embedded.kind !== 'absent';
}

function bytesOf(root: FileSystemRoot, kubeconfig: string, embedded: Embedded): Buffer {
  if (embedded.kind === 'data') return embedded.bytes;
  const path = root.locate(embedded.path, dirname(kubeconfig));
  const file = readRegularFile(root.resolve(path), path);
  if (file !== undefined) return file.bytes;
  throw new KubepkiError('not-found', `no such file, and ${root.display(kubeconfig)} names it`, {
    file: path,
  });
}
