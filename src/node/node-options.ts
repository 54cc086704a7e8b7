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
export interface NodeOptions extends Typed<(typeof nodeFlags)[number] | 'manifestsDir'> {
  /** No flag: what the cluster has said (`ask-cluster.ts`). Its certificatesDir is there on this node. */
  readonly clusterConfig?: KubeadmConfig | undefined;
}

export interface Node {
  readonly layout: Layout;
  /** Its directories need not be there yet. */
  readonly isPlanned: boolean;
  /** undefined without `--config`, unless the cluster had one. */
  readonly config: KubeadmConfig | undefined;
  /** Where that comes from. */
  readonly configFrom: 'command-line' | 'cluster';
  /** The flags that led here, for a command line in a hint. */
  readonly flags: readonly string[];
  /** All that may have led here, for a hint with a command that takes more of them. */
  readonly typed: NodeOptions & Typed<(typeof clusterFlags)[number]>;
}

/** @throws KubepkiError for a directory or a configuration that cannot be used */
export async function openNode(options: NodeOptions, terminal: Terminal): Promise<Node> {
  return { ...(await findNode(options, terminal, locateLayout)), isPlanned: false };
}

/** The same where the directories need not be there yet. */
export async function planNode(options: NodeOptions, terminal: Terminal): Promise<Node> {
  return { ...(await findNode(options, terminal, plannedLayout)), isPlanned: true };
}

async function findNode(
  options: NodeOptions,
  terminal: Terminal,
  layoutOf: typeof locateLayout,
): Promise<Omit<Node, 'isPlanned'>> {
  const root = FileSystemRoot.open(options.rootfs, workingDirectory(options));
  const config =
    options.config === undefined ? options.clusterConfig : await readConfig(root, options.config, terminal);
  // kubeadm ignores --cert-dir when --config is given; an explicit flag that does nothing helps nobody.
  const certDir = options.certDir ?? config?.certificatesDir;
  const layout = layoutOf(root, {
    certDir: certDir && root.locate(certDir),
    kubeconfigDir: options.kubeconfigDir && root.locate(options.kubeconfigDir),
    manifestsDir: options.manifestsDir && root.locate(options.manifestsDir),
  });
  const configFrom = options.config === undefined ? 'cluster' : 'command-line';
  return { layout, config, configFrom, flags: retypedNode(options), typed: options };
}

/** What the configuration says of keys; undefined: nothing. */
export function namedAlgorithm({ config, configFrom }: Node): NamedAlgorithm | undefined {
  return config?.encryptionAlgorithm && { name: config.encryptionAlgorithm, from: configFrom };
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

/** The same flags again, for a command line in a hint. */
export function retypedNode(options: NodeOptions): string[] {
  // Not every command asks the cluster, and the cluster does not always answer.
  const certDir = options.certDir ?? options.clusterConfig?.certificatesDir;
  return retyped({ ...options, certDir }, nodeFlags);
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
