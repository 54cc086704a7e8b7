import { KubepkiError } from '../errors/error.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import { readClusterConfiguration, type ConfigSource } from './cluster-configuration.ts';
import { isRecord, kindsOf, unknownFields, type ConfigVersion } from './fields.ts';
import type { KubeadmConfig } from './kubeadm-config.ts';

const group = 'kubeadm.k8s.io/';
const versions: readonly ConfigVersion[] = ['v1beta1', 'v1beta2', 'v1beta3', 'v1beta4'];
// kubeadm hands these component configurations on.
const silentGroups = ['kubelet.config.k8s.io/', 'kubeproxy.config.k8s.io/'];

interface ParsedConfig {
  readonly config: KubeadmConfig;
  /** One line each, without the file. */
  readonly warnings: readonly string[];
}

const defaults: KubeadmConfig = {
  certificatesDir: undefined,
  etcd: { kind: 'stacked' },
  encryptionAlgorithm: undefined,
  certificateValidityMs: undefined,
  caCertificateValidityMs: undefined,
};

/**
 * Reads a kubeadm configuration: one or more YAML documents, or the ConfigMap that kubeadm keeps in the cluster.
 * @throws KubepkiError bad-config with the field's path, unsupported-config; without a file
 */
export function parseKubeadmConfig(text: string, source: ConfigSource = 'file'): ParsedConfig {
  const { documents, warnings } = kubeadmDocuments(text);
  let config: KubeadmConfig | undefined;
  for (const { version, kind, value } of documents) {
    if (kind !== 'ClusterConfiguration') continue;
    const result = readClusterConfiguration(value, version, source);
    if ('wrong' in result) throw badConfig(result.wrong.join('; '));
    config = result.config;
    warnings.push(...result.warnings);
  }
  return { config: config ?? defaults, warnings };
}

interface KubeadmDocument {
  readonly version: ConfigVersion;
  readonly kind: string;
  readonly value: unknown;
}

/**
 * The documents of a file that are kubeadm's, at most one of each kind.
 * @throws KubepkiError bad-config, unsupported-config; without a file
 */
export function kubeadmDocuments(text: string): { documents: KubeadmDocument[]; warnings: string[] } {
  const values = valuesIn(text);
  if (values.length === 0) throw badConfig('is empty');
  const warnings: string[] = [];
  const documents: KubeadmDocument[] = [];
  for (const value of values.flatMap(unpacked)) {
    const header = readHeader(value);
    if (header.version === undefined) {
      if (header.warning !== undefined) warnings.push(header.warning);
      continue;
    }
    const { version, kind } = header;
    const fields = new Map(Object.entries(kindsOf(version))).get(kind);
    if (fields === undefined) {
      warnings.push(`kind "${kind}" is not one of ${group}${version}, and is ignored`);
      continue;
    }
    warnings.push(...unknownFields(value, fields, kind));
    if (documents.some((document) => document.kind === kind)) throw badConfig(`has more than one ${kind}`);
    documents.push({ version, kind, value });
  }
  if (documents.length === 0) {
    throw new KubepkiError('bad-config', 'holds no kubeadm configuration', {
      hint: 'give --config the file that kubeadm init was given, or: kubectl -n kube-system get cm kubeadm-config -o yaml',
    });
  }
  return { documents, warnings };
}

function valuesIn(text: string): unknown[] {
  // Go's YAML is 1.1 where it matters here: `PublicKeysECDSA: yes` is a boolean.
  return (
    parseYaml(text, { code: 'bad-config', schema: 'yaml-1.1' })
      .map(({ value }) => value)
      // A leading or trailing `---` leaves an empty document.
      .filter((value) => value !== null && value !== undefined)
  );
}

/** The cluster's ConfigMaps, as kubectl prints them, have kubeadm's documents inside as text. */
function unpacked(value: unknown): unknown[] {
  const texts = configMapTexts(value);
  if (texts === undefined) return [value];
  return texts.flatMap((text) => {
    try {
      return valuesIn(text);
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      throw badConfig(`data.ClusterConfiguration ${error.message}`);
    }
  });
}

type Header =
  | { readonly version: ConfigVersion; readonly kind: string }
  | { readonly version: undefined; readonly warning: string | undefined };

function readHeader(value: unknown): Header {
  if (!isRecord(value)) throw badConfig('is not a mapping');
  const { apiVersion, kind } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion === '' || kind === '') {
    throw badConfig('has a document without apiVersion and kind');
  }
  if (!apiVersion.startsWith(group)) {
    const silent = silentGroups.some((prefix) => apiVersion.startsWith(prefix));
    const warning = `apiVersion "${apiVersion}" is not kubeadm's, and its document is ignored`;
    return { version: undefined, warning: silent ? undefined : warning };
  }
  const version = versions.find((known) => apiVersion === `${group}${known}`);
  if (version === undefined) {
    const known = `kubepki knows ${group}${versions.join(', ')}`;
    throw new KubepkiError(
      'unsupported-config',
      `apiVersion ${JSON.stringify(apiVersion)} is not supported`,
      {
        // kubeadm brings a configuration forward, never back.
        hint: /^v\d+alpha\d+$/.test(apiVersion.slice(group.length))
          ? `${known}; bring a copy to one of them with a kubeadm that knows both, and give it with --config: kubeadm config migrate --old-config FILE`
          : `${known}; use a newer kubepki`,
      },
    );
  }
  return { version, kind };
}

export function badConfig(message: string): KubepkiError {
  return new KubepkiError('bad-config', message);
}

/**
 * The configurations in what `kubectl get configmap -o yaml` (or json) prints: of the ConfigMap kubeadm-config itself, or of a
 * List with it among others.
 * @returns undefined for anything else
 */
function configMapTexts(value: unknown): string[] | undefined {
  if (!isRecord(value) || value['apiVersion'] !== 'v1') return undefined;
  const { kind, items, data } = value;
  if (kind === 'List' || kind === 'ConfigMapList') {
    return Array.isArray(items) ? items.flatMap((item) => configMapTexts(item) ?? []) : [];
  }
  const text = kind === 'ConfigMap' && isRecord(data) ? data['ClusterConfiguration'] : undefined;
  return typeof text === 'string' ? [text] : undefined;
}
