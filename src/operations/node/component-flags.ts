import type { Pod } from '../../inventory/kubelet/static-pods.ts';

/** The values of a flag, in the order given. Go takes `--flag=value` and `--flag value`; for etcd one dash is enough. */
export function flagValues(words: readonly string[], flag: string): string[] {
  return words.flatMap((word, index) => {
    const [, name, value] = /^--?([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const given = name === flag ? (value ?? words[index + 1]) : undefined;
    return given === undefined ? [] : [given];
  });
}

/** The value that counts: for Go, the last one. */
export function lastFlagValue(words: readonly string[], flag: string): string | undefined {
  return flagValues(words, flag).at(-1);
}

/** A value that a component is given, and its source: `--cert-file` or `ETCD_CERT_FILE`. */
export interface Setting {
  readonly field: string;
  readonly value: string;
}

export function flagSettings({ words }: Pick<Pod, 'words'>, flag: string): Setting[] {
  return flagValues(words, flag).map((value) => ({ field: `--${flag}`, value }));
}

/**
 * etcd takes each flag from its environment too. A flag wins, and an empty variable is none (etcd, pkg/flags/flag.go,
 * SetFlagsFromEnv).
 */
export function etcdSettings(pod: Pick<Pod, 'words' | 'environment'>, flag: string): Setting[] {
  const given = flagSettings(pod, flag);
  if (given.length > 0) return given;
  const variable = `ETCD_${flag.toUpperCase().replaceAll('-', '_')}`;
  const value = pod.environment.get(variable);
  return value === undefined ? [] : [{ field: variable, value }];
}

/** The value that counts for etcd. */
export function etcdSetting(pod: Pick<Pod, 'words' | 'environment'>, flag: string): string | undefined {
  return etcdSettings(pod, flag).at(-1)?.value;
}
