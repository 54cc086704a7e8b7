import { stringify } from 'yaml';
import { escapeUnseen, hasUnseen } from './printable.ts';

export type DocumentFormat = 'json' | 'yaml';

/** A document of our own API group. Its fields keep their order. */
export function renderDocument(
  kind: string,
  fields: Readonly<Record<string, unknown>>,
  format: DocumentFormat,
): string {
  return documentText({ kind, apiVersion: 'kubepki/v1', ...fields }, format);
}

/** @param isSorted whether YAML has the keys in the order of the alphabet, as sigs.k8s.io/yaml writes them */
export function documentText(document: object, format: DocumentFormat, isSorted = false): string {
  const json = JSON.stringify(document, undefined, 4);
  if (format === 'json') return `${escapeUnseen(json, jsonEscape)}\n`;
  // Most readers are YAML 1.1, to which an unquoted 0123 or 12E5 is a number: a serial may look like either.
  const text = stringify(document, {
    indentSeq: false,
    sortMapEntries: isSorted,
    version: '1.1',
    lineWidth: 0,
    aliasDuplicateObjects: false,
    // YAML reads escapes between double quotes only.
    ...(hasUnseen(json.replaceAll('\n', '')) ? { defaultStringType: 'QUOTE_DOUBLE' } : {}),
  });
  return escapeUnseen(text, yamlEscape);
}

/*
 * A path, or a name in a certificate, may hold characters that would draw on the operator's terminal, or turn a line around. To
 * readers of both formats the escape is the character itself. The library escapes characters below U+0020 by itself.
 */

function jsonEscape(codePoint: number): string {
  // JSON knows UTF-16 only.
  return String.fromCodePoint(codePoint)
    .split('')
    .map((unit) => `\\u${hex(unit.charCodeAt(0), 4)}`)
    .join('');
}

function yamlEscape(codePoint: number): string {
  return codePoint > 0xffff ? `\\U${hex(codePoint, 8)}` : `\\u${hex(codePoint, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
