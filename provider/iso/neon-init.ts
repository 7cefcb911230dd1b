/**
 * The files of a disc for neonKUBE's node images.
 *
 * @param makeScript makes the file, given the function that converts the line ends of the script
 */
export function neonInitFilesOf<File>(makeScript: (toUnix: (script: string) => string) => File) {
  return { "neon-init.sh": makeScript((script) => script.replaceAll("\r\n", "\n")) };
}
