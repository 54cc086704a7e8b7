/** What a stranger wrote, in a sentence of ours: in quotes, and no longer than a line bears. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

export function shownList(texts: readonly string[]): string {
  if (texts.length === 0) return 'none';
  const first = texts.slice(0, 5).map(shown).join(', ');
  return texts.length > 5 ? `${first} and ${String(texts.length - 5)} more` : first;
}
