import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The text of every private key below a directory, in pieces as it may show up: lines of PEM, base64 in a kubeconfig. */
export function keyMaterial(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(?:key|conf)$|backups\/[^/]+\/\d+$/.test(path))
    .flatMap((path) => {
      const text = readFileSync(join(directory, path), 'utf8');
      const embedded = [...text.matchAll(embeddedKey)].map(([, data = '']) => data.replaceAll(/\s/g, ''));
      const pems = [text, ...embedded.map((data) => Buffer.from(data, 'base64').toString())].flatMap(
        (one) => one.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]+?-----END/g) ?? [],
      );
      return [
        // Any line of the key gives it away.
        ...pems.flatMap((pem) => pem.split('\n').slice(1, -1)),
        // The first characters are the same for every key of a kind.
        ...embedded.flatMap((data) => data.slice(60).match(/.{60}/g) ?? []),
      ];
    })
    .filter((line) => line.length >= 20);
}

// A plain or quoted value, JSON's, or a block of lines.
const embeddedKey = /client-key-data"?: *(?:\|-?\s+)?["']?((?:[A-Za-z0-9+/]{20,}={0,2}\s*)+)/g;
