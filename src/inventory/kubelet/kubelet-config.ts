import { join } from 'node:path';
import { naming } from '../../errors/error.ts';
import type { FileSystemRoot } from '../../filesystem/root.ts';
import { readYaml } from '../../yaml/plain-yaml.ts';
import { readDirectory, readFile, reading, type Reading } from '../reading.ts';
import { kubeletFlag, kubeletSwitch, readKubeletFlags, type KubeletFlags } from './kubelet-flags.ts';

/** What the kubelet's configuration says of static pods and of its certificate; undefined: its default. */
export interface KubeletConfig {
  /** Its configuration file. */
  readonly path: string;
  /** Go's duration, 20 s by default: how often it looks for manifests. */
  readonly fileCheckFrequency: string | undefined;
  /** The path that the kubelet sees, inside the root. */
  readonly staticPodPath: string | undefined;
  /** It asks the cluster for its serving certificate, rather than making one itself. */
  readonly serverTLSBootstrap: Switch;
  /** It asks for a new client certificate before its own ends. */
  readonly rotateCertificates: Switch;
  /** The CAs by which it judges who asks it, as it sees them, inside the root. */
  readonly clientCaFile: string | undefined;
  /** Its serving certificate, where it is given one. */
  readonly tlsCertFile: string | undefined;
  /** Where it listens; all addresses and 10250 by default. */
  readonly address: string | undefined;
  readonly port: string | undefined;
}

interface Switch {
  readonly isOn: boolean;
  readonly saidBy: SaidBy;
}

/** Which file has the last word, or that a flag has it, or that nothing is said. */
type SaidBy =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'flag'; readonly flag: string }
  | { readonly kind: 'default' };

interface Setting {
  readonly value: string;
  readonly saidBy: SaidBy;
}

// kubeadm's place for it.
const configPath = '/var/lib/kubelet/config.yaml';

/**
 * The kubelet's file, over it the `*.conf` of its --config-dir (KEP-3983), and over these its flags.
 * Never throws for a bad file.
 */
export function readKubeletConfig(root: FileSystemRoot): Reading<KubeletConfig> {
  return reading(root.locate(configPath), () => {
    const flags = readKubeletFlags(root);
    const path = inside(root, kubeletFlag(flags, 'config') ?? configPath);
    const base = readDocument(root, path);
    const directory = kubeletFlag(flags, 'config-dir');
    const dropIns = directory === undefined ? [] : dropInsBelow(root, inside(root, directory));
    if (base === undefined && dropIns.length === 0) return undefined;
    const documents = [
      ...(base === undefined ? [] : [{ path, value: base }]),
      ...dropIns.map((one) => ({ path: one, value: readDocument(root, one) })),
    ];
    const settings = settingsIn(documents);
    for (const [name, setting] of flagSettings(flags)) settings.set(name, setting);
    const isOn = (field: Field): Switch => {
      const { value, saidBy } = settings.get(field) ?? { value: '', saidBy: { kind: 'default' } };
      // What YAML 1.1 takes for true, as the kubelet does.
      return { isOn: /^(?:true|yes|on|y)$/i.test(value), saidBy };
    };
    return {
      path,
      fileCheckFrequency: settings.get('fileCheckFrequency')?.value,
      staticPodPath: settings.get('staticPodPath')?.value,
      serverTLSBootstrap: isOn('serverTLSBootstrap'),
      rotateCertificates: isOn('rotateCertificates'),
      clientCaFile: settings.get('authentication.x509.clientCAFile')?.value,
      tlsCertFile: settings.get('tlsCertFile')?.value,
      address: settings.get('address')?.value,
      port: settings.get('port')?.value,
    };
  });
}

/** systemd starts the kubelet in `/`. */
function inside(root: FileSystemRoot, path: string): string {
  return root.locate(path, root.directory);
}

/** A dot leads to a field of a field. */
const fields = [
  'fileCheckFrequency',
  'staticPodPath',
  'serverTLSBootstrap',
  'rotateCertificates',
  'authentication.x509.clientCAFile',
  'tlsCertFile',
  'address',
  'port',
] as const;
type Field = (typeof fields)[number];

/** The last file wins, field by field. A null there stands for the kubelet's default. */
function settingsIn(
  documents: readonly { readonly path: string; readonly value: unknown }[],
): Map<Field, Setting> {
  const settings = new Map<Field, Setting>();
  for (const { path, value } of documents) {
    for (const field of fields) {
      const text = textOf(value, field.split('.'));
      if (text === undefined) continue;
      if (/^(?:null|~|)$/i.test(text)) settings.delete(field);
      else settings.set(field, { value: text, saidBy: { kind: 'file', path } });
    }
  }
  return settings;
}

/** The kubelet reads its flags once more when it has read its files. */
function flagSettings(flags: KubeletFlags): (readonly [Field, Setting])[] {
  const value = (name: string): string | undefined => kubeletFlag(flags, name);
  const onOrOff = (name: string): string | undefined => kubeletSwitch(flags, name)?.toString();
  const found: readonly (readonly [Field, string, (name: string) => string | undefined])[] = [
    ['fileCheckFrequency', 'file-check-frequency', value],
    ['staticPodPath', 'pod-manifest-path', value],
    ['serverTLSBootstrap', 'rotate-server-certificates', onOrOff],
    ['rotateCertificates', 'rotate-certificates', onOrOff],
    ['authentication.x509.clientCAFile', 'client-ca-file', value],
    ['tlsCertFile', 'tls-cert-file', value],
    ['address', 'address', value],
    ['port', 'port', value],
  ];
  return found.flatMap(([field, flag, read]) => {
    const given = read(flag);
    return given === undefined || given === ''
      ? []
      : [[field, { value: given, saidBy: { kind: 'flag', flag: `--${flag}=${given}` } }] as const];
  });
}

/** @returns undefined when there is no such file; null for an empty one */
function readDocument(root: FileSystemRoot, path: string): unknown {
  return naming(path, () => {
    const { bytes } = readFile(root, path);
    if (bytes === undefined) return undefined;
    return readYaml(bytes.toString('utf8'), 'bad-config') ?? null;
  });
}

/** Go's filepath.WalkDir: by name in each directory, those below where they stand; symlinks to directories are not entered. */
function dropInsBelow(root: FileSystemRoot, directory: string): string[] {
  const entries = readDirectory(root, directory).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return dropInsBelow(root, path);
    return entry.name.endsWith('.conf') ? [path] : [];
  });
}

function textOf(value: unknown, [name, ...below]: readonly string[]): string | undefined {
  if (name === undefined) return typeof value === 'string' ? value : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  return textOf(new Map<string, unknown>(Object.entries(value)).get(name), below);
}
