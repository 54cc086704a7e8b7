import { isRecord } from './unknown-fields.ts';

/**
 * The configurations in what `kubectl get configmap -o yaml` (or json) prints: of the ConfigMap kubeadm-config itself, or of a
 * List with it among others.
 * @returns undefined for anything else
 */
export function configMapTexts(value: unknown): string[] | undefined {
  if (!isRecord(value) || value['apiVersion'] !== 'v1') return undefined;
  const { kind, items, data } = value;
  if (kind === 'List' || kind === 'ConfigMapList') {
    return Array.isArray(items) ? items.flatMap((item) => configMapTexts(item) ?? []) : [];
  }
  const text = kind === 'ConfigMap' && isRecord(data) ? data['ClusterConfiguration'] : undefined;
  return typeof text === 'string' ? [text] : undefined;
}
