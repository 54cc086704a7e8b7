import { Chalk, type ChalkInstance } from 'chalk';
import { printable } from './printable.ts';

interface Style {
  readonly colour: boolean;
}

/** `error: file: what is wrong`, and the remedy on a line of its own. */
export function renderError(
  error: { readonly oneLine: string; readonly hint?: string | undefined },
  style: Style,
): string {
  return (
    line('error', (chalk) => chalk.red.bold, error.oneLine, style) +
    (error.hint ? renderHint(error.hint, style) : '')
  );
}

export function renderHint(text: string, style: Style): string {
  return line('hint', (chalk) => chalk.cyan, text, style);
}

export function renderWarning(text: string, style: Style): string {
  return line('warning', (chalk) => chalk.yellow, text, style);
}

export function renderNote(text: string, style: Style): string {
  return line('note', (chalk) => chalk.cyan, text, style);
}

function line(
  word: string,
  paint: (chalk: ChalkInstance) => ChalkInstance,
  text: string,
  { colour }: Style,
): string {
  const shown = colour ? paint(new Chalk({ level: 1 }))(word) : word;
  return `${shown}: ${printable(text)}\n`;
}
