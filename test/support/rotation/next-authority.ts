import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCa, resign } from '../certificates/resigned.ts';
import type { Credentials } from './components/api-client.ts';
import type { ClusterNode } from './node.ts';

/** A CA that is to follow another, made by openssl: nothing of what is tested has a hand in it. */
export interface NextAuthority {
  readonly files: { readonly certificate: string; readonly key: string };
  readonly certificate: Buffer;
  /** Its name and key, signed by the CA that it follows. */
  readonly cross: Buffer;
  /** The same subject, names and key, of this CA; with the cross behind it where that is wished. */
  reissue(pair: Pick<Credentials, 'certificate' | 'key'>, wish: CrossWish): Buffer;
  /** Puts a leaf of this CA in the place of one in a node's cert dir. */
  reissueOn(node: ClusterNode, base: string, wish: CrossWish): void;
}

export interface CrossWish {
  readonly cross: boolean;
}

/** @param old path of the CA that it follows, without extension */
export function nextAuthority(openssl: string, old: string, scratch: string, name: string): NextAuthority {
  const base = join(scratch, name);
  makeCa(openssl, base, name);
  const crossBase = `${base}-cross`;
  copyFileSync(`${base}.crt`, `${crossBase}.crt`);
  copyFileSync(`${base}.key`, `${crossBase}.key`);
  const extensions = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature,keyCertSign\n';
  resign(openssl, crossBase, { by: old, extensions });
  const cross = readFileSync(`${crossBase}.crt`);
  const reissue: NextAuthority['reissue'] = ({ certificate, key }, wish) => {
    const leaf = join(scratch, 'leaf');
    writeFileSync(`${leaf}.crt`, certificate);
    writeFileSync(`${leaf}.key`, key);
    resign(openssl, leaf, { by: base });
    return Buffer.concat([readFileSync(`${leaf}.crt`), ...(wish.cross ? [cross] : [])]);
  };
  return {
    files: { certificate: `${base}.crt`, key: `${base}.key` },
    certificate: readFileSync(`${base}.crt`),
    cross,
    reissue,
    reissueOn(node, pair, wish) {
      const certificate = node.read(`pki/${pair}.crt`);
      node.replace(`pki/${pair}.crt`, reissue({ certificate, key: node.read(`pki/${pair}.key`) }, wish));
    },
  };
}
