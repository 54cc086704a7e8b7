import { isAbsolute } from 'node:path';
import type { KubeadmConfig } from '../config/kubeadm-config.ts';
import type { NodeNaming } from '../config/node-naming.ts';
import { KubepkiError, naming } from '../errors/error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import { FileSystemRoot } from '../filesystem/root.ts';
import { nodeFlags, retyped, type clusterFlags, type Typed } from '../flags/table.ts';
import { locateLayout, plannedLayout, type Layout } from '../inventory/layout.ts';
import type { NamedAlgorithm } from '../operations/issuing/key-choice.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** The flags that say which node's files are meant, as typed. Some commands look at static pods. */
export type NodeOptions = Typed<(typeof nodeFlags)[number] | 'manifestsDir'>;

/** kubeadm's configuration of a node, and who says it. Nothing of it was typed, so it is none of the options. */
type Configuration =
  | { readonly config: KubeadmConfig; readonly configFrom: 'command-line' | 'cluster' }
  | { readonly config: undefined; readonly configFrom: 'nobody' };

export type Node = Configuration & {
  readonly layout: Layout;
  /** Its directories need not be there yet. */
  readonly isPlanned: boolean;
  /** The flags that lead here, for a command line in a hint. */
  readonly flags: readonly string[];
  /** All that may have led here, for a hint with a command that takes more of them. */
  readonly typed: NodeOptions & Typed<(typeof clusterFlags)[number]>;
};

/**
 * `--config`, else what the cluster has said.
 * @param cluster its certificatesDir is there on this node; undefined: it was not asked, or says nothing
 * @throws KubepkiError for a file that cannot be used
 */
export async function readConfiguration(
  options: NodeOptions,
  terminal: Terminal,
  cluster?: KubeadmConfig,
): Promise<Configuration> {
  if (options.config !== undefined) {
    const config = await readConfig(openRoot(options), options.config, terminal);
    return { config, configFrom: 'command-line' };
  }
  return cluster === undefined
    ? { config: undefined, configFrom: 'nobody' }
    : { config: cluster, configFrom: 'cluster' };
}

/** @throws KubepkiError for a directory that cannot be used */
export function openNode(options: NodeOptions, configuration: Configuration): Node {
  return findNode(options, configuration, locateLayout);
}

/** The same where the directories need not be there yet. */
export function planNode(options: NodeOptions, configuration: Configuration): Node {
  return findNode(options, configuration, plannedLayout);
}

function findNode(options: NodeOptions, configuration: Configuration, layoutOf: typeof locateLayout): Node {
  const root = openRoot(options);
  const { config, configFrom } = configuration;
  // kubeadm ignores --cert-dir when --config is given; an explicit flag that does nothing helps nobody.
  const certDir = options.certDir ?? config?.certificatesDir;
  const layout = layoutOf(root, {
    certDir: certDir && root.locate(certDir),
    kubeconfigDir: options.kubeconfigDir && root.locate(options.kubeconfigDir),
    manifestsDir: options.manifestsDir && root.locate(options.manifestsDir),
  });
  // Not every command asks the cluster, and the cluster does not always answer: a hint names its directory.
  const known = configFrom === 'cluster' && certDir !== undefined ? { ...options, certDir } : options;
  return {
    ...configuration,
    layout,
    isPlanned: layoutOf === plannedLayout,
    flags: retyped(known, nodeFlags),
    typed: known,
  };
}

/** The root of the file system that the flags are about. @throws KubepkiError for one that cannot be used */
export function openRoot(options: NodeOptions): FileSystemRoot {
  return FileSystemRoot.open(options.rootfs, workingDirectory(options));
}

/** What the configuration says of keys; undefined: nothing. */
export function namedAlgorithm({ config, configFrom }: Node): NamedAlgorithm | undefined {
  if (configFrom === 'nobody' || config.encryptionAlgorithm === undefined) return undefined;
  return { name: config.encryptionAlgorithm, from: configFrom };
}

/**
 * Only a relative path needs the working directory: where that has been removed, other runs do their work.
 */
export function workingDirectory({
  certDir,
  kubeconfigDir,
  config,
  rootfs,
  manifestsDir,
}: NodeOptions): string {
  try {
    return process.cwd();
  } catch (cause) {
    const given = [rootfs, certDir, kubeconfigDir, manifestsDir, config];
    const relative = given.find((path) => path !== undefined && !isAbsolute(path));
    if (relative === undefined) return '/';
    throw new KubepkiError('not-found', 'is a relative path, and the working directory is gone', {
      file: relative,
      hint: 'give an absolute path, or go to a directory that exists',
      cause,
    });
  }
}

async function readConfig(root: FileSystemRoot, given: string, terminal: Terminal): Promise<KubeadmConfig> {
  const { path, text } = readConfigFile(root, given);
  // Loaded only here: most runs have no --config and start without the schema library.
  const { parseKubeadmConfig } = await import('../config/parse.ts');
  const { config, warnings } = naming(path, () => parseKubeadmConfig(text));
  for (const warning of warnings) terminal.warning(`${path}: ${warning}`);
  return config;
}

/** @throws KubepkiError not-found, not-a-file, too-large, no-permission */
export function readConfigFile(root: FileSystemRoot, given: string): { path: string; text: string } {
  const path = root.locate(given);
  const file = readRegularFile(root.resolve(path), path);
  if (file === undefined) {
    throw new KubepkiError('not-found', 'no such file', {
      file: path,
      hint: 'name the kubeadm configuration with --config',
    });
  }
  return { path, text: file.bytes.toString('utf8') };
}

/** What `--config` says of names and addresses; without it nothing. @throws KubepkiError bad-config */
export async function readNodeNaming(
  { layout: { root } }: Node,
  { config }: NodeOptions,
): Promise<NodeNaming> {
  // Loaded only here: most runs start without the schema library.
  const { noNaming, parseNodeNaming } = await import('../config/node-naming.ts');
  if (config === undefined) return noNaming;
  const { path, text } = readConfigFile(root, config);
  return naming(path, () => parseNodeNaming(text));
}
