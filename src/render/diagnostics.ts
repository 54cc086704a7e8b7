import { Chalk, type ChalkInstance } from 'chalk';

interface Style {
  readonly colour: boolean;
}

/** `error: file: what is wrong`, and the remedy on a line of its own. */
export function renderError(
  error: { readonly line: string; readonly hint?: string | undefined },
  style: Style,
): string {
  return (
    line('error', (chalk) => chalk.red.bold, error.line, style) +
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
  const chalk = new Chalk({ level: colour ? 1 : 0 });
  return `${paint(chalk)(word)}: ${oneLine(text)}\n`;
}

/** File names and file contents may hold control characters, which would draw on the operator's terminal. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
