import { randomBytes } from 'node:crypto';

/** Ten lower-case hex digits: what makes a name one that nobody else gives. */
export function randomSuffix(): string {
  return randomBytes(5).toString('hex');
}
