import { shellWord } from '../../errors/shell-word.ts';
import type { Held } from './held.ts';
import type { FileHolding, ObjectHolding, ObjectPlace, Reference, RunningPod } from './reference.ts';

/** Takes the place of the CA in JSON: a text that needs no quotes there, and that no name has. */
const marker = '@@kubepki-bundle@@';

const says: Readonly<Record<Held['what'], string>> = {
  old: 'trusts the old CA alone',
  both: 'trusts the old CA and the new one',
  issued: 'has a certificate of the old CA',
};

/** An object of the cluster, with the command for it. */
export function objectReference({ place, held }: ObjectHolding): Reference {
  const { kind, namespace, name, field } = place;
  const edit = words('kubectl', ...inNamespace(namespace), 'edit', kind.toLowerCase(), name);
  const common = { kind, namespace, name, field: fieldText(field), held, says: saysOf(held) };
  if (held.what === 'issued') return { ...common, command: undefined, advice: reissue };
  if (held.isReplaceable) {
    return { ...common, command: patchOf(place, held.file), advice: undefined };
  }
  return {
    ...common,
    command: edit,
    advice: 'other things are in it too: put the new CA beside or in the place of the old one',
  };
}

export function fileReference({ path, cluster, held }: FileHolding): Reference {
  const common = {
    kind: 'File' as const,
    ...{ namespace: undefined, name: path, field: undefined, held, says: saysOf(held) },
  };
  if (held.what === 'issued') return { ...common, command: undefined, advice: reissue };
  if (cluster !== undefined) {
    const set = words('kubectl', 'config', `--kubeconfig=${path}`, 'set-cluster', cluster);
    return {
      ...common,
      command: `${set} ${words(`--certificate-authority=${held.file}`, '--embed-certs=true')}`,
      advice: undefined,
    };
  }
  // What is there keeps its owner and mode.
  if (held.isReplaceable) {
    return { ...common, command: `cat ${shellWord(held.file)} > ${shellWord(path)}`, advice: undefined };
  }
  return { ...common, command: undefined, advice: 'put the new CA beside or in the place of the old one' };
}

/** Pods of one controller are one row. */
export function podReferences(pods: readonly RunningPod[]): Reference[] {
  const groups = new Map<string, [RunningPod, ...RunningPod[]]>();
  for (const pod of pods) {
    const key = JSON.stringify([pod.namespace, pod.owner ?? `pod/${pod.name}`]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [pod]);
    else group.push(pod);
  }
  return [...groups.values()].map((group): Reference => {
    const [{ namespace, name, owner }] = group;
    const oldest = Math.min(...group.map(({ startedAt }) => startedAt.getTime()));
    const since = `since ${new Date(oldest).toISOString()}, before the new CA was published`;
    const kubectl = words('kubectl', ...inNamespace(namespace));
    return {
      ...{ kind: 'Pod', namespace, field: undefined, held: undefined },
      name: owner ?? name,
      says: group.length === 1 ? `runs ${since}` : `${String(group.length)} pods run ${since}`,
      command: owner === undefined ? undefined : `${kubectl} ${words('rollout', 'restart', owner)}`,
      advice:
        owner === undefined
          ? 'no controller can start it anew: delete it, and have it made again'
          : undefined,
    };
  });
}

const reissue = 'have it issued anew once the new CA signs, by what has issued it';

function saysOf({ authority, isRotated, what }: Held): string {
  if (isRotated) return `${says[what]} (${authority})`;
  // There is no old CA and no new one.
  return what === 'issued' ? `has a certificate of the CA ${authority}` : `trusts the CA ${authority}`;
}

function fieldText(field: ObjectPlace['field']): string {
  switch (field.kind) {
    case 'webhook':
      return `webhooks[${String(field.index)}] ${field.name}`;
    case 'bundle':
      return 'caBundle';
    case 'data':
    case 'binaryData':
      return field.key;
  }
}

function patchOf({ kind, namespace, name, field }: ObjectPlace, file: string): string {
  const base64 = `"$(base64 -w0 ${shellWord(file)})"`;
  // A line break is written as JSON has it; PEM holds nothing else that JSON would not take as it is.
  const lines = `"$(awk '{ printf "%s\\\\n", $0 }' ${shellWord(file)})"`;
  const [patch, value] = ((): readonly [object, string] => {
    switch (field.kind) {
      case 'webhook': {
        const at = `/webhooks/${String(field.index)}`;
        return [
          [
            // Whoever has changed the list meanwhile has moved the place.
            { op: 'test', path: `${at}/name`, value: field.name },
            { op: 'replace', path: `${at}/clientConfig/caBundle`, value: marker },
          ],
          base64,
        ];
      }
      case 'bundle':
        return [
          kind === 'APIService'
            ? { spec: { caBundle: marker } }
            : { spec: { conversion: { webhook: { clientConfig: { caBundle: marker } } } } },
          base64,
        ];
      case 'data':
      case 'binaryData':
        return [
          { [field.kind]: { [field.key]: marker } },
          kind === 'Secret' || field.kind === 'binaryData' ? base64 : lines,
        ];
    }
  })();
  const [before = '', after = ''] = JSON.stringify(patch).split(marker);
  const type = field.kind === 'webhook' ? 'json' : 'merge';
  return `${words('kubectl', ...inNamespace(namespace), 'patch', kind.toLowerCase(), name, `--type=${type}`, '-p')} ${shellWord(before)}${value}${shellWord(after)}`;
}

function inNamespace(namespace: string | undefined): string[] {
  return namespace === undefined ? [] : ['-n', namespace];
}

function words(...all: readonly string[]): string {
  return all.map(shellWord).join(' ');
}
