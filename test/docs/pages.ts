/** The pages, taken apart: README.md and docs/ for those who use kubepki, and those for its builders. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Page {
  /** From the top of the repository: `docs/renew.md` */
  readonly path: string;
  readonly text: string;
}

const root = new URL('../../', import.meta.url);

export function pages(): readonly Page[] {
  const names = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'));
  return ['README.md', ...names.map((name) => `docs/${name}`)].map(pageAt);
}

/** What those read who change kubepki. */
export function insidePages(): readonly Page[] {
  const below = ['src', 'bin', 'contrib'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: 'utf8' }).map(
      (path) => `${folder}/${path}`,
    ),
  );
  const paths = ['CONTRIBUTING.md', 'SECURITY.md', ...below.filter((path) => path.endsWith('.md'))];
  return paths.map(pageAt);
}

function pageAt(path: string): Page {
  return { path, text: readFileSync(new URL(path, root), 'utf8') };
}

/** The page that users read first. */
export function readme(): Page {
  const [first] = pages();
  if (first === undefined) throw new Error('there is no README.md');
  return first;
}

/** What stands behind `$ ` in its console blocks, without a comment behind it. */
export function shownCommands({ text }: Page): readonly string[] {
  return [...text.matchAll(/^```console\n(.*?)^```$/gms)]
    .flatMap(([, block = '']) => block.split('\n'))
    .filter((line) => line.startsWith('$ '))
    .map((line) => line.slice(2).replace(/\s+# .*$/, ''));
}

/** The calls of kubepki in a command line of the shell, as their words. */
export function kubepkiCalls(line: string): readonly (readonly string[])[] {
  return line
    .split(/\s*(?:\||;|&&)\s*(?![^']*'(?:[^']*'[^']*')*[^']*$)/)
    .map((part) => shellWords(part.replace(/\s*(?:\d?>\s*\S+|2>&1|<\(.*)$/g, '')))
    .filter(([program]) => program === 'kubepki')
    .map(([, ...words]) => words);
}

function shellWords(text: string): readonly string[] {
  return [...text.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replaceAll(/['"]/g, ''));
}

/** Without code: what is a link there is none. */
export function links({ text }: Page): readonly string[] {
  const prose = text.replaceAll(/^```.*?^```$/gms, '').replaceAll(/`[^`]*`/g, '`');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** As GitHub names them: `#other-sans` */
export function anchors({ text }: Page): readonly string[] {
  const headings = text.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(
    ([, heading = '']) =>
      `#${heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-')}`,
  );
}
