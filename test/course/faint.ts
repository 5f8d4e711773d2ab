/** What is hard to read on a page. */

/** An expression for every element with text of its own and too little contrast to its background. */
export const FAINT = `{
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const luminance = (color) => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => {
      const part = byte / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return color === 'rgba(0, 0, 0, 0)' ? background(element.parentElement) : color;
  };
  const hasText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  [...document.body.querySelectorAll('*')]
    .filter((element) => element.matches('input') || hasText(element))
    .map((element) => {
      const pair = [getComputedStyle(element).color, background(element)].map(luminance);
      const [dark, light] = pair.sort((a, b) => a - b);
      return [(light + 0.05) / (dark + 0.05), element.outerHTML];
    })
    .filter(([contrast]) => contrast < 4.5);
}`;
