import stringWidth from 'string-width';

const ellipsis = '…';
/** What is seen as one character: a letter with its accents, an emoji of several code points. */
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** How many cells of a terminal it takes, as cli-table3 counts them: a wide character two, a combining one none. */
export function cellWidth(text: string): number {
  return /^[ -~]*$/.test(text) ? text.length : stringWidth(text);
}

/** The middle gives way: names of one kind begin alike, and files of one kind end alike. */
export function cutInMiddle(text: string, width: number): string {
  if (cellWidth(text) <= width) return text;
  if (width < 1) return '';
  const characters = Array.from(graphemes.segment(text), ({ segment }) => segment);
  const tailWidth = Math.floor((width - 1) / 2);
  const head = fitting(characters, width - 1 - tailWidth);
  const tail = fitting(characters.reverse(), tailWidth).reverse();
  return [...head, ellipsis, ...tail].join('');
}

function fitting(characters: readonly string[], width: number): string[] {
  let left = width;
  const end = characters.findIndex((one) => (left -= cellWidth(one)) < 0);
  return characters.slice(0, end);
}
