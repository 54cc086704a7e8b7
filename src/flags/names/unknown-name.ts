import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import { meantCertificate, meantComponent, type Meant, type OutOfReach } from './meant-names.ts';
import { similarWords } from './similar-words.ts';
import { nodeFlags, retyped } from '../table.ts';

/** What a command does with certificates, for the answer to a name that is none for it. */
type Verb = 'renewed' | 'installed' | 'generated';

/** Names as typed, and what each of those that are not allowed was meant for. */
interface Typed {
  readonly what: string;
  readonly names: readonly string[];
  readonly allowed: readonly string[];
  readonly meantBy: (name: string) => Meant | undefined;
}

/**
 * Every command that takes names of certificates asks here, so that each understands the same.
 * @throws KubepkiError usage for one that is not among those allowed, with what was meant where that can be told
 */
export function requireCertificateNames(
  names: readonly string[],
  allowed: readonly string[],
  { verb, options }: { readonly verb: Verb; readonly options: Parameters<typeof retyped>[0] },
): void {
  requireNames(
    { what: 'certificate', names, allowed, meantBy: (name) => meantCertificate(name, allowed) },
    (meant) => notForThis(meant, verb, options),
  );
}

/** @throws KubepkiError usage, likewise */
export function requireComponentNames(names: readonly string[], allowed: readonly string[]): void {
  requireNames(
    { what: 'component', names, allowed, meantBy: meantComponent },
    () =>
      new KubepkiError('usage', 'the kubelet is no static pod, and not restarted here', {
        hint: 'systemctl restart kubelet',
      }),
  );
}

/**
 * Of a list in which nothing has another name.
 * @param otherwise the hint where nothing is near
 */
export function unknownWord(
  what: string,
  word: string,
  { allowed, otherwise }: { readonly allowed: readonly string[]; readonly otherwise: string },
): KubepkiError {
  const meantBy = (name: string): Meant | undefined => {
    const names = similarWords(name, allowed);
    return names.length === 0 ? undefined : { kind: names.length === 1 ? 'names' : 'one-of', names };
  };
  return unknownName(what, word, hintFor({ what, names: [word], allowed, meantBy }) ?? otherwise);
}

function requireNames(typed: Typed, answerTo: (meant: OutOfReach) => KubepkiError): void {
  const { what, names, allowed, meantBy } = typed;
  const unknown = names.filter((name) => !allowed.includes(name));
  const [first] = unknown;
  if (first === undefined) return;
  for (const name of unknown) {
    const meant = meantBy(name);
    if (meant !== undefined && !('names' in meant)) throw answerTo(meant);
  }
  const hopeless = unknown.find((name) => meantBy(name) === undefined);
  throw unknownName(what, hopeless ?? first, hintFor(typed) ?? `use one of: ${allowed.join(', ')}`);
}

function notForThis(
  { kind, name }: OutOfReach,
  verb: Verb,
  options: Parameters<typeof retyped>[0],
): KubepkiError {
  const command = commandLine(retyped(options, nodeFlags));
  switch (kind) {
    case 'authority':
      return new KubepkiError(
        'usage',
        `${name} is a CA, and no CA is ${verb} by this command${verb === 'renewed' ? ', nor by kubeadm' : ''}`,
        {
          hint: `to renew it with its key: ${command(`ca renew ${name}`)}; to replace it, key and all: ${command('ca rotate')}`,
        },
      );
    case 'key-pair':
      return new KubepkiError('usage', `${name} is a key pair without a certificate, and does not expire`, {
        hint: `where there is none, this makes it: ${command(`generate ${name}`)}`,
      });
    case 'kubelet':
      return new KubepkiError(
        'usage',
        `the kubelet asks for its certificates itself, so that none is ${verb} in this way`,
        {
          hint:
            `when it has expired, on a node with the key of the CA: ${command(`renew ${name}`)}; ` +
            'where that is elsewhere, have the node join again: kubeadm token create --print-join-command',
        },
      );
  }
}

function unknownName(what: string, word: string, hint: string): KubepkiError {
  return new KubepkiError('usage', `unknown ${what} ${JSON.stringify(word)}`, { hint });
}

interface Replacement {
  readonly name: string;
  readonly names: readonly string[];
}

/** What was meant by all the names together; undefined: it cannot be told. Nothing is done but to say it. */
function hintFor({ names, allowed, meantBy }: Typed): string | undefined {
  const replacements: Replacement[] = [];
  let before = 'did you mean';
  for (const name of new Set(names)) {
    const meant: Meant | undefined = allowed.includes(name)
      ? { kind: 'names', names: [name] }
      : meantBy(name);
    if (meant === undefined || !('names' in meant)) return undefined;
    if (meant.kind === 'one-of') return `did you mean one of ${meant.names.join(', ')}?`;
    if (meant.kind === 'component') before = `${meant.component} is a component; with all that it uses`;
    replacements.push({ name, names: meant.names });
  }
  return `${before}: ${typedAgain(replacements) ?? replacements.flatMap((one) => one.names).join(' ')}`;
}

/**
 * The command line as it was typed, with other names.
 * @returns undefined where a name is also another word of it: which of them it is cannot be told
 */
function typedAgain(replacements: readonly Replacement[]): string | undefined {
  const words = process.argv.slice(2);
  const changed = replacements.filter(({ name, names }) => names.length !== 1 || names[0] !== name);
  if (changed.some(({ name }) => words.filter((word) => word === name).length !== 1)) return undefined;
  const again = words.flatMap((word) => changed.find(({ name }) => name === word)?.names ?? [word]);
  return ['kubepki', ...again.map(shellWord)].join(' ');
}
