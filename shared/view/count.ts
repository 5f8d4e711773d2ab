/** Writes how many there are of something, such as `1 byte` or `65,536 bytes`. */
export function count(number: number, what: string): string {
  const digits = String(number);
  // Four digits are read at a glance: 1024, 1006. (`toLocaleString` first loads all it knows.)
  const grouped = digits.length > 4 ? digits.replace(/\B(?=(\d{3})+$)/g, ',') : digits;
  return `${grouped} ${what}${digits === '1' ? '' : 's'}`;
}
