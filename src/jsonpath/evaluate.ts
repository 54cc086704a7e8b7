import { query, type JSONValue } from 'json-p3';
import { templateError, type Path, type Step } from './path.ts';
import type { Template, TemplateNode } from './template.ts';

interface EvaluationOptions {
  /** false: a field that nothing has is an error (`--allow-missing-template-keys=false`). */
  readonly allowMissing: boolean;
}

/**
 * What kubectl prints for a template: values as they are, several with spaces between, objects and lists as JSON, and no
 * newline at the end.
 * @param document plain JSON
 * @throws KubepkiError usage for an index that an array does not have, or a field that must be there
 */
export function evaluateTemplate(template: Template, document: unknown, options: EvaluationOptions): string {
  // The library gets JSON: no value has methods, or anything that it inherits.
  return print(template, JSON.parse(JSON.stringify(document)) as JSONValue, options);
}

function print(template: Template, value: JSONValue, options: EvaluationOptions): string {
  return template.map((node) => printNode(node, value, options)).join('');
}

function printNode(node: TemplateNode, value: JSONValue, options: EvaluationOptions): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'values':
      return select(node.path, value, options).map(shown).join(' ');
    case 'range':
      return select(node.path, value, options)
        .map((one) => print(node.body, one, options))
        .join('');
  }
}

function select(path: Path, value: JSONValue, { allowMissing }: EvaluationOptions): JSONValue[] {
  let found = [value];
  for (const step of path) {
    const next = takeOfAll(step, found);
    if (step.kind === 'field' && !allowMissing && found.length > 0 && next.length === 0) {
      throw templateError(`${step.name} is not found`);
    }
    found = next;
  }
  return found;
}

function takeOfAll(step: Step, values: readonly JSONValue[]): JSONValue[] {
  if (step.kind !== 'union') return values.flatMap((one) => take(step, one));
  return step.segments.flatMap((segment) => values.flatMap((one) => take({ kind: 'any', segment }, one)));
}

function take(step: Exclude<Step, { kind: 'union' }>, value: JSONValue): JSONValue[] {
  if (step.kind === 'index') {
    const length = Array.isArray(value) ? value.length : undefined;
    if (length === undefined) throw templateError(`[${String(step.index)}] is asked of what is no list`);
    if (step.index >= length || step.index < -length) {
      throw templateError(`[${String(step.index)}] is asked of a list of ${String(length)}`);
    }
  }
  return query(`$${step.segment}`, value).values();
}

function shown(value: JSONValue): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (_key, part: unknown) => sorted(part));
}

/** Go marshals a map with its keys in order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
