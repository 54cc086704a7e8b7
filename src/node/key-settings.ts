import type { KeySettings } from '../operations/owners/key-owner.ts';
import { isReachedByOthers } from '../storage/in-directory.ts';
import { readRequestedKeys } from '../storage/requested-keys.ts';
import type { Node } from './node-options.ts';
import { stateOf } from './waiting.ts';

/** Which keys were made here, and where another user could have put one. */
export function keySettings(node: Node): Pick<KeySettings, 'wasRequested' | 'isInReach'> {
  const requested = readRequestedKeys(stateOf(node));
  return {
    wasRequested: (name, digest) => requested.some((one) => one.name === name && one.digest === digest),
    isInReach: (target) => target.before?.foreign === true || isReachedByOthers(target),
  };
}
