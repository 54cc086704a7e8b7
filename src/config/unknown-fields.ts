import type { Fields } from './fields.ts';

/** One line for each field that kubeadm does not define, with its path. kubeadm warns too, and goes on. */
export function unknownFields(value: unknown, fields: Fields, path: string): string[] {
  if (fields.kind === 'any') return [];
  if (fields.kind === 'list') {
    if (!Array.isArray(value)) return [];
    return value.flatMap((item, index) => unknownFields(item, fields.of, `${path}[${String(index)}]`));
  }
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, below]) => {
    const known = new Map(Object.entries(fields.below)).get(name);
    if (known !== undefined) return unknownFields(below, known, `${path}.${name}`);
    const meant = Object.keys(fields.below).find((field) => field.toLowerCase() === name.toLowerCase());
    const suggestion = meant === undefined ? '' : `, did you mean "${meant}"?`;
    return [`unknown field "${path}.${name}"${suggestion}`];
  });
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
