// @ts-check
/** The program that `npm run drive` looks into: it has a price, and adds up a bill again and again. */

/** @type {Record<string, number>} */
const price = { apple: 3, pear: 4 };

function addUpBill() {
  let total = 0;
  for (let i = 0; i < 200_000; i++) total += Number(price.apple) * (i % 7);
  return total;
}

Object.assign(globalThis, { price, addUpBill });
setInterval(addUpBill, 5);
// Not by `console`, which the debugger would tell as well.
process.stderr.write('The shop is open.\n');
