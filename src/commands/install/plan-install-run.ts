import { certificates, kubeletKubeconfig, type CertificateSpec } from '../../catalog/catalog.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import {
  readCertificateFile,
  readCertificateFiles,
  type CertificateFile,
} from '../../inventory/certificate-files.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { readPendingFiles, type PendingFiles } from '../../inventory/request-files.ts';
import type { KeysInUse } from '../../operations/issuing/keys-in-use.ts';
import { planInstall, stillNeeded, type PlannedInstall } from '../../operations/install/plan-install.ts';
import { strangers, type InstallSettings } from '../../operations/install/pending.ts';
import type { Node } from '../../node/node-options.ts';
import { crossesHere } from '../../node/rotation/rotation.ts';
import { readToFill } from '../../node/snapshot.ts';
import { stateOf } from '../../node/waiting.ts';
import { readRequestedKeys } from '../../storage/requested-keys.ts';
import { retyped, type Typed } from '../../flags/table.ts';
import { csrDirectory } from '../../node/csr-directory.ts';

export type InstallSources = Typed<'csrDir' | 'fromBundle' | 'allowChanges'>;

export interface InstallRun {
  readonly inventory: Inventory;
  readonly keysInUse: KeysInUse;
  readonly plan: readonly PlannedInstall[];
  /** Host paths without symlinks that stay when what has waited is cleared away. */
  readonly notCleared: ReadonlySet<string>;
  /** Files that belong to nothing that was asked for. */
  readonly strangers: readonly KubepkiError[];
}

/** What can be installed: kubelet.conf too, which `generate-csr` asks for. */
export const installable: readonly CertificateSpec[] = [...certificates, kubeletKubeconfig];

/**
 * Reads what waits and what has come back.
 * @param named undefined: everything
 * @throws KubepkiError when a directory or the bundle cannot be read
 */
export function planInstallRun(
  node: Node,
  named: readonly CertificateSpec[] | undefined,
  sources: InstallSources,
  now: Date,
): InstallRun {
  const { layout } = node;
  const { inventory, keys, keysInUse, places } = readToFill(node);
  const directory = csrDirectory(node, sources);
  const waiting = installable.flatMap((spec) => readPendingFiles(layout, directory, spec));
  const bundle = sources.fromBundle === undefined ? undefined : readBundle(node, sources.fromBundle);
  const { all, ours } = readExpected(
    node,
    directory,
    waiting.filter(({ spec }) => named === undefined || named.includes(spec)),
  );
  const bundled = bundle === undefined ? [] : [bundle];
  const settings: InstallSettings = {
    now,
    allowChanges: sources.allowChanges === true,
    command: commandLine([...retyped(sources, ['csrDir']), ...node.flags]),
    crosses: crossesHere(node),
    keysInUse,
    keys,
    requestedKeys: readRequestedKeys(stateOf(node)),
    waiting,
    files: [...all, ...bundled],
    bundle: bundle?.target.resolvedPath,
    places,
  };
  const plan = planInstall(inventory, named ?? installable, settings);
  return {
    inventory,
    keysInUse,
    notCleared: new Set([
      ...bundled.map(({ target }) => target.resolvedPath),
      ...stillNeeded(plan, settings),
    ]),
    plan,
    strangers: strangers(inventory, { ...settings, files: [...ours(named), ...bundled] }),
  };
}

/**
 * In a directory of its own every certificate counts; the cert dir holds others too.
 * @returns the certificates there are, and those that must be for something that was asked for
 */
function readExpected(
  { layout: { root, certDir } }: Node,
  directory: string,
  waiting: readonly PendingFiles[],
): {
  readonly all: readonly CertificateFile[];
  readonly ours: (named: readonly CertificateSpec[] | undefined) => readonly CertificateFile[];
} {
  const read = (paths: readonly string[]): CertificateFile[] =>
    [...new Set(paths)].map((path) => readCertificateFile(root, path));
  const expected = read(waiting.flatMap(({ certificatePaths }) => certificatePaths));
  // A key may be called .pem as well, and one that is DER may lie beside what was made of it.
  const others = read(waiting.flatMap(({ otherPaths }) => otherPaths));
  const readable = others.filter(({ content }) => content.status !== 'unreadable');
  if (root.resolve(directory) === root.resolve(certDir)) {
    return { all: [...expected, ...others], ours: () => [...expected, ...readable] };
  }
  const found = readCertificateFiles(root, directory);
  const besides = others.filter(({ target }) => found.every((one) => one.target.path !== target.path));
  return {
    all: [...found, ...besides],
    // Where only some names are asked for, the others' files are nobody's business.
    ours: (named) => [
      ...(named === undefined
        ? found.filter(({ target }) => /\.crt(?:\.new)?$/.test(target.path))
        : expected),
      ...readable,
    ],
  };
}

function readBundle({ layout: { root } }: Node, fromBundle: string): CertificateFile {
  const path = root.locate(fromBundle);
  const file = readCertificateFile(root, path);
  if (file.content.status === 'unreadable') throw file.content.error;
  if (file.content.status === 'present') return file;
  throw new KubepkiError('not-found', 'no such file', {
    file: path,
    hint: 'name the file with the signed certificates with --from-bundle',
  });
}
