/**
 * The files of a disc for neonKUBE's node images.
 *
 * @param makeScript calls its argument with the text of the program's script
 */
export function neonInitFilesOf<File>(makeScript: (toUnix: (script: string) => string) => File) {
  return { "neon-init.sh": makeScript((script) => script.replaceAll("\r\n", "\n")) };
}
