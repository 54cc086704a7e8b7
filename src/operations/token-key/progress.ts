import type { CommandLine } from '../../errors/command-line.ts';
import { shellWord } from '../../errors/shell-word.ts';
import { publicKeyOf } from '../../pki/key/private-key.ts';
import { keyId } from '../../pki/key/public-key.ts';
import {
  finishConditions,
  goneConditions,
  switchConditions,
  type Asking,
  type Condition,
} from './conditions.ts';
import type { TokenKeyFiles, TokenKeyStage, TokenKeyState } from './state.ts';

/**
 * What a key is to this node: the one that signs, the next or the old one of a replacement; `other`: sa.pub has it besides; `foreign`: this
 * node does not know it.
 */
export type KeyUse = 'signs' | 'next' | 'old' | 'other' | 'foreign';

export interface UsedKey {
  readonly id: string;
  readonly use: KeyUse;
  /** Its place in sa.pub, from 1; undefined: it is not there. */
  readonly position: number | undefined;
}

/** The keys of this node, as in sa.pub, then those that only the state directory has. */
export function keysOf({ signing, known, next, old }: TokenKeyState): UsedKey[] {
  const uses = new Map<string, KeyUse>([
    ...known.map((key) => [keyId(key), 'other'] as const),
    ...(old === undefined ? [] : [[keyId(publicKeyOf(old)), 'old'] as const]),
    ...(next === undefined ? [] : [[keyId(publicKeyOf(next)), 'next'] as const]),
    [keyId(signing), 'signs'],
  ]);
  const ids = known.map(keyId);
  return [...uses].map(([id, use]) => {
    const index = ids.indexOf(id);
    return { id, use, position: index < 0 ? undefined : index + 1 };
  });
}

/** The id of the key that a replacement brings or takes away; undefined: none is under way. */
export function otherKeyId({ next, old }: Pick<TokenKeyState, 'next' | 'old'>): string | undefined {
  const other = next ?? old;
  return other && keyId(publicKeyOf(other));
}

export interface NextStage {
  /** `destroy`: the old key is kept still. */
  readonly stage: TokenKeyStage | 'destroy';
  readonly conditions: readonly Condition[];
}

/** What comes next on this node, with what must be true before. */
export function nextStage(state: TokenKeyState, asking: Asking): NextStage {
  const other = otherKeyId(state) ?? '';
  switch (state.stage) {
    case 'none':
      return { stage: 'trust', conditions: [] };
    case 'trust':
      return { stage: 'switch', conditions: switchConditions(asking, other) };
    case 'switch':
      return { stage: 'finish', conditions: finishConditions(asking, keyId(state.signing), other) };
    case 'finish':
      return { stage: 'destroy', conditions: goneConditions(asking, other) };
  }
}

/** What to do next, on which nodes: sentences, each with a command. */
export function nextSteps(
  state: TokenKeyState,
  { old }: Pick<TokenKeyFiles, 'old'>,
  command: CommandLine,
): readonly string[] {
  switch (state.stage) {
    case 'none':
      return [`to begin on the first control-plane node: ${command('sa rotate trust --restart')}`];
    case 'trust':
      return [
        `for the other control-plane nodes: ${command('sa rotate export FILE')}; on each: kubepki sa rotate trust --restart --key FILE`,
        `then on each: ${command('sa rotate switch --restart')}`,
      ];
    case 'switch':
      return [
        'on each other control-plane node: kubepki sa rotate switch --restart',
        `then, once nobody needs a token of the old key (kubepki sa status), on each: ${command('sa rotate finish --restart')}`,
      ];
    case 'finish':
      return [
        'on each other control-plane node: kubepki sa rotate finish --restart',
        `then, on each, destroy ${shellWord(old.target.path)}: ${command(`sa rotate finish --destroy-old-key ${otherKeyId(state) ?? ''}`)}`,
      ];
  }
}
