import { parseYaml } from '../yaml/parse-yaml.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { readFile, reading, type Reading } from './reading.ts';

/** What the kubelet's configuration says of static pods and of its certificate; undefined: its default. */
export interface KubeletConfig {
  readonly path: string;
  /** Go's duration, 20 s by default: how often it looks for manifests. */
  readonly fileCheckFrequency: string | undefined;
  /** As somebody inside the root sees it. */
  readonly staticPodPath: string | undefined;
  /** It asks the cluster for its serving certificate, rather than making one itself. */
  readonly serverTLSBootstrap: boolean;
}

// kubeadm's place for it.
const configPath = '/var/lib/kubelet/config.yaml';

/** Never throws for a bad file. */
export function readKubeletConfig(root: FileSystemRoot): Reading<KubeletConfig> {
  const path = root.locate(configPath);
  return reading(path, () => {
    const { bytes } = readFile(root, path);
    if (bytes === undefined) return undefined;
    const [document] = parseYaml(bytes.toString('utf8'), { code: 'bad-config', schema: 'failsafe' });
    return {
      path,
      fileCheckFrequency: text(document?.value, 'fileCheckFrequency'),
      staticPodPath: text(document?.value, 'staticPodPath'),
      // What YAML 1.1 takes for true, as the kubelet does.
      serverTLSBootstrap: /^(?:true|yes|on|y)$/i.test(text(document?.value, 'serverTLSBootstrap') ?? ''),
    };
  });
}

function text(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found: unknown = new Map<string, unknown>(Object.entries(value)).get(name);
  return typeof found === 'string' && found !== '' ? found : undefined;
}
