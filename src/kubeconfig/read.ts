import { isMap, type Document, type YAMLMap } from 'yaml';
import { parseYaml } from '../yaml/parse-yaml.ts';
import type { Kubeconfig, MaybeEmbedded } from './kubeconfig.ts';
import { badKubeconfig, findNamed, findText } from './lookup.ts';

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The YAML nodes a rewrite needs. */
export interface KubeconfigNodes {
  readonly document: Document;
  readonly user: YAMLMap;
  readonly cluster: YAMLMap;
}

/**
 * Reads what the current context leads to. Sentences that kubeadm has for the same fault are kubeadm's.
 * @throws KubepkiError bad-kubeconfig, without a file
 */
export function readKubeconfig(text: string): Kubeconfig {
  return readNodes(text).kubeconfig;
}

/** @throws KubepkiError bad-kubeconfig, without a file */
export function readNodes(text: string): { kubeconfig: Kubeconfig; nodes: KubeconfigNodes; value: unknown } {
  const [first, ...others] = parseYaml(text, { code: 'bad-kubeconfig', schema: 'failsafe' });
  if (first === undefined || first.document.contents === null) throw badKubeconfig('is empty');
  if (others.length > 0) throw badKubeconfig('holds several YAML documents');
  const { document, value } = first;
  const root = document.contents;
  if (!isMap(root)) throw badKubeconfig('is not a kubeconfig: it is not a mapping');
  const kind = findText(document, root, 'kind');
  if (kind !== undefined && kind !== 'Config')
    throw badKubeconfig(`is not a kubeconfig: its kind is not Config`);

  const contextName = findText(document, root, 'current-context');
  if (contextName === undefined) {
    throw badKubeconfig(
      'has no current-context',
      'name one: kubectl config use-context NAME --kubeconfig FILE',
    );
  }
  const context = findNamed(document, root, 'contexts', 'context', contextName);
  if (context === undefined) throw badKubeconfig(`missing context ${contextName}`);
  const clusterName = findText(document, context, 'cluster') ?? '';
  const cluster = findNamed(document, root, 'clusters', 'cluster', clusterName);
  if (cluster === undefined) throw badKubeconfig(`missing cluster ${clusterName}`);
  const userName = findText(document, context, 'user') ?? '';
  const user = findNamed(document, root, 'users', 'user', userName);
  if (user === undefined) throw badKubeconfig(`missing authInfo ${userName}`);

  const clientCertificate = embedded(document, user, 'client-certificate');
  if (clientCertificate.kind === 'absent') {
    throw badKubeconfig('does not have an embedded client certificate, nor does it name one');
  }
  return {
    kubeconfig: {
      text,
      contextName,
      clusterName,
      userName,
      clientCertificate,
      clientKey: embedded(document, user, 'client-key'),
      clusterCa: embedded(document, cluster, 'certificate-authority'),
    },
    nodes: { document, user, cluster },
    value,
  };
}

// clientcmd: `x-data` overrides `x`.
function embedded(document: Document, map: YAMLMap, name: string): MaybeEmbedded {
  const data = findText(document, map, `${name}-data`);
  if (data !== undefined) return { kind: 'data', bytes: decode(data, `${name}-data`) };
  const path = findText(document, map, name);
  return path === undefined ? { kind: 'absent' } : { kind: 'file', path };
}

// Go's base64 passes over line ends and nothing else.
function decode(text: string, field: string): Buffer {
  const compact = text.replace(/[\r\n]/g, '');
  if (compact.length % 4 !== 0 || !base64.test(compact)) throw badKubeconfig(`${field} is not valid base64`);
  return Buffer.from(compact, 'base64');
}
