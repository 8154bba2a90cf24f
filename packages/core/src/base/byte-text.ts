// Printable ASCII without space, quotes, backslash, "$" and "<": nothing that a string in a script must escape.
const alphabet = "!#%&()*+,-./0123456789:;=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~";
const singles = alphabet.length - 2;
const shift = 4;

/**
 * The bytes of a text that `kernels/build.js` wrote. A byte b is the number n = (b + 4) mod 256, and each of the first 86
 * characters of the alphabet is its number. The two after them stand before another character: n = 86 + its number, or
 * 172 + its number.
 *
 * Since most bytes of WebAssembly are one character, gzip finds in the text nearly what it finds in the bytes, which
 * base64 hides. Neither atob nor Buffer exists in every runtime.
 */
export function bytesOfText(text: string): Uint8Array<ArrayBuffer> {
  const numbers = new Uint8Array(128);
  for (let i = 0; i < alphabet.length; i++) numbers[alphabet.charCodeAt(i)] = i;
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let n = numbers[text.charCodeAt(i)];
    if (n >= singles) n = (n - singles + 1) * singles + numbers[text.charCodeAt(++i)];
    bytes[length++] = n - shift;
  }
  return bytes.slice(0, length);
}
