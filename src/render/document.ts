import { stringify } from 'yaml';

export type DocumentFormat = 'json' | 'yaml';

/** Of our own group; the fields stand in the order in which they were written down. */
export function renderDocument(
  kind: string,
  fields: Readonly<Record<string, unknown>>,
  format: DocumentFormat,
): string {
  const document = { kind, apiVersion: 'kubepki/v1', ...fields };
  if (format === 'json') return `${harmless(JSON.stringify(document, undefined, 4))}\n`;
  // Most readers are YAML 1.1, to which an unquoted 0123 or 12E5 is a number: a serial may look like either.
  return harmless(
    stringify(document, { indentSeq: false, version: '1.1', lineWidth: 0, aliasDuplicateObjects: false }),
  );
}

/**
 * A path, or what a certificate says, may hold control characters, which would draw on the operator's terminal. Both formats
 * have them in quotes only, and read the escape as the character itself; they escape the others on their own.
 */
function harmless(text: string): string {
  return text.replace(
    /[\u007f-\u009f]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
