import { generateKeyPairSync } from 'node:crypto';
import type { ChangeSet, FileTarget } from '../../../src/changeset/change-set.ts';
import { sha256 } from '../../../src/filesystem/regular-file.ts';
import type { Slot } from '../../../src/inventory/reading.ts';
import type { TokenKeyFiles } from '../../../src/operations/token-key/state.ts';
import {
  encodePrivateKey,
  parsePrivateKey,
  publicKeyOf,
  type PrivateKey,
} from '../../../src/pki/key/private-key.ts';
import {
  encodePublicKey,
  isSameKey,
  parsePublicKeys,
  type PublicKey,
} from '../../../src/pki/key/public-key.ts';

const makeKey = (): PrivateKey => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

/** Keys by their letters. */
export const keys = { A: makeKey(), B: makeKey(), C: makeKey() } as const;

type Letter = keyof typeof keys;

/** The files of a node by the letters of the keys in them; empty or left out: it is not there. */
export interface Mix {
  readonly key: string;
  readonly pub: string;
  readonly next?: string;
  readonly old?: string;
}

export interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const ours: Ownership = { mode: 0o600, uid: 0, gid: 0 };

function keyOf(letter: string): PrivateKey {
  return keys[letter as Letter];
}

export function privatePem(letter: string): string {
  return encodePrivateKey(keyOf(letter));
}

export function publicPem(letters: string): string {
  return Array.from(letters)
    .map((letter) => encodePublicKey(publicKeyOf(keyOf(letter))))
    .join('');
}

function slot<T>(path: string, text: string, value: T, { mode, uid, gid }: Ownership): Slot<T> {
  const there = text !== '';
  const before = { sha256: sha256(Buffer.from(text)), mode, uid, gid, foreign: false, links: 1 };
  return {
    target: { path, resolvedPath: path, before: there ? before : undefined },
    content: there ? { status: 'present', value } : { status: 'missing' },
  };
}

export function tokenKeyFiles({ key, pub, next = '', old = '' }: Mix, ownership = ours): TokenKeyFiles {
  const pki = '/etc/kubernetes/pki';
  const one = (path: string, letter: string, owner: Ownership): Slot<PrivateKey> =>
    slot(path, letter === '' ? '' : privatePem(letter), keyOf(letter), owner);
  const known: PublicKey[] = Array.from(pub).map((letter) => publicKeyOf(keyOf(letter)));
  return {
    key: one(`${pki}/sa.key`, key, ownership),
    publicKeys: slot(`${pki}/sa.pub`, publicPem(pub), known, ownership),
    next: one(`${pki}/.kubepki/token-key/next.key`, next, ours),
    old: one(`${pki}/.kubepki/token-key/old.key`, old, ours),
  };
}

/** What the files hold after a change, by letters. */
export function changesOf(files: TokenKeyFiles, before: Mix, changes: ChangeSet): Mix {
  const after = ({ target }: { readonly target: FileTarget }, was: string): string => {
    const change = changes.find((one) => one.target === target);
    if (change === undefined) return was;
    return change.after === undefined ? '' : lettersIn(change.after.content);
  };
  const [next, old] = [after(files.next, before.next ?? ''), after(files.old, before.old ?? '')];
  return {
    key: after(files.key, before.key),
    pub: after(files.publicKeys, before.pub),
    ...(next === '' ? {} : { next }),
    ...(old === '' ? {} : { old }),
  };
}

function lettersIn(content: Buffer): string {
  const found = content.includes('PRIVATE')
    ? [publicKeyOf(parsePrivateKey(content))]
    : parsePublicKeys(content);
  const letterOf = (key: PublicKey): string =>
    (['A', 'B', 'C'] as const).find((letter) => isSameKey(publicKeyOf(keys[letter]), key)) ?? '?';
  return found.map(letterOf).join('');
}
