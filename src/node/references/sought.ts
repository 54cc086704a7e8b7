import { join } from 'node:path';
import { certificateAuthorities, certificateAuthority, type CaName } from '../../catalog/catalog.ts';
import { readSlot } from '../../inventory/reading.ts';
import type { Sought } from '../../operations/references/held.ts';
import type { Rotation } from '../../operations/rotation/rotation.ts';
import { parseCertificates } from '../../pki/certificate/certificate.ts';
import type { Node } from '../node-options.ts';

/** The CAs that a rotation replaces; without one all that this node has, as all of them may be renewed or replaced one day. */
export function soughtHere({ layout: { root, certDir } }: Node, rotation: Rotation | undefined): Sought[] {
  const path = (name: CaName): string => join(certDir, `${certificateAuthority(name).baseName}.crt`);
  const file = (name: CaName): string => root.display(path(name));
  if (rotation !== undefined) {
    return rotation.authorities.map(({ name, old, next }) => ({ name, old: [old], next, file: file(name) }));
  }
  return certificateAuthorities.flatMap(({ name }): Sought[] => {
    const { content } = readSlot(root, path(name), parseCertificates);
    // What is wrong with the file of a CA, verify tells.
    return content.status === 'present'
      ? [{ name, old: content.value, next: undefined, file: file(name) }]
      : [];
  });
}
