import { stringify } from 'yaml';

export type DocumentFormat = 'json' | 'yaml';

/** Of our own group; the fields stand in the order in which they were written down. */
export function renderDocument(
  kind: string,
  fields: Readonly<Record<string, unknown>>,
  format: DocumentFormat,
): string {
  const document = { kind, apiVersion: 'kubepki/v1', ...fields };
  if (format === 'json') return `${JSON.stringify(document, undefined, 4)}\n`;
  // Most readers are YAML 1.1, to which an unquoted 0123 or 12E5 is a number: a serial may look like either.
  return stringify(document, {
    indentSeq: false,
    version: '1.1',
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
}
