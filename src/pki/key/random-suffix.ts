import { randomBytes } from 'node:crypto';

/** Ten lower-case hex digits: with them a name is one that no other run gives. */
export function randomSuffix(): string {
  return randomBytes(5).toString('hex');
}
