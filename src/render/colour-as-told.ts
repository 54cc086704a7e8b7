import chalk from 'chalk';

/** For libraries that colour with chalk's own instance: its look at the terminal, which knows less than we do, does not count. */
export function colourAsTold(colour: boolean): void {
  chalk.level = colour ? 1 : 0;
}
