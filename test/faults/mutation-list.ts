/** One way to break the provider. */
export interface Mutation {
  /** What is broken. */
  readonly name: string;
  readonly file: string;
  /** Text of the file, which it has once. */
  readonly search: string;
  readonly replace: string;
  /** File of the tests, one of which is to notice. */
  readonly tests: string;
  /** Of which tests in it: a regular expression. */
  readonly title: string;
}

/** Each takes away one thing that keeps a promise. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: "no rollback of a create",
    file: "provider/host/temp-iso.ts",
    search: "undo(`the folder ${pathOf(folder)}`, () => removeFolder(host, folder, isoName));",
    replace: "void [undo, isoName];",
    tests: "test/host/refusal.test.ts",
    title: "an SR that xapi refuses",
  },
  {
    name: "a rollback goes on past an undo that fails",
    file: "provider/host/rollback.ts",
    search: "return [{ what, error }, ...beneath];",
    replace: "void [what, error, beneath];",
    tests: "test/unit/host/rollback.test.ts",
    title: "failed undo",
  },
  {
    name: "a rollback takes every failure for a refusal of sr-create",
    file: "provider/host/temp-iso.ts",
    search: "{ isRefused: isSrRefused(cause) }",
    replace: "{ isRefused: isSrRefused(cause) || true }",
    tests: "test/host/unanswered.test.ts",
    title: "cannot be looked for",
  },
  {
    name: "no marker in the folder of a create under way",
    file: "provider/host/remote/marker.sh",
    search: '"since=$now" >pending',
    replace: '"since=$now" >/dev/null',
    tests: "test/host/security.test.ts",
    title: "marker",
  },
  {
    name: "another process with the number of a session that is gone counts as the session",
    file: "provider/host/remote/marker.sh",
    search: '&& [ "$REPLY" = "$2" ]',
    replace: '&& [ -n "$REPLY" ]',
    tests: "test/host/link.test.ts",
    title: "an abandoned folder of the same resource",
  },
  {
    name: "the marker stays once the disc is complete",
    file: "provider/host/remote/marker.sh",
    search: "rm -f -- pending writers",
    replace: "true",
    tests: "test/host/neighbours.test.ts",
    title: "same URN",
  },
  {
    name: "another create of the same resource is not waited for",
    file: "provider/host/remote/prepare.sh",
    search: '[ "$owner" != "$wanted" ] || live="live=$name"',
    replace: ":",
    tests: "test/host/refusal.test.ts",
    title: "another create of the same resource",
  },
  {
    name: "whatever a killed create left is taken for another's",
    file: "provider/host/remote/prepare.sh",
    search: '  elif [ "$owner" = "$wanted" ]; then',
    replace: "  elif false; then",
    tests: "test/host/link.test.ts",
    title: "abandoned",
  },
  {
    name: "values are not quoted",
    file: "provider/ssh/sh.ts",
    search: "return `'${value.replaceAll(\"'\", `'\\\\''`)}'`;",
    replace: "return `'${value}'`;",
    tests: "test/process/ssh/sh.test.ts",
    title: "every value|nothing in a value",
  },
  {
    name: "control characters in names pass",
    file: "provider/lifecycle/inputs.ts",
    search: 'return typeof value === "string" && /\\p{Cc}/u.test(value);',
    replace: "return value === undefined && false;",
    tests: "test/unit/lifecycle/inputs.test.ts",
    title: "control character",
  },
  {
    name: "an SR whose answer was lost is looked for once only",
    file: "provider/host/sr.ts",
    search: "++emptyLooks < 2",
    replace: "++emptyLooks < 1",
    tests: "test/host/toolstack.test.ts",
    title: "only after it was looked for",
  },
  {
    name: "sr-create is asked again when its answer was lost",
    file: "provider/host/remote/xe.sh",
    search: `*'Unable to contact server'*) [ "$1" = repeatable ] ;;`,
    replace: `*'Unable to contact server'*) return 0 ;;`,
    tests: "test/host/refusal.test.ts",
    title: "answer of sr-create got lost",
  },
  {
    name: "unplug and forget are not tried again",
    file: "provider/host/sr.ts",
    search: "isPassing: isPluggedAgain }",
    replace: "isPassing: () => isPluggedAgain(undefined) }",
    tests: "test/host/delete.test.ts",
    title: "plugged the PBD again",
  },
  {
    name: "the size of what arrived does not count",
    file: "provider/host/remote/image.sh",
    search: `[[ $received == *$'\\n'"$2 bytes"* ]] || return "$NOT_WHOLE"`,
    replace: ":",
    tests: "test/host/life.test.ts",
    title: "bashrc that reads standard input",
  },
  {
    name: "the content of what was sent does not count",
    file: "provider/host/image.ts",
    search: '.digest("hex") !== sha256) throw imageChanged(host, source);',
    replace: '.digest("hex") === "") throw imageChanged(host, source);',
    tests: "test/host/refusal.test.ts",
    title: "changed since it was checked",
  },
  {
    name: "nobody is asked whether the disc is wanted",
    file: "provider/host/make.ts",
    search: "    await assertWanted();\n    yield Buffer.from(WANTED.answer);",
    replace: "    void assertWanted;\n    yield Buffer.from(WANTED.answer);",
    tests: "test/host/toolstack.test.ts",
    title: "nobody takes",
  },
  {
    name: "a delete follows a link in the folder's place",
    file: "provider/host/remote/folder.sh",
    search: '[ ! -L "$path" ] || {',
    replace: "true || {",
    tests: "test/host/delete.test.ts",
    title: "link in the folder's place",
  },
  {
    name: "a delete follows a link in the place of srMountPath",
    file: "provider/host/remote/folder.sh",
    search: '[ ! -e "$path" ] || refuse_link "$1" || return "$NOT_REMOVED"',
    replace: ":",
    tests: "test/host/security.test.ts",
    title: "since the disc was made",
  },
  {
    name: "a delete removes whatever is in the folder",
    file: "provider/host/remote/folder.sh",
    search: 'rmdir -- "$path" ||',
    replace: 'rm -rf -- "$path" ||',
    tests: "test/host/delete.test.ts",
    title: "not ours",
  },
  {
    name: "a delete does not ask which host it is on",
    file: "provider/host/remote/delete.sh",
    search: 'assert_host "$1" || return',
    replace: ":",
    tests: "test/host/delete.test.ts",
    title: "another host answers",
  },
  {
    name: "a delete takes the disc from a suspended VM",
    file: "provider/host/sr.ts",
    search: "if (suspended && sr.isAttached)",
    replace: "if (suspended && !sr.isAttached)",
    tests: "test/host/delete.test.ts",
    title: "suspended",
  },
  {
    name: "folders that something is mounted on are looked into",
    file: "provider/host/remote/folder.sh",
    search: 'case $mounts in *"/$name "*) continue ;; esac',
    replace: ":",
    tests: "test/host/security.test.ts",
    title: "mounted",
  },
  {
    name: "any host key is taken",
    file: "provider/ssh/login.ts",
    search: "return course.refusal === undefined;",
    replace: "return true;",
    tests: "test/host/security.test.ts",
    title: "man in the middle",
  },
  {
    name: "a broken connection is used again",
    file: "provider/ssh/link.ts",
    search: "if (connection.lost.aborted) {",
    replace: "if (false) {",
    tests: "test/host/connection.test.ts",
    title: "lost",
  },
];
