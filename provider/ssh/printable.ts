/** What a host said, on one line, for messages. */
export function printable(text: string, mostCharacters = 300): string {
  return text
    .replace(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, mostCharacters);
}
