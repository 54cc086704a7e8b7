/** How a table for a person is shown: on a terminal so wide, with colours or without any escape sequence. */
export interface Look {
  readonly width: number;
  readonly colour: boolean;
}
