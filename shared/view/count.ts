/** Writes how many there are of something, such as `1 byte` or `65,536 bytes`. */
export function count(number: number, what: string): string {
  const digits = String(number);
  // Four digits are read at a glance: 1024, 1006.
  const grouped = digits.length > 4 ? number.toLocaleString('en') : digits;
  return `${grouped} ${what}${digits === '1' ? '' : 's'}`;
}
