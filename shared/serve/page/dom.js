/** Small helpers. What comes from the network only ever becomes text, never markup. */

/** Finds the element with an id. */
export const byId = (id) => document.getElementById(id);

/** Makes an element with attributes and children: elements or text. `undefined` is left out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Writes a time of day down to the millisecond. `time` is in milliseconds since 1970. */
export function clock(time = Date.now()) {
  const date = new Date(time);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  const text = parts.map((part) => String(part).padStart(2, '0')).join(':');
  return `${text}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** Writes a number of bytes, such as `1,048,576 bytes`. */
export function bytes(count) {
  return `${count.toLocaleString('en')} ${count === 1 ? 'byte' : 'bytes'}`;
}

/** Adds an item to a list of at most `max`, and scrolls to it unless somebody reads further up. */
export function append(list, item, max) {
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(item);
  while (list.childElementCount > max) list.firstElementChild.remove();
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}
