const rfc3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** A moment as RFC 3339 (section 5.6) writes it; undefined when it is not one, or when that day does not exist. */
export function parseInstant(text: string): Date | undefined {
  const [, day, time, fraction = '', zone] = rfc3339.exec(text) ?? [];
  if (day === undefined || time === undefined || zone === undefined) return undefined;
  const instant = new Date(`${day}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`);
  if (Number.isNaN(instant.getTime())) return undefined;
  // JavaScript takes the 30th of February for the 2nd of March.
  const sameDay = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(sameDay.getTime()) && sameDay.toISOString().startsWith(day) ? instant : undefined;
}
