/** `npm run man`: docs/man/*.8 and src/commands/help/pages.json. A man page in which nothing changes keeps its date. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { renderHelpPages, renderManPages } from './pages.mts';

const directory = new URL('../../docs/man/', import.meta.url);
const today = new Date().toISOString().slice(0, 10);

mkdirSync(directory, { recursive: true });
const before = (file: string): string => {
  const path = new URL(file, directory);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};
const dated = await renderManPages(
  (file) => /^\.TH \S+ 8 "([^"]*)"/m.exec(before(file))?.[1]?.replaceAll('\\', '') ?? today,
);
const anew = await renderManPages(() => today);
for (const [file, text] of anew) {
  if (dated.get(file) !== before(file)) writeFileSync(new URL(file, directory), text);
}
writeFileSync(new URL('../../src/commands/help/pages.json', import.meta.url), renderHelpPages());
