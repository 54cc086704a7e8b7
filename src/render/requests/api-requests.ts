import { printable } from '../printable.ts';

interface ShownApiRequest {
  readonly name: string;
  /** Such as `ECDSA-P256`. */
  readonly keyType: string;
  readonly usages: readonly string[];
  /** As it is typed. */
  readonly validity: string;
  /** How the SANs asked for differ from the certificate's. */
  readonly sans: string | undefined;
  readonly files: readonly string[];
}

/** What would be asked of a signer. */
export function apiRequestLines(requests: readonly ShownApiRequest[], signerName: string): string {
  const lines = requests.flatMap(({ name, keyType, usages, validity, sans, files }) => [
    `would ask ${signerName} for ${name}: key ${keyType}, usages ${usages.join(', ')}, valid for ${validity}`,
    ...(sans === undefined ? [] : [`  ${sans}`]),
    ...files.map((file) => `  ${file}`),
  ]);
  return [...lines, 'nothing was asked, and nothing was changed (--dry-run)']
    .map((line) => `${printable(line)}\n`)
    .join('');
}
