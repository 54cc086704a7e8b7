import type { KubeadmConfig } from '../config/kubeadm-config.ts';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import type { clusterFlags, Typed } from '../flags/table.ts';
import { type FileSystemRoot } from '../filesystem/root.ts';
import { isOwnNode, locateLayout } from '../inventory/layout.ts';
import { adminConf, foreignOwnerOf, readApiAccess } from './cluster-access.ts';
import { openRoot, type NodeOptions } from './node-options.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** For all of it: the name, the connection, TLS and the answer. An operator with a broken API server must not wait. */
const boundMs = 3000;

type Options = NodeOptions & ClusterOptions;

interface Asking {
  /** kubeadm's word for the command, before each of its lines. */
  readonly prefix: 'check-expiration' | 'renew';
  /** kubeadm says nothing of this beside a document. */
  readonly text: boolean;
}

/**
 * What the cluster's kubeadm-config says, where it is to be asked and answers. Nothing that goes wrong with it stops a
 * command: its files can be there without the cluster.
 */
export async function askCluster(
  options: Options,
  asking: Asking,
  terminal: Terminal,
): Promise<KubeadmConfig | undefined> {
  const root = openRoot(options);
  const kubeconfig = kubeconfigToUse(root, options);
  if (kubeconfig === undefined) return undefined;
  return readClusterConfig({ root, kubeconfig, options }, asking, terminal);
}

/**
 * kubeadm asks whenever there is no --config. Here a copy of a PKI directory or another root is not asked about, unless
 * --kubeconfig says so: this machine's cluster knows nothing of it, or the one that its admin.conf names is out of reach.
 * @returns host path
 */
function kubeconfigToUse(root: FileSystemRoot, options: Options): string | undefined {
  if (options.offline === true || options.config !== undefined) return undefined;
  if (options.kubeconfig !== undefined) return root.locate(options.kubeconfig);
  const own = isOwnNode(root, {
    certDir: options.certDir && root.locate(options.certDir),
    kubeconfigDir: options.kubeconfigDir && root.locate(options.kubeconfigDir),
    manifestsDir: undefined,
  });
  return own ? root.locate(adminConf) : undefined;
}

interface Question {
  readonly root: FileSystemRoot;
  readonly kubeconfig: string;
  readonly options: Options;
}

async function readClusterConfig(
  { root, kubeconfig, options }: Question,
  { prefix, text }: Asking,
  terminal: Terminal,
): Promise<KubeadmConfig | undefined> {
  const banner = (line: string): void => {
    if (text) terminal.banner(line === '' ? '' : `[${prefix}] ${line}`);
  };
  const note = (line: string): void => {
    if (text) terminal.note(line);
  };
  const hint = (line: string | undefined): void => {
    if (text) terminal.hint(line);
  };
  try {
    // What only reads asks for no owner.
    const owner = prefix === 'renew' ? foreignOwnerOf(root, kubeconfig) : undefined;
    if (owner !== undefined && options.kubeconfig === undefined) {
      note(
        `${kubeconfig}: belongs to uid ${String(owner)}, who would decide how certificates are renewed, so the cluster is not asked`,
      );
      hint(
        `if it is this cluster's, make it yours: chown root:root ${shellWord(kubeconfig)}; or name it: --kubeconfig`,
      );
      return undefined;
    }
    const access = readApiAccess(root, kubeconfig);
    // As kubeadm: no admin.conf, no attempt, no word. One that was asked for is missed.
    if (access === undefined) {
      if (options.kubeconfig !== undefined) note(`${kubeconfig}: no such file, so the cluster is not asked`);
      return undefined;
    }
    banner('Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...');
    const text = await fetchConfigMap(access, terminal);
    // kubeadm says it before it asks. During an outage there is nothing to upload it to.
    banner("Use 'kubeadm init phase upload-config kubeadm --config your-config-file' to re-upload it.");
    const config = await parseConfig(text, note);
    banner('');
    // Where root writes is not for the owner of a kubeconfig to say, even of one that was named.
    const trusted = owner === undefined ? config : { ...config, certificatesDir: undefined };
    return withUsableCertDir(root, trusted, options, terminal);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    banner('Error reading configuration from the Cluster. Falling back to default configuration');
    // What cannot be used today cannot be used tomorrow; what the cluster does not say it may say then.
    if (isUnusable(error)) {
      const { message, hint: next } = unusableClusterConfig(error);
      terminal.warning(message);
      terminal.hint(next);
    } else {
      note(error.oneLine);
      hint(error.hint);
    }
    banner('');
    return undefined;
  }
}

async function fetchConfigMap(
  access: NonNullable<ReturnType<typeof readApiAccess>>,
  terminal: Terminal,
): Promise<string> {
  const signal = AbortSignal.timeout(boundMs);
  const progress = terminal.progress('reading the configuration from the cluster');
  try {
    // Loaded only here: most commands ask no API server. What reads the answer is loaded meanwhile.
    const [{ readKubeadmConfigMap }] = await Promise.all([
      import('../cluster/kubeadm-config-map.ts'),
      import('../config/parse.ts'),
    ]);
    return await readKubeadmConfigMap(access, signal);
  } finally {
    progress.end();
  }
}

async function parseConfig(text: string, note: (line: string) => void): Promise<KubeadmConfig> {
  const { parseKubeadmConfig } = await import('../config/parse.ts');
  const { config, warnings } = parseKubeadmConfig(text, 'cluster');
  for (const warning of warnings) note(`the cluster's kubeadm-config: ${warning}`);
  return config;
}

/** The cluster has answered, and what it says cannot be used. */
export function isUnusable({ code }: KubepkiError): boolean {
  return code === 'bad-config' || code === 'unsupported-config';
}

/**
 * The same error, said of the cluster's configuration. Only one that is wrong for every kubeadm is to be corrected there: a version
 * that is not known here is right for the kubeadm that wrote it.
 */
export function unusableClusterConfig(error: KubepkiError): KubepkiError {
  return new KubepkiError(error.code, `the cluster's kubeadm-config: ${error.message}`, {
    hint:
      error.code === 'bad-config'
        ? 'correct it: kubectl -n kube-system edit configmap kubeadm-config'
        : error.hint,
    cause: error,
  });
}

/** The cluster speaks for all its nodes, and this one may be another: kubeadm goes on with its default there too. */
function withUsableCertDir(
  root: FileSystemRoot,
  config: KubeadmConfig,
  { certDir }: Options,
  terminal: Terminal,
): KubeadmConfig {
  // An explicit --cert-dir wins, as with kubeadm.
  if (config.certificatesDir === undefined || certDir !== undefined)
    return { ...config, certificatesDir: undefined };
  try {
    locateLayout(root, {
      certDir: root.locate(config.certificatesDir),
      kubeconfigDir: undefined,
      manifestsDir: undefined,
    });
    return config;
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    terminal.warning(`certificatesDir of the cluster's kubeadm-config is not used: ${error.oneLine}`);
    return { ...config, certificatesDir: undefined };
  }
}

export type ClusterOptions = Typed<(typeof clusterFlags)[number]>;
