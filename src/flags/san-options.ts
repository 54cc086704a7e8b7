import { InvalidArgumentError, Option } from 'commander';
import { certificates } from '../catalog/catalog.ts';
import { isAddress, isDnsName, isSan, sanRule } from '../config/host-names.ts';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { describeNames, type ServerNames } from '../pki/extension/edit-subject-alt-name.ts';
import type { Selection } from './names/select.ts';

export interface SanOptions {
  readonly addSan?: readonly string[];
  readonly removeSan?: readonly string[];
  readonly sansFromConfig?: boolean;
  readonly config?: string;
}

/** What was asked for on the command line, which the configuration may have to say more about. */
export type AskedSans =
  | { readonly kind: 'edit'; readonly add: ServerNames; readonly remove: ServerNames }
  | { readonly kind: 'configured' };

export function sanOptions(): Option[] {
  const list = 'a DNS name, IP address or wildcard, or several with commas; may be repeated';
  return [
    new Option('--add-san <names>', `add to the SANs: ${list}`).argParser(parseAdded),
    new Option('--remove-san <names>', 'take away from the SANs, likewise').argParser(parseRemoved),
    new Option('--sans-from-config', 'make the SANs what --config says'),
  ];
}

type Names = readonly string[];

function parseAdded(text: string, before: Names | undefined): Names {
  return parseNames(text, before, isSan);
}

/** `10.0.0.300` must not become a DNS name, but where it is one it has to go. */
function parseRemoved(text: string, before: Names | undefined): Names {
  return parseNames(text, before, (name) => isSan(name) || isDnsName(name));
}

/** RFC 4343: case means nothing in a DNS name; Kubernetes wants lower case. */
function parseNames(text: string, before: Names | undefined, isFit: (name: string) => boolean): Names {
  const names = text.split(',').map((name) => name.trim().toLowerCase());
  const wrong = names.find((name) => !isFit(name));
  if (wrong === undefined) return [...(before ?? []), ...names];
  throw new InvalidArgumentError(wrong === '' ? 'a name is empty' : `${JSON.stringify(wrong)} ${sanRule}`);
}

/**
 * @returns undefined when the SANs are to stay as they are
 * @throws KubepkiError usage
 */
export function parseAskedSans(selection: Selection, options: SanOptions): AskedSans | undefined {
  const { addSan, removeSan, sansFromConfig } = options;
  const [flag] = givenFlags(options);
  if (flag === undefined) return undefined;
  requireServers(selection, flag);
  if (sansFromConfig !== true) {
    const [add, remove] = [serverNames(addSan), serverNames(removeSan)];
    requireApart(add, remove);
    return { kind: 'edit', add, remove };
  }
  const other = addSan === undefined ? removeSan && '--remove-san' : '--add-san';
  if (other !== undefined) throw new KubepkiError('usage', `--sans-from-config does not go with ${other}`);
  if (options.config === undefined) {
    throw new KubepkiError('usage', '--sans-from-config needs --config', {
      hint: 'name the kubeadm configuration: --config kubeadm.yaml',
    });
  }
  return { kind: 'configured' };
}

/** The same flags again, for a command line in a hint. */
export function sanFlags(options: SanOptions): string[] {
  const list = (flag: string, names: readonly string[] | undefined): string[] =>
    names === undefined ? [] : [flag, shellWord(names.join(','))];
  return [
    ...list('--add-san', options.addSan),
    ...list('--remove-san', options.removeSan),
    ...(options.sansFromConfig === true ? ['--sans-from-config'] : []),
  ];
}

function givenFlags({ addSan, removeSan, sansFromConfig }: SanOptions): string[] {
  return [
    ...(addSan === undefined ? [] : ['--add-san']),
    ...(removeSan === undefined ? [] : ['--remove-san']),
    ...(sansFromConfig === true ? ['--sans-from-config'] : []),
  ];
}

function requireServers(selection: Selection, flag: string): void {
  const servers = certificates.filter(({ subject }) => subject.names !== 'none');
  const hint = `name one or more of: ${servers.map(({ name }) => name).join(', ')}`;
  if (selection.kind === 'all')
    throw new KubepkiError('usage', `${flag} needs the names of certificates`, { hint });
  const other = selection.specs.find((spec) => !servers.includes(spec));
  if (other !== undefined) {
    throw new KubepkiError('usage', `${flag} does not go with ${other.name}, which has no SANs`, { hint });
  }
}

function requireApart(add: ServerNames, remove: ServerNames): void {
  const removed = describeNames(remove);
  const name = describeNames(add).find((one) => removed.includes(one));
  if (name !== undefined) {
    throw new KubepkiError('usage', `${name} is in both --add-san and --remove-san`);
  }
}

function serverNames(names: readonly string[] = []): ServerNames {
  return {
    dnsNames: names.filter((name) => !isAddress(name)),
    ipAddresses: names.filter(isAddress),
  };
}
