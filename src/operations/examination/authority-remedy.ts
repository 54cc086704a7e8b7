import type { CaName } from '../../catalog/catalog.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import type { AuthorityEntry } from '../../inventory/inventory.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import { reissueObstacle } from '../../pki/issue/reissue.ts';

interface RemediedAuthority {
  readonly name: CaName;
  readonly isKeyHere: boolean;
  readonly command: CommandLine;
}

/** The next step for a CA whose certificate ends, or is of no use: what `ca renew` would refuse is not sent there. */
export function authorityRemedy(
  certificate: Certificate,
  { name, isKeyHere, command }: RemediedAuthority,
): string {
  const thenTrust = `then on each node: ${command('ca trust FILE')}`;
  const obstacle = reissueObstacle(certificate);
  if (obstacle === 'intermediate') {
    return `have the CA that signed it sign it again, with the same name, key and subject key identifier; ${thenTrust}`;
  }
  if (obstacle !== undefined) return `replace it, key and all: ${command('ca rotate')}`;
  return isKeyHere
    ? `renew it with its key, so that all it has signed stays valid: ${command(`ca renew ${name}`)}`
    : `have its certificate made anew with the same key where that key is; ${thenTrust}`;
}

/** The same of a CA's files. */
export function remedyFor(
  { spec: { name }, key }: AuthorityEntry,
  certificate: Certificate,
  command: CommandLine,
): string {
  return authorityRemedy(certificate, { name, isKeyHere: key.status !== 'missing', command });
}
