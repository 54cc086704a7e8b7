import { certificateAuthorities, certificates } from '../../../src/catalog/catalog.ts';

/** The name of the row in which check-expiration shows a file of a tree; a CA's key has none. */
export function rowOf(file: string): string | undefined {
  return [...certificates, ...certificateAuthorities].find((spec) =>
    spec.kind === 'kubeconfig'
      ? file === `etc/kubernetes/${spec.name}`
      : file === `etc/kubernetes/pki/${spec.baseName}.crt`,
  )?.name;
}

/** The rows of the two tables by what they are called; `''` for what lies between the tables. */
export function textRows(table: string): Map<string, readonly string[]> {
  return new Map(
    table.split('\n').map((line, index) => {
      const cells = line.trim().split(/ {2,}/);
      const name = (cells[0] ?? '').replace(/^!\w+! /, '');
      // The header of the second table is not that of the first.
      return [/^[A-Z ]+$/.test(name) ? `${name} ${String(index)}` : name, cells];
    }),
  );
}
